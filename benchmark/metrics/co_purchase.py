"""Do items that people take one after the other share their first codes? Prefixes against the training histories.

Over the pairs (i, j) of neighbouring, different items in the training histories (what leave-one-out holds back is left
out), with p(i) the share of item i among both ends of all pairs:

    co_purchase@d            share of the pairs whose first d codes agree
    co_purchase@d (chance)   the same for two different items drawn with the frequencies p:
                             (sum_g p(g)^2 - sum_i p(i)^2) / (1 - sum_i p(i)^2),  g: groups of items with one prefix
    co_purchase_lift@d       the first divided by the second: 1 is chance

The share is SIDInspector's edge agreement (Ding et al., CIKM 2026: the co-occurrence edges inside a prefix), with pairs
counted as often as they occur. It has no reference of its own, and few large groups raise it for nothing; the chance
level is that of Newman's modularity (PNAS 2006: the share of edges that degrees alone put inside groups), here without
the pairs of an item with itself. The lift rises with finer codes: compare it between IDs of one shape, and with the
category row.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from benchmark.types.arrays import Int64
    from benchmark.types.data import Histories


def co_purchase(prefixes: Sequence[Int64], histories: Histories) -> dict[str, float]:
    """Return the metrics for each depth from the group of every item's first d codes [n_items], d = 1 .. length.

    A lift is absent where chance is 0: no two different items of the pairs share so long a prefix.
    """
    left, right = neighbours(histories)
    metrics = {"co_purchase_pairs": float(len(left))}
    if not len(left):
        return metrics
    counts = np.bincount(np.r_[left, right], minlength=len(prefixes[0])).astype(np.int64)
    same_item = int((counts**2).sum())
    different = int(counts.sum()) ** 2 - same_item
    for depth, group in enumerate(prefixes, 1):
        inside = np.zeros(int(group.max()) + 1, np.int64)
        np.add.at(inside, group, counts)
        chance = (int((inside**2).sum()) - same_item) / different
        share = float((group[left] == group[right]).mean())
        metrics[f"co_purchase@{depth}"] = share
        metrics[f"co_purchase@{depth} (chance)"] = chance
        if chance > 0:
            metrics[f"co_purchase_lift@{depth}"] = share / chance
    return metrics


def neighbours(histories: Histories) -> tuple[Int64, Int64]:
    """Return the items before and after each step of the histories where the two differ [n_pairs]."""
    items = np.asarray(histories.items, np.int64)
    inside = np.ones(max(len(items) - 1, 0), bool)
    ends = histories.offsets[1:-1] - 1  # the step from a user's last item to the next user's first is none
    inside[ends[(ends >= 0) & (ends < len(inside))]] = False
    left, right = items[:-1][inside], items[1:][inside]
    return left[left != right], right[left != right]
