"""The best items of the whole catalogue for every user, and what becomes of the items that a user already has.

    keep      they may be recommended again
    exclude   they are left out
    zero      their score becomes 0, whatever that means for the model (S3-Rec's evaluation, Zhou et al., CIKM 2020)

Users are scored chunk by chunk, so that scores [n_users, n_items] never exist as a whole; everything happens on the
device that the scores are on. Ties are broken by item id, descending as strings, as trec_eval does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

import numpy as np

from benchmark.types.arrays import Float32, Int32, Int64
from benchmark.types.data import Histories
from benchmark.types.rankings import Rankings

if TYPE_CHECKING:
    from torch import Tensor

HistoryRule = Literal["keep", "exclude", "zero"]
CELLS = 2**23  # scores held at once: 32 MB in float32


def events(histories: Histories) -> tuple[Int64, Int64]:
    """Return the history row and the item of every event, both [n_events]."""
    return histories.event_users, np.asarray(histories.items, np.int64)


def rank_all(
    score: Callable[[Int64], Tensor], histories: Histories, ranks: Int64, k: int, rule: HistoryRule
) -> Rankings:
    """Return the k best items of every history, best first; -1 where `exclude` leaves fewer.

    `score(rows)` returns float [len(rows), n_items] for some rows of the histories and may be changed in place. Rows
    come sorted by length, so that padding them costs little. `ranks` are those of `id_ranks`.
    """
    import torch

    width = min(k, len(ranks))
    items: Int32 = np.full((len(histories), width), -1, np.int32)
    scores: Float32 = np.zeros((len(histories), width), np.float32)
    order = np.argsort(histories.lengths, kind="stable")
    size = max(1, CELLS // len(ranks))
    for start in range(0, len(order), size):
        rows = order[start : start + size]
        values = score(rows).float()
        if rule != "keep":
            user, item = (torch.from_numpy(part).to(values.device) for part in events(histories.select(rows)))
            values[user, item] = -torch.inf if rule == "exclude" else 0.0
        best, columns = top_k(values, torch.from_numpy(ranks).to(values.device), width)
        left_out = best == -torch.inf
        items[rows] = columns.masked_fill(left_out, -1).cpu().numpy()
        scores[rows] = best.masked_fill(left_out, 0.0).cpu().numpy()
    return Rankings(items, scores)


def top_k(scores: Tensor, ranks: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Return the k largest scores per row and their columns, both [n, k]; of equal scores the smaller rank comes first.

    `scores` float [n, m], `ranks` int64 [m] a permutation of 0 .. m - 1, k at most m.
    """
    values, columns = scores.topk(min(k + 1, scores.shape[1]), dim=1)
    straddling = (values[:, k - 1] == values[:, -1]).nonzero()[:, 0] if values.shape[1] > k else columns[:0, 0]
    values, columns = values[:, :k], columns[:, :k]
    by_rank = ranks[columns].argsort(dim=1)
    values, order = values.gather(1, by_rank).sort(dim=1, descending=True, stable=True)
    columns = columns.gather(1, by_rank).gather(1, order)
    if len(straddling):  # rows where an equal score may have been left out: these alone are sorted whole
        by_rank = ranks.argsort()
        ordered, order = scores[straddling][:, by_rank].sort(dim=1, descending=True, stable=True)
        values[straddling], columns[straddling] = ordered[:, :k], by_rank[order[:, :k]]
    return values, columns
