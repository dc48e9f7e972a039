"""Stability over seeds: the adjusted Rand index against scikit-learn's and its definition over pairs of items."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from benchmark.errors import DataError
from benchmark.metrics.stability import adjusted_rand, stability
from benchmark.results.result_files import read_id_lines


def write(path, rows, items=None):
    items = items or [f"i{number}" for number in range(len(rows))]
    lines = (f"{item}\t{'-'.join(map(str, row))}\n" for item, row in zip(items, rows, strict=True))
    path.write_text("".join(lines))
    return path


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=30))
def test_adjusted_rand_is_scikit_learns(pairs):
    left, right = np.array(pairs, np.int64).T
    assert adjusted_rand(left, right) == pytest.approx(adjusted_rand_score(left, right))


def test_adjusted_rand_of_trivial_groupings():
    one, own = np.zeros(5, np.int64), np.arange(5)
    assert adjusted_rand(one, one) == adjusted_rand(own, own) == 1
    assert adjusted_rand(one, own) == 0


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_stability_is_the_mean_over_pairs_of_seeds_at_each_depth(tmp_path_factory, seed):
    folder = tmp_path_factory.mktemp("ids")
    rng = np.random.default_rng(seed)
    seeds = [rng.integers(0, 3, (20, 2)).tolist() for _ in range(3)]
    found = stability([write(folder / f"{number}.tsv", rows) for number, rows in enumerate(seeds)])
    assert found.keys() == {"stability@1", "stability@2"}
    for depth in (1, 2):
        names = [[str(row[:depth]) for row in rows] for rows in seeds]
        pairs = [adjusted_rand_score(left, right) for left, right in combinations(names, 2)]
        assert found[f"stability@{depth}"] == pytest.approx(np.mean(pairs))


def test_renamed_codes_and_another_order_of_the_file_change_nothing(tmp_path):
    left = write(tmp_path / "0.tsv", [[0, 5], [0, 6], [1, 5], [2]])
    right = write(tmp_path / "1.tsv", [[9], [7, 0], [8, 3], [8, 1]], ["i3", "i2", "i1", "i0"])
    assert stability([left, right]) == {"stability@1": 1.0, "stability@2": 1.0}


def test_one_seed_has_no_stability(tmp_path):
    assert stability([write(tmp_path / "0.tsv", [[0], [1]])]) == {}


def test_files_that_cannot_be_compared_are_named(tmp_path):
    good = write(tmp_path / "good.tsv", [[0, 1], [1, 1]])
    assert read_id_lines(good) == {"i0": (0, 1), "i1": (1, 1)}
    with pytest.raises(DataError, match=r"other\.tsv: its items are not those of .*good\.tsv"):
        stability([good, write(tmp_path / "other.tsv", [[0, 1], [1, 1]], ["i0", "x"])])
    for name, text in {
        "gone": None,
        "empty": "",
        "words": "a\t1\nb\tone\n",
        "bare": "a\n",
        "twice": "a\t1\na\t1\n",
    }.items():
        path = tmp_path / f"{name}.tsv"
        if text is not None:
            path.write_text(text)
        with pytest.raises(DataError, match=rf"{name}\.tsv" + (":2: " if name in ("words", "twice") else "")):
            read_id_lines(path)
