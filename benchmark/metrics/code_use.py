"""How evenly the codes are given out: over the items, and over what people take.

With n_c the weight of code c of position t, over all K_t codes of the codebook, unused ones too:

    gini@t              Gini coefficient of the n_c: 0 where all codes have the same weight, near 1 where few have all
    perplexity@t        exp of the entropy of n_c / sum n            (`id_quality` has the one of items)

The weight of a code is the number of its items; `(events)`: the number of training events of its items, that is how
often a generator learns to write the code. And for popular and rare items apart, how well IDs tell items apart:

    distinct (head)     distinct IDs / items, of the most popular items that together have half of the training events
    distinct (tail)     the same of all other items

Sources: the Gini coefficient of code use is FORGE's metric without training (arXiv 2509.20904), which it reports to
follow the quality of generative retrieval; head and tail are SIDInspector's popularity allocation (arXiv 2606.10375).
Shapes: codes int32 [n_items, length], -1 for padding.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from benchmark.types.arrays import Int64
    from benchmark.types.codes import Codes
    from benchmark.types.data import Histories


def code_use(codes: Codes, whole: Int64, histories: Histories | None) -> dict[str, float]:
    """Return the metrics; those of events, and head and tail, only where there are training events.

    `whole` [n_items] is the group of items with the same ID.
    """
    events = None if histories is None else np.bincount(histories.items, minlength=len(codes)).astype(np.float64)
    if events is not None and not events.any():
        events = None
    metrics: dict[str, float] = {}
    for position, (column, size) in enumerate(zip(codes.values.T, codes.sizes, strict=True), 1):
        there = column >= 0
        metrics[f"gini@{position}"] = gini(np.bincount(column[there], minlength=size))
        if events is not None:
            weights = np.bincount(column[there], events[there], minlength=size)
            metrics[f"gini@{position} (events)"] = gini(weights)
            metrics[f"perplexity@{position} (events)"] = perplexity(weights)
    if events is not None:
        popular = head(events)
        for name, rows in (("head", popular), ("tail", ~popular)):
            if rows.any():
                metrics[f"distinct ({name})"] = len(np.unique(whole[rows])) / int(rows.sum())
    return metrics


def gini(weights: NDArray[np.number]) -> float:
    """Return the Gini coefficient of weights [n] that are not negative; 0 where all are 0.

    Half of the mean difference between two weights, drawn with replacement, divided by their mean.
    """
    rising = np.sort(np.asarray(weights, np.float64))
    total, n = rising.sum(), len(rising)
    if not total:
        return 0.0
    return float(((2 * np.arange(1, n + 1) - n - 1) * rising).sum() / (n * total))


def head(events: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which items belong to the head: the fewest that together have half of the events [n_items].

    Of items with equally many events the earlier rows come first.
    """
    order = np.argsort(-events, kind="stable")
    enough = int(np.searchsorted(np.cumsum(events[order]), events.sum() / 2)) + 1
    found = np.zeros(len(events), np.bool_)
    found[order[:enough]] = True
    return found


def perplexity(weights: NDArray[np.number]) -> float:
    """Return exp of the entropy (natural logarithm) of a histogram; 0 for an empty one."""
    if not weights.sum():
        return 0.0
    share = weights[weights > 0] / weights.sum()
    return float(np.exp(-(share * np.log(share)).sum()))
