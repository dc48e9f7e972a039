"""Semantic IDs in memory, and the dedup counter that makes them unique."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmark.errors import BenchmarkError
from benchmark.types.arrays import Int32, read_only


@dataclass(frozen=True)
class Codes:
    """Semantic IDs: int32 [n_items, length], -1 pads; position t has codes 0 .. sizes[t] - 1.

    Padding may stand at the end (shorter IDs); after `with_counter` the last column is the dedup counter and
    padding may stand before it, because the counter always uses the tokens of the last position (LMIndexer's code).
    The array is read-only.
    """

    values: Int32
    sizes: tuple[int, ...]

    def __post_init__(self) -> None:
        values = self.values
        if not isinstance(values, np.ndarray):
            raise BenchmarkError(f"codes: values must be an int32 array [n_items, length], not {type(values).__name__}")
        if not len(self.sizes):
            raise BenchmarkError("codes: an ID needs at least one position")
        if values.ndim != 2 or values.shape[1] != len(self.sizes):
            raise BenchmarkError(f"codes: shape {values.shape} does not match {len(self.sizes)} codebook sizes")
        if values.dtype != np.int32:
            raise BenchmarkError(f"codes: dtype must be int32, not {values.dtype}")
        outside = (values < -1) | (values >= np.asarray(self.sizes))
        if outside.any():
            row, position = np.argwhere(outside)[0].tolist()
            raise BenchmarkError(
                f"codes: a code lies outside its codebook: {values[row, position]} in row {row}, position "
                f"{position + 1} (allowed: -1 for padding, 0 .. {self.sizes[position] - 1})"
            )
        if len(values) and (values[:, 0] < 0).any():
            raise BenchmarkError("codes: an item has no first code")
        read_only(self, arrays=("values",), tuples=("sizes",))

    def __len__(self) -> int:
        return len(self.values)

    @property
    def length(self) -> int:
        """Positions of the longest ID."""
        return len(self.sizes)

    def joined(self, others: Codes, at: NDArray[np.bool_]) -> Codes:
        """Return the codes of all items: `others` where `at` [n_items] is true, these in the rows between."""
        values = np.empty((len(at), self.length), np.int32)
        values[~at], values[at] = self.values, others.values
        return Codes(values, self.sizes)

    def counter(self, later: NDArray[np.bool_] | None = None) -> Int32:
        """Return 0,1,2.. in row order inside each group of equal codes [n_items] (the dedup counter).

        Rows where `later` [n_items] is true are counted after all others of their group.
        """
        if not len(self):
            return np.empty(0, np.int32)
        by_code = np.lexsort(self.values.T[::-1])  # a quarter of the time of np.unique over rows
        rows = self.values[by_code]
        group = np.empty(len(self), np.int64)
        group[by_code] = np.cumsum(np.r_[False, (rows[1:] != rows[:-1]).any(axis=1)])
        order = np.argsort(group, kind="stable") if later is None else np.lexsort((later, group))
        sorted_group = group[order]
        starts = np.r_[0, np.flatnonzero(np.diff(sorted_group)) + 1]
        sizes = np.diff(np.r_[starts, len(order)])
        counter = np.empty(len(self), np.int32)
        counter[order] = np.arange(len(order)) - np.repeat(starts, sizes)
        return counter

    def with_counter(self, later: NDArray[np.bool_] | None = None) -> Codes:
        """Append the dedup counter as one more position, for every item (0 where an ID is already unique).

        Items that came later (`later` bool [n_items]) continue the count, so that they change no other item's ID. The
        counter's codebook then has a code more for each of them than the others use, whatever their codes are: its
        size, and with it the shape of what is trained, does not depend on them.
        """
        counter = self.counter(later)
        first = counter if later is None else counter[~later]
        size = (int(first.max()) + 1 if len(first) else 1) + (0 if later is None else int(later.sum()))
        return Codes(np.column_stack([self.values, counter]).astype(np.int32), (*self.sizes, size))


def padded(rows: Sequence[Sequence[int]], length: int) -> Int32:
    """Return IDs as codes int32 [n, length], -1 behind shorter ones."""
    return np.array([[*row, *[-1] * (length - len(row))] for row in rows], np.int32).reshape(-1, length)


def checked_codes(codes: Any, items: Sequence[str], what: str) -> Codes:
    """Return what a method gave as IDs. Raises BenchmarkError where it is none, or not one for each of the items.

    Padding inside an ID is refused too, which only `Codes.with_counter` may make.
    """
    if not isinstance(codes, Codes):
        kind = "nothing" if codes is None else f"a {type(codes).__name__}"
        raise BenchmarkError(f"{what} returned {kind}; it must return benchmark.types.codes.Codes(values, sizes)")
    if len(codes) != len(items):
        raise BenchmarkError(f"{what} gave {len(codes)} codes for {len(items)} items")
    inside = np.argwhere((codes.values[:, :-1] < 0) & (codes.values[:, 1:] >= 0))
    if len(inside):
        row, position = inside[0].tolist()
        raise BenchmarkError(
            f"{what}: item '{items[row]}' has -1 at position {position + 1} and codes behind it; padding stands only "
            "at the end of an ID"
        )
    return codes
