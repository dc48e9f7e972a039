"""Do items with like titles have like IDs? How often an item's nearest neighbours by title share its first codes.

    neighbour_hit@d              mean over items: share of its 10 nearest neighbours whose first d codes are its own
    neighbour_hit@d (chance)     share of all pairs of two items whose first d codes agree
    neighbour_lift@d             the first by the second; 1 is chance

Titles are vectors of TF-IDF weights of their words, near by the cosine: an embedding that needs no model, is the same
for all IDs, and can be computed by anyone from the stored items. Neighbours have a cosine above 0; of equally near ones
(to nine decimals) the earlier rows count. Items without a neighbour are left out; of large catalogues SAMPLE items are
looked at, evenly spaced, among the neighbours of all.

The idea is the embedding hit rate of FORGE (arXiv 2509.20904), a metric without training; TF-IDF of titles in the place
of a trained encoder is ours. It favours IDs that are made from text: a low value is no fault of IDs from behaviour.
Shapes: codes int32 [n_items, length], one title per item.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from benchmark.types.arrays import Int64

NEIGHBOURS = 10
SAMPLE = 2000  # items
DEPTHS = (1, 2)
CELLS = 20_000_000  # of the table of cosines that is made at once
DIGITS = 9


def nearest_by_title(titles: Sequence[str]) -> list[tuple[int, list[int]]]:
    """Return (row, rows of its neighbours, nearest first) of every sampled item that has any."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    try:
        vectors = TfidfVectorizer().fit_transform(titles)
    except ValueError:  # no title has a word
        return []
    rows, found = sampled(len(titles)), []
    step = max(1, CELLS // len(titles))
    for start in range(0, len(rows), step):
        some = rows[start : start + step]
        cosines = np.round((vectors[some] @ vectors.T).toarray(), DIGITS)
        cosines[np.arange(len(some)), some] = 0
        for row, near in zip(some.tolist(), cosines, strict=True):
            there = np.flatnonzero(near > 0)
            best = there[np.argsort(-near[there], kind="stable")[:NEIGHBOURS]]
            if len(best):
                found.append((row, best.tolist()))
    return found


def sampled(n_items: int) -> Int64:
    """Return the rows that are looked at: all, or SAMPLE of them, evenly spaced."""
    if n_items <= SAMPLE:
        return np.arange(n_items)
    return np.arange(SAMPLE) * n_items // SAMPLE


def neighbour_hits(
    codes: Sequence[tuple[int, ...]], neighbours: Sequence[tuple[int, Sequence[int]]]
) -> dict[str, float]:
    """Return the metrics of the first depths that at least one ID has; {} without neighbours."""
    metrics: dict[str, float] = {}
    longest = max(map(len, codes), default=0)
    for depth in DEPTHS[:longest] if neighbours else ():
        known: dict[tuple[int, ...], int] = {}
        group = np.array([known.setdefault(item[:depth], len(known)) for item in codes])
        shares = [np.mean(group[near] == group[row]) for row, near in neighbours]
        sizes, n = np.bincount(group), len(group)
        metrics[f"neighbour_hit@{depth}"] = hit = float(np.mean(shares))
        metrics[f"neighbour_hit@{depth} (chance)"] = chance = float((sizes * (sizes - 1)).sum() / (n * (n - 1)))
        if chance:
            metrics[f"neighbour_lift@{depth}"] = hit / chance
    return metrics
