"""ID quality against scikit-learn called another way, hand-made tables of counts and properties of the metrics."""

from collections import Counter
from itertools import permutations
from math import comb, exp, isclose, log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_mutual_info_score, normalized_mutual_info_score

from benchmark.errors import BenchmarkError
from benchmark.metrics import id_quality as module
from benchmark.metrics.agreement_cost import ami_steps
from benchmark.metrics.id_quality import id_quality, prefix_groups
from benchmark.types.codes import Codes


def codes(rows, size=512):
    values = np.array(rows, np.int32)
    return Codes(values, (size,) * values.shape[1])


def ami_by_definition(left, right):
    """Vinh, Epps and Bailey (JMLR 2010), written out over the table of counts with exact binomials."""
    n = len(left)
    table = Counter(zip(left, right, strict=True))
    a, b = Counter(left), Counter(right)
    information = sum(c / n * log(n * c / (a[i] * b[j])) for (i, j), c in table.items())
    expected = 0.0
    for x in a.values():
        for y in b.values():
            for c in range(max(1, x + y - n), min(x, y) + 1):
                expected += c / n * log(n * c / (x * y)) * comb(y, c) * comb(n - y, x - c) / comb(n, x)

    def entropy(counts):
        return -sum(c / n * log(c / n) for c in counts.values())

    return (information - expected) / ((entropy(a) + entropy(b)) / 2 - expected)


PATHS = [("Beauty", "Hair", "Care"), ("Beauty", "Hair", "Color"), ("Beauty", "Nails"), ("Beauty", "Hair", "Care"),
         ("Beauty", "Nails"), (), ("Beauty", "Skin")]  # fmt: skip
ROWS = [[0, 1, 5], [0, 2, 5], [1, 1, 5], [0, 1, 6], [1, 1, 5], [3, 3, 3], [2, 0, 0]]


def test_ami_is_the_first_code_against_the_whole_path_of_labelled_items():
    metrics = id_quality(codes(ROWS), PATHS)
    labelled = [row for row, path in enumerate(PATHS) if path]
    label = [",".join(PATHS[row]) for row in labelled]
    first = [ROWS[row][0] for row in labelled]
    assert metrics["AMI"] == pytest.approx(ami_by_definition(label, first))
    assert metrics["AMI"] == pytest.approx(adjusted_mutual_info_score(label, first, average_method="arithmetic"))
    assert metrics["labelled_items"] == 6


def test_deeper_prefixes_and_coarser_levels_follow_the_definition():
    metrics = id_quality(codes(ROWS), PATHS)
    labelled = [row for row, path in enumerate(PATHS) if path]
    label = [",".join(PATHS[row]) for row in labelled]
    for depth in (1, 2, 3):
        prefix = [tuple(ROWS[row][:depth]) for row in labelled]
        assert metrics[f"AMI@depth{depth}"] == pytest.approx(ami_by_definition(label, prefix))
    assert "AMI@level1" not in metrics  # every path starts with Beauty
    for level in (2, 3):
        cut = [PATHS[row][:level] for row in labelled]
        assert metrics[f"AMI@level{level}"] == pytest.approx(ami_by_definition(cut, [ROWS[r][0] for r in labelled]))
    assert "AMI@level4" not in metrics


def test_uniqueness_and_usage_of_a_case_counted_by_hand():
    # IDs: 0-1-5 once, 0-2-5 once, 1-1-5 twice, 0-1-6, 3-3-3, 2-0-0 once: 5 of 7 items unique, 6 distinct IDs.
    metrics = id_quality(codes(ROWS), PATHS)
    assert metrics["unique"] == pytest.approx(5 / 7)
    assert metrics["collision_rate"] == pytest.approx(1 / 7)
    assert metrics["largest_group"] == 2
    assert [metrics[f"codes_used@{position}"] for position in (1, 2, 3)] == [4, 4, 4]
    shares = [3 / 7, 2 / 7, 1 / 7, 1 / 7]  # first codes 0, 1, 2, 3
    assert metrics["perplexity@1"] == pytest.approx(exp(-sum(share * log(share) for share in shares)))
    assert metrics["length"] == 3


def test_padding_shortens_ids_and_is_no_code():
    metrics = id_quality(codes([[0, -1], [0, 0], [1, -1], [1, -1]]), [()] * 4)
    assert metrics["length"] == 1.25
    assert metrics["codes_used@2"] == 1 and metrics["perplexity@2"] == 1
    assert metrics["unique"] == 0.5 and metrics["collision_rate"] == 0.25


def test_dead_codes_and_fan_out_of_a_case_counted_by_hand():
    # Codebooks of 8: codes 0, 1, 2, 3 at position 1; 0, 1, 2, 3 at position 2; 0, 3, 5, 6 at position 3.
    metrics = id_quality(codes(ROWS, 8), PATHS)
    assert [metrics[f"dead_codes@{position}"] for position in (1, 2, 3)] == [0.5] * 3 and metrics["dead_codes"] == 0.5
    # 0 is followed by {1, 2}, 1 by {1}, 2 by {0}, 3 by {3}; 0-1 by {5, 6} and 0-2, 1-1, 2-0, 3-3 by one code each.
    assert metrics["fan_out@2"] == 5 / 4 and metrics["fan_out@3"] == 6 / 5
    assert "fan_out@1" not in metrics


def test_dead_codes_weigh_codebooks_by_their_sizes_and_ends_are_no_children():
    values = np.array([[0, 0, 0], [0, 1, -1], [1, -1, -1], [0, 2, 0], [0, 2, 1]], np.int32)
    metrics = id_quality(Codes(values, (2, 10, 4)), [()] * 5)
    assert [metrics[f"dead_codes@{position}"] for position in (1, 2, 3)] == pytest.approx([0, 0.7, 0.5])
    assert metrics["dead_codes"] == pytest.approx(1 - (2 + 3 + 2) / 16)
    assert metrics["fan_out@2"] == 3 and metrics["fan_out@3"] == pytest.approx(3 / 2)


