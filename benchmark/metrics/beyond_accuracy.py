"""Beyond accuracy: what the first k items of all rankings show, and how alike the items of one ranking are.

With n_i the training events of item i, N their sum, and n items in the catalogue:

    coverage@k      share of the catalogue that at least one user is shown                       one number per run
    item_gini@k     Gini coefficient of how often each item of the catalogue is shown            one number per run
    novelty@k       mean of -log2 p_i with p_i = max(n_i, 1) / N: bits of self-information       per user
    popularity@k    mean percentile of popularity: the share of the catalogue with fewer training events than i, and
                    half of the share with as many; 0.5 for items drawn at random                per user
    diversity@k     1 - mean similarity of the pairs of shown items                              per user

Two items are as similar as the share of their category paths that they have in common, from the general end:
common levels / levels of the longer path. Pairs with an item that has no path are left out. An item without training
events counts as taken once in `novelty`, whose definition has no value for it.

Sources: coverage, Ge, Delgado-Battenfeld and Jannach, RecSys 2010 (catalogue coverage); Gini, Fleder and Hosanagar,
Management Science 2009, over all items of the catalogue, as RecBole has it; novelty, Zhou et al., PNAS 2010, with the
share of events (Vargas and Castells, RecSys 2011) for the share of users; diversity, Ziegler et al., WWW 2005, with
the similarity of taxonomy paths in place of an item's other features. The percentile puts the average recommendation
popularity of Abdollahpouri et al., FLAIRS 2019, on a scale that data sets share.
Shapes: shown int64 [n_users, k], -1 where a ranking is shorter; events int64 [n_items]; one path per item.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from benchmark.metrics.code_use import gini

if TYPE_CHECKING:
    from benchmark.types.arrays import Int64

K = 10  # items that a user is shown
OF_RUN = (f"coverage@{K}", f"item_gini@{K}")
OF_USER = (f"novelty@{K}", f"popularity@{K}", f"diversity@{K}")
CHUNK = 4096  # users at once

Float64 = NDArray[np.float64]


def of_run(shown: Int64, n_items: int) -> dict[str, float]:
    """Return the numbers of a run as a whole."""
    times = np.bincount(shown[shown >= 0], minlength=n_items)
    return dict(zip(OF_RUN, (float((times > 0).mean()), gini(times)), strict=True))


def of_users(shown: Int64, events: Int64, paths: Sequence[tuple[str, ...]]) -> dict[str, Float64]:
    """Return the numbers of each user [n_users], nan where a user is shown nothing that has one.

    Without training events there is neither novelty nor popularity, without category paths no diversity.
    """
    found: dict[str, Float64] = {}
    novelty, popularity, diversity = OF_USER
    if events.any():
        found[novelty] = _means(-np.log2(np.maximum(events, 1) / events.sum()), shown)
        found[popularity] = _means(percentiles(events), shown)
    if any(paths):
        nodes = _nodes(paths)
        parts = [_diversity(nodes[shown[start : start + CHUNK]]) for start in range(0, len(shown), CHUNK)]
        found[diversity] = np.concatenate([np.empty(0), *parts])
    return found


def percentiles(events: Int64) -> Float64:
    """Return the share of items with fewer events, and half of those with as many [n_items]."""
    _, group, sizes = np.unique(events, return_inverse=True, return_counts=True)
    middle = np.cumsum(sizes) - sizes / 2
    return np.asarray(middle[group] / len(events))


def _means(values: Float64, shown: Int64) -> Float64:
    """Return the mean over each user's items of values [n_items]."""
    there = shown >= 0
    return _ratio(np.where(there, values[shown], 0.0).sum(axis=1), there.sum(axis=1))


def _nodes(paths: Sequence[tuple[str, ...]]) -> Int64:
    """Return the number of the path's first levels at each depth, -1 beyond its end; one more row of -1 for no item.

    Two paths have the same number at a depth where all levels down to it are the same.
    """
    known: dict[tuple[str, ...], int] = {}
    nodes = np.full((len(paths) + 1, max(map(len, paths))), -1, np.int64)
    for row, path in enumerate(paths):
        nodes[row, : len(path)] = [known.setdefault(path[: depth + 1], len(known)) for depth in range(len(path))]
    return nodes


def _diversity(nodes: Int64) -> Float64:
    """Return 1 - the mean similarity of the pairs of each user's items, from their nodes [n_users, k, depth]."""
    left, right = np.triu_indices(nodes.shape[1], 1)
    levels = (nodes >= 0).sum(axis=2)
    longer, shorter = np.maximum(levels[:, left], levels[:, right]), np.minimum(levels[:, left], levels[:, right])
    common = ((nodes[:, left] == nodes[:, right]) & (nodes[:, left] >= 0)).sum(axis=2)
    similarity = common / np.maximum(longer, 1)
    return 1 - _ratio(np.where(shorter > 0, similarity, 0.0).sum(axis=1), (shorter > 0).sum(axis=1))


def _ratio(sums: Float64, counts: Int64) -> Float64:
    return np.asarray(np.divide(sums, counts, out=np.full(len(sums), np.nan), where=counts > 0))
