"""Code use by items and by events, and next codes: against definitions by loops, and where values are known."""

from itertools import pairwise
from math import log2

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import adjusted_mutual_info_score

from benchmark.metrics.code_use import code_use, gini, head
from benchmark.metrics.id_quality import id_quality, prefix_groups
from benchmark.metrics.next_code import next_code
from benchmark.types.codes import Codes
from benchmark.types.data import Histories


def histories(*rows):
    offsets = np.cumsum([0, *map(len, rows)])
    items = np.array([item for row in rows for item in row], np.int32)
    return Histories([f"u{number}" for number in range(len(rows))], offsets.astype(np.int64), items)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=12))
def test_gini_is_half_the_mean_difference_over_the_mean(weights):
    apart = sum(abs(a - b) for a in weights for b in weights) / len(weights) ** 2
    mean = sum(weights) / len(weights)
    assert gini(np.array(weights)) == pytest.approx(apart / (2 * mean) if mean else 0.0)


def test_gini_of_even_and_of_single_use():
    assert gini(np.array([3, 3, 3, 3])) == 0
    assert gini(np.array([0, 0, 0, 8])) == pytest.approx(3 / 4)


def test_codes_are_weighted_by_items_and_by_events():
    codes = Codes(np.array([[0], [0], [1], [2]], np.int32), (4,))
    metrics = code_use(codes, np.array([0, 0, 1, 2]), histories([2, 2, 2], [3]))
    assert metrics["gini@1"] == pytest.approx(gini(np.array([2, 1, 1, 0])))
    assert metrics["gini@1 (events)"] == pytest.approx(gini(np.array([0, 3, 1, 0])))
    assert metrics["perplexity@1 (events)"] == pytest.approx(np.exp(-(0.75 * np.log(0.75) + 0.25 * np.log(0.25))))


def test_head_is_the_fewest_items_with_half_of_the_events():
    assert head(np.array([1.0, 5.0, 2.0, 2.0])).tolist() == [False, True, False, False]
    assert head(np.array([1.0, 4.0, 2.0, 3.0])).tolist() == [False, True, False, True]
    assert head(np.array([2.0, 2.0, 2.0, 2.0])).tolist() == [True, True, False, False]


def test_head_and_tail_tell_their_items_apart():
    """Items 0 and 1 are bought most; 2, 3 and 4 are not, and two of them share an ID."""
    codes = Codes(np.array([[0], [1], [2], [2], [3]], np.int32), (4,))
    metrics = code_use(codes, np.array([0, 1, 2, 2, 3]), histories([0, 1, 0, 1, 2]))
    assert metrics["distinct (head)"] == 1.0
    assert metrics["distinct (tail)"] == pytest.approx(2 / 3)


def test_without_events_nothing_is_said_of_them():
    codes = Codes(np.array([[0], [1]], np.int32), (2,))
    for training in (None, histories()):
        assert set(code_use(codes, np.array([0, 1]), training)) == {"gini@1"}
    assert not any(name.startswith("next_") for name in id_quality(codes, [(), ()], histories([0], [1])))


@given(st.lists(st.lists(st.integers(0, 9), max_size=6), max_size=6), st.integers(0, 10_000))
def test_next_entropy_is_what_the_codes_before_leave_open(rows, seed):
    values = np.random.default_rng(seed).integers(0, 3, (10, 2)).astype(np.int32)
    metrics = next_code(prefix_groups(values), histories(*rows))
    for depth in (1, 2):
        codes = [tuple(row[:depth]) for row in values.tolist()]
        pairs = [(codes[a], codes[b]) for row in rows for a, b in pairwise(row) if a != b]
        if not pairs:
            assert not metrics
            continue
        left = 0.0
        for before, after in pairs:
            same = [b for a, b in pairs if a == before]
            left -= log2(same.count(after) / len(same)) / len(pairs)
        assert metrics[f"next_entropy@{depth}"] == pytest.approx(left, abs=1e-12)


def test_next_ami_is_that_of_scikit_learn_and_absent_with_one_code():
    random = np.random.default_rng(0)
    values, rows = random.integers(0, 4, (30, 1)).astype(np.int32), random.integers(0, 30, (40, 5)).tolist()
    before, after = zip(*[(a, b) for row in rows for a, b in pairwise(row) if a != b], strict=True)
    due = adjusted_mutual_info_score(values[list(before), 0], values[list(after), 0])
    assert next_code(prefix_groups(values), histories(*rows))["next_AMI@1"] == pytest.approx(due)
    assert "next_AMI@1" not in next_code(prefix_groups(np.zeros_like(values)), histories(*rows))


def test_codes_that_follow_the_last_ones_leave_nothing_to_guess():
    """Even items are followed by odd ones, and the code is the parity."""
    values = (np.arange(10, dtype=np.int32) % 2)[:, None]
    metrics = next_code(prefix_groups(values), histories([0, 1, 2, 3], [5, 4, 7, 8]))
    assert metrics["next_entropy@1"] == pytest.approx(0) and metrics["next_AMI@1"] == pytest.approx(1)
