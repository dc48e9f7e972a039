"""Ranked items in memory, and their contract, checked on everything that a method returns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmark.errors import BenchmarkError
from benchmark.types.arrays import Float32, Int32, read_only


@dataclass(frozen=True)
class Rankings:
    """Ranked items of each query or user: items int32 [n, k] (-1 pads at the end), scores float32 [n, k]; read-only."""

    items: Int32
    scores: Float32

    def __post_init__(self) -> None:
        read_only(self, arrays=("items", "scores"))

    def __len__(self) -> int:
        return len(self.items)


def check_rankings(rankings: Rankings, n_queries: int, n_items: int, depth: int) -> None:
    """Raise BenchmarkError unless the rankings are whole: right shape, known items, no item twice, best first."""
    items, scores = rankings.items, rankings.scores
    if items.shape != scores.shape or len(items) != n_queries or items.shape[1] > depth:
        raise BenchmarkError(f"rankings: expected shape ({n_queries}, <= {depth}), got {items.shape}")
    if items.size and (items.min() < -1 or items.max() >= n_items):
        raise BenchmarkError("rankings: an item index lies outside the corpus")
    ordered = np.sort(items, axis=1)
    if ((ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] >= 0)).any():
        raise BenchmarkError("rankings: an item stands twice in one ranking")
    valid = items >= 0
    if not np.isfinite(scores[valid]).all():
        raise BenchmarkError("rankings: a ranked item has no finite score")
    pairs = valid[:, 1:] & valid[:, :-1]
    if (scores[:, 1:][pairs] > scores[:, :-1][pairs]).any():
        raise BenchmarkError("rankings: scores must fall from rank to rank")
