"""The contract of rankings, checked on everything that a method returns."""

import numpy as np

from benchmark.contracts import Rankings
from benchmark.errors import BenchmarkError


def check_rankings(rankings: Rankings, n_queries: int, n_items: int, depth: int) -> None:
    """Raise BenchmarkError unless the rankings are whole: right shape, known items, no item twice, best first."""
    items, scores = rankings.items, rankings.scores
    if items.shape != scores.shape or len(items) != n_queries or items.shape[1] > depth:
        raise BenchmarkError(f"rankings: shape {items.shape} where ({n_queries}, at most {depth}) is due")
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
