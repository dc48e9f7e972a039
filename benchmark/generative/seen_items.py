"""Rankings without the items that a user already has, as classical recommenders are often scored.

The beam ends as it does without this rule, so a ranking from which items are taken out is shorter.
"""

from __future__ import annotations

import numpy as np

from benchmark.types.data import Histories
from benchmark.types.rankings import Rankings


def without_seen(rankings: Rankings, histories: Histories) -> Rankings:
    """Return the rankings [n, k] without the items of the n histories; -1 with score -inf at the end of each row."""
    items, scores = rankings.items, rankings.scores
    width = 1 + max(int(items.max(initial=0)), int(np.max(histories.items, initial=0)))
    taken = histories.event_users.astype(np.int64) * width + np.asarray(histories.items, np.int64)
    ranked = np.arange(len(items), dtype=np.int64)[:, None] * width + items
    out = (items < 0) | np.isin(ranked, taken)
    order = np.argsort(out, axis=1, kind="stable")
    out = np.take_along_axis(out, order, axis=1)
    return Rankings(
        np.where(out, -1, np.take_along_axis(items, order, axis=1)).astype(np.int32),
        np.where(out, -np.inf, np.take_along_axis(scores, order, axis=1)).astype(np.float32),
    )
