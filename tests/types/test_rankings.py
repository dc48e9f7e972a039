"""The contract of rankings: what breaks it is refused by name, and wider scores keep the order they were given in."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.errors import BenchmarkError
from benchmark.types.rankings import Rankings, check_rankings, single_precision
from benchmark.types.trec import read_run, write_run

IDS = [f"i{row}" for row in range(8)]
GOOD = np.array([[4, 0, 7], [1, -1, -1]])
SCORES = np.array([[3.0, 2.0, 1.0], [5.0, 0.0, 0.0]], np.float32)


def check(items: Any, scores: Any = SCORES) -> None:
    check_rankings(Rankings(np.asarray(items), np.asarray(scores)), n_queries=2, n_items=8, depth=3)


@pytest.mark.parametrize("kind", [np.int8, np.int32, np.int64])
@pytest.mark.parametrize("precision", [np.float16, np.float32, np.float64, np.int64])
def test_whole_numbers_and_numbers_of_any_width_are_taken(kind: type, precision: type) -> None:
    check(GOOD.astype(kind), SCORES.astype(precision))
    made = single_precision(Rankings(GOOD.astype(kind), SCORES.astype(precision)))
    assert (made.items.dtype, made.scores.dtype) == (np.int32, np.float32)
    assert made.items.tolist() == GOOD.tolist() and made.scores.tolist() == SCORES.tolist()


@pytest.mark.parametrize(
    ("items", "scores", "said"),
    [
        (GOOD.astype(float), SCORES, "items must be whole numbers .int32., not float64"),
        (GOOD.astype(str), SCORES, "items must be whole numbers"),
        (GOOD.astype(object), SCORES, "items must be whole numbers .* not object"),
        (GOOD > 1, SCORES, "items must be whole numbers .* not bool"),
        (GOOD, SCORES.astype(complex), "scores must be numbers .* not complex"),
        (GOOD, SCORES.astype(str), "scores must be numbers"),
        (GOOD, SCORES.astype(object), "scores must be numbers"),
        (GOOD[0], SCORES[0], r"expected shape \(2, <= 3\), got \(3,\)"),
        (GOOD, SCORES[:, :2], r"got \(2, 3\) items and \(2, 2\) scores"),
        ([[4, -1, 7], [1, -1, -1]], SCORES, "row 0 has -1 before a ranked item"),
        ([[4, 0, 7], [-1, -1, 1]], SCORES, "row 1 has -1 before a ranked item"),
        (GOOD, [[1e300, 2, 1], [5, 0, 0]], "no finite score"),
        (GOOD, [[3, np.nan, 1], [5, 0, 0]], "no finite score"),
    ],
)
def test_what_breaks_the_contract_is_refused_by_name(items: Any, scores: Any, said: str) -> None:
    with pytest.raises(BenchmarkError, match=said):
        check(items, scores)


def test_lists_and_foreign_arrays_are_refused_by_type() -> None:
    with pytest.raises(BenchmarkError, match=r"items must be a NumPy array .* not list"):
        Rankings([[1]], SCORES)  # type: ignore[arg-type]


CLOSE = [1 + step * 1e-12 for step in range(4)] + [-2.0, 0.0, 3.5, 1e30, -1e30]


@settings(deadline=None, max_examples=80)
@given(st.lists(st.sampled_from(CLOSE), min_size=1, max_size=8), st.permutations(range(8)))
def test_the_written_order_is_that_of_the_float64_scores(
    tmp_path_factory: pytest.TempPathFactory, scores: list[float], items: list[int]
) -> None:
    """By score in double precision, equal ones by item id descending, although most of them are one float32."""
    scores.sort(reverse=True)
    items = items[: len(scores)]
    path = tmp_path_factory.mktemp("run") / "run.trec"
    made = single_precision(Rankings(np.array([items]), np.array([scores])))
    write_run(path, ["q"], IDS, made, "t")
    expected = sorted(zip(scores, [IDS[item] for item in items], strict=True), reverse=True)
    assert list(read_run(path)["q"]) == [item for _, item in expected]
    falls = [left > right for left, right in pairwise(made.scores[0].tolist())]
    assert falls == [left > right for left, right in pairwise(scores)]


def test_large_whole_numbers_that_are_one_float32_keep_their_order(tmp_path: Path) -> None:
    scores = np.array([[2**40 + 2, 2**40 + 1, 2**40]])
    made = single_precision(Rankings(np.array([[0, 1, 2]]), scores))
    write_run(tmp_path / "run", ["q"], IDS, made, "t")
    assert list(read_run(tmp_path / "run")["q"]) == ["i0", "i1", "i2"]
