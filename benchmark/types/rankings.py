"""Ranked items in memory, and their contract, checked on everything that a method returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmark.errors import BenchmarkError
from benchmark.types.arrays import Float32, Int32, read_only


@dataclass(frozen=True)
class Rankings:
    """Ranked items of each query or user: items int32 [n, k] (-1 pads at the end), scores float32 [n, k]; read-only.

    `check_rankings` also takes other integers and wider numbers, `single_precision` makes them what stands here.
    """

    items: Int32
    scores: Float32

    def __post_init__(self) -> None:
        for name in ("items", "scores"):
            if not isinstance(getattr(self, name), np.ndarray):
                what = type(getattr(self, name)).__name__
                raise BenchmarkError(f"rankings: {name} must be a NumPy array [n, k], not {what}")
        read_only(self, arrays=("items", "scores"))

    def __len__(self) -> int:
        return len(self.items)


def check_rankings(rankings: Rankings, n_queries: int, n_items: int, depth: int) -> None:
    """Raise BenchmarkError unless the rankings keep their contract.

    That is: right shape and types, known items, none twice, best first, and -1 at the end of a row alone.
    """
    items, scores = rankings.items, rankings.scores
    if items.ndim != 2 or items.shape != scores.shape or len(items) != n_queries or items.shape[1] > depth:
        raise BenchmarkError(
            f"rankings: expected shape ({n_queries}, <= {depth}), got {items.shape} items and {scores.shape} scores"
        )
    if items.dtype.kind not in "iu":
        raise BenchmarkError(f"rankings: items must be whole numbers (int32), not {items.dtype}")
    if scores.dtype.kind not in "iuf":
        raise BenchmarkError(f"rankings: scores must be numbers (float32), not {scores.dtype}")
    if items.size and (items.min() < -1 or items.max() >= n_items):
        raise BenchmarkError("rankings: an item index lies outside the corpus")
    valid = items >= 0
    if (holes := (valid[:, 1:] & ~valid[:, :-1]).any(axis=1)).any():
        row = int(np.flatnonzero(holes)[0])
        raise BenchmarkError(f"rankings: row {row} has -1 before a ranked item; -1 may only fill the end of a row")
    ordered = np.sort(items, axis=1)
    if ((ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] >= 0)).any():
        raise BenchmarkError("rankings: an item stands twice in one ranking")
    with np.errstate(over="ignore"):
        if not np.isfinite(scores[valid].astype(np.float32)).all():
            raise BenchmarkError("rankings: a ranked item has no finite score (in float32)")
    pairs = valid[:, 1:] & valid[:, :-1]
    if (scores[:, 1:][pairs] > scores[:, :-1][pairs]).any():
        raise BenchmarkError("rankings: scores must fall from rank to rank")


def single_precision(rankings: Rankings) -> Rankings:
    """Return rankings as int32 and float32 that order the items as the given scores do.

    Scores that differ, but not in float32, come one float32 step apart; equal ones stay equal. Expects scores that fall
    from rank to rank; what stands beside -1 becomes what it is in float32.
    """
    given, items = rankings.scores, rankings.items.astype(np.int32, copy=False)
    with np.errstate(over="ignore"):
        scores = given.astype(np.float32)
    if given.dtype.itemsize > scores.dtype.itemsize or given.dtype.kind != "f":
        _keep_apart(scores, given, items >= 0)
    return Rankings(items, scores)


def without(rankings: Rankings, left_out: Int32, depth: int) -> Rankings:
    """Return rankings [n, <= depth] without one item of each row: `left_out` [n], -1 for none; others move up."""
    dropped = (rankings.items == left_out[:, None]) & (left_out[:, None] >= 0)
    order = np.argsort(dropped, axis=1, kind="stable")[:, :depth]  # what is dropped goes behind the others
    items = np.where(dropped, -1, rankings.items)
    return Rankings(np.take_along_axis(items, order, 1), np.take_along_axis(rankings.scores, order, 1))


def _keep_apart(scores: Float32, given: Any, valid: Any) -> None:
    """Lower each score [n, k] that does not stand below the one before it, where the given ones [n, k] do."""
    lowest = np.float32(-np.inf)
    for rank in range(1, scores.shape[1]):
        above, here = scores[:, rank - 1], scores[:, rank]
        apart = np.where(given[:, rank] == given[:, rank - 1], above, np.minimum(here, np.nextafter(above, lowest)))
        scores[:, rank] = np.where(valid[:, rank], apart, here)