@settings(max_examples=10, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=5, max_size=5))
def test_nmi_by_chance_is_its_mean_over_every_shuffling(pairs):
    first, leaves = (list(column) for column in zip(*pairs, strict=True))
    metrics = id_quality(codes([[code] for code in first]), [("all", str(leaf)) for leaf in leaves])
    if len(set(leaves)) < 2:
        assert "NMI (chance)" not in metrics
        return
    every = [normalized_mutual_info_score(leaves, list(order)) for order in permutations(first)]
    assert metrics["NMI (chance)"] == pytest.approx(np.mean(every))


def test_ami_is_nmi_corrected_by_its_chance_value():
    metrics = id_quality(codes(ROWS), PATHS)
    by_chance = metrics["NMI (chance)"]
    assert metrics["AMI"] == pytest.approx((metrics["NMI"] - by_chance) / (1 - by_chance))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 40), st.integers(2, 4))
def test_fan_out_is_the_mean_number_of_children_in_the_tree_of_ids(seed, n, length):
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 3, (n, length)).astype(np.int32)
    values[np.arange(length) >= rng.integers(1, length + 1, n)[:, None]] = -1  # IDs end early
    ids = [tuple(code for code in row if code >= 0) for row in values.tolist()]
    metrics = id_quality(codes(values, 3), [()] * n)
    for position in range(2, length + 1):
        children: dict = {}
        for name in ids:
            if len(name) >= position:
                children.setdefault(name[: position - 1], set()).add(name[position - 1])
        counts = [len(codes_below) for codes_below in children.values()]
        assert metrics.get(f"fan_out@{position}") == (pytest.approx(np.mean(counts)) if counts else None)


@pytest.mark.parametrize("paths", [[()] * 7, [("Beauty",)] * 7])
def test_without_two_labels_there_is_no_ami(paths):
    metrics = id_quality(codes(ROWS), paths)
    assert not [name for name in metrics if "MI" in name]
    assert metrics["labelled_items"] == sum(map(bool, paths))
    assert "unique" in metrics


def test_paths_of_another_number_and_an_empty_corpus_are_refused():
    with pytest.raises(BenchmarkError, match="7 IDs but 3 category paths"):
        id_quality(codes(ROWS), PATHS[:3])
    with pytest.raises(BenchmarkError, match="no items"):
        id_quality(Codes(np.empty((0, 3), np.int32), (4, 4, 4)), [])


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 60), st.integers(1, 3))
def test_renaming_the_codes_changes_nothing(seed, n, length):
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 6, (n, length)).astype(np.int32)
    paths = [("all", str(leaf)) for leaf in rng.integers(0, 4, n)]
    renamed = np.column_stack([rng.permutation(6)[column] for column in values.T]).astype(np.int32)
    before, after = (id_quality(codes(rows, 6), paths) for rows in (values, renamed))
    assert before.keys() == after.keys()
    assert all(isclose(before[name], after[name], rel_tol=1e-9, abs_tol=1e-9) for name in before)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 8))
def test_codes_that_name_the_label_score_one(seed, labels):
    rng = np.random.default_rng(seed)
    label = np.r_[np.arange(labels), rng.integers(0, labels, 30)]
    metrics = id_quality(codes(rng.permutation(labels)[label][:, None]), [("all", f"c{leaf}") for leaf in label])
    assert metrics["AMI"] == pytest.approx(1) and metrics["NMI"] == pytest.approx(1)


def test_random_codes_score_zero_on_average():
    rng = np.random.default_rng(5)
    scores = [
        id_quality(codes(rng.integers(0, 20, (400, 1))), [("all", str(leaf)) for leaf in rng.integers(0, 15, 400)])
        for _ in range(20)
    ]
    assert abs(np.mean([score["AMI"] for score in scores])) < 0.01
    assert np.mean([score["NMI"] for score in scores]) > 0.1  # what the correction for chance takes away


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 50), st.integers(1, 4))
def test_prefix_groups_are_those_of_tuples(seed, n, length):
    values = np.random.default_rng(seed).integers(-1, 3, (n, length)).astype(np.int32)
    for depth, group in enumerate(prefix_groups(values), 1):
        by_tuple: dict = {}
        for row, number in zip(values[:, :depth].tolist(), group.tolist(), strict=True):
            by_tuple.setdefault(tuple(row), set()).add(number)
        assert all(len(numbers) == 1 for numbers in by_tuple.values())
        assert len(set(group.tolist())) == len(by_tuple) == group.max() + 1


@given(st.lists(st.integers(0, 5), min_size=1, max_size=40), st.integers(0, 1000))
def test_cost_of_an_ami_is_the_sum_of_the_smaller_sizes(clusters, seed):
    labels = np.random.default_rng(seed).integers(0, 4, len(clusters))
    a, b = Counter(clusters), Counter(labels.tolist())
    assert ami_steps(np.array(clusters), labels) == sum(min(x, y) for x in a.values() for y in b.values())


def test_deep_amis_are_left_out_beyond_the_bound_but_ami_never_is(monkeypatch):
    monkeypatch.setattr(module, "MAX_AMI_STEPS", 0)
    metrics = id_quality(codes(ROWS), PATHS)
    assert "AMI" in metrics and "AMI@depth1" in metrics
    assert not {"AMI@depth2", "AMI@depth3", "AMI@level2", "NMI (chance)"} & metrics.keys()
