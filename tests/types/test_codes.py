"""What is no ID is refused; the dedup counter where items came later changes no other item's ID."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.conformance import small_corpus
from benchmark.errors import BenchmarkError
from benchmark.types.codes import Codes, checked_codes

ROWS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.booleans()), min_size=1, max_size=30)


@given(rows=ROWS)
def test_later_items_continue_the_count_and_change_no_other_id(rows: list[tuple[int, int, bool]]) -> None:
    codes = Codes(np.array([row[:2] for row in rows], np.int32), (3, 3))
    later = np.array([row[2] for row in rows])
    unique = codes.with_counter(later)
    alone = Codes(codes.values[~later], codes.sizes).with_counter()
    assert np.array_equal(unique.values[~later], alone.values)
    assert len({tuple(row) for row in unique.values.tolist()}) == len(rows)
    groups: dict[tuple[int, ...], list[int]] = {}
    for first in (False, True):
        for row in np.flatnonzero(later == first):
            groups.setdefault(tuple(codes.values[row].tolist()), []).append(int(unique.values[row, -1]))
    assert all(counts == list(range(len(counts))) for counts in groups.values())


@given(rows=ROWS, codes=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=30, max_size=30))
def test_sizes_do_not_depend_on_the_codes_of_later_items(
    rows: list[tuple[int, int, bool]], codes: list[tuple[int, int]]
) -> None:
    later = np.array([row[2] for row in rows])
    own = np.array([row[:2] for row in rows], np.int32)
    other = np.where(later[:, None], np.array(codes[: len(rows)], np.int32), own)
    sizes = [Codes(values.astype(np.int32), (3, 3)).with_counter(later).sizes for values in (own, other)]
    assert sizes[0] == sizes[1]


def test_without_later_items_the_counter_is_in_row_order() -> None:
    codes = Codes(np.array([[1], [0], [1], [1]], np.int32), (2,))
    assert codes.with_counter().values.tolist() == [[1, 0], [0, 0], [1, 1], [1, 2]]
    assert codes.with_counter().sizes == (2, 3)
    assert codes.with_counter(np.array([True, False, False, False])).values.tolist() == [[1, 2], [0, 0], [1, 0], [1, 1]]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([[0, 1]], "not list"),
        (np.array([[0, 1], [1, 4]], np.int32), r"4 in row 1, position 2 \(allowed: -1 for padding, 0 .. 2\)"),
        (np.array([[0, -2]], np.int32), "-2 in row 0, position 2"),
        (np.array([[0.0, 1.0]]), "dtype must be int32, not float64"),
    ],
)
def test_what_is_no_code_is_named(values: Any, said: str) -> None:
    with pytest.raises(BenchmarkError, match=said):
        Codes(values, (3, 3))


def test_what_an_indexer_returned_is_checked_before_it_is_used() -> None:
    corpus = small_corpus(3)
    good = np.array([[0, 1, -1], [1, -1, -1], [2, 0, 1]], np.int32)
    assert checked_codes(Codes(good, (3, 3, 3)), corpus.ids, "fit of mine").length == 3
    gap = np.array([[0, 1, 2], [1, -1, 2], [2, 0, 1]], np.int32)
    with pytest.raises(BenchmarkError, match=f"fit of mine: item '{corpus.ids[1]}' has -1 at position 2 and codes"):
        checked_codes(Codes(gap, (3, 3, 3)), corpus.ids, "fit of mine")
    for returned, said in ((None, "returned nothing"), (good, "returned a ndarray")):
        with pytest.raises(BenchmarkError, match=f"fit of mine {said}; it must return benchmark.types.codes.Codes"):
            checked_codes(returned, corpus.ids, "fit of mine")
    with pytest.raises(BenchmarkError, match="fit of mine gave 2 codes for 3 items"):
        checked_codes(Codes(good[:2], (3, 3, 3)), corpus.ids, "fit of mine")
