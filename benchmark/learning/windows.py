"""Training windows of user histories, and padded batches of them.

A window is a stretch of one history: its items in time order are inputs and targets at once. Batches are int64
[n, l], padded on the right with the number n_items, which is no item; what stands to the right of an item can never
be seen by a causal model, so that it needs no mask. Positions that count from the end, as with padding on the left,
are a matter of the position table alone (`networks.positions`).
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from benchmark.types.arrays import Int64
from benchmark.types.data import Histories

SHORTEST = 8  # items: histories up to this length share one batch, then up to twice of it, and so on


class Windows(NamedTuple):
    """Window j is items[start[j]:end[j]] of the histories, a part of user[j]'s."""

    user: Int64  # [n] row of the histories
    start: Int64  # [n]
    end: Int64  # [n]


def training_windows(histories: Histories, width: int, overlap: int, events: Literal["all", "recent"]) -> Windows:
    """Return the windows of at most `width` items that a model learns from, those with a single item left out.

    `recent`: one per user, its last items. `all`: the history is cut from its end into windows that share `overlap`
    items: with an overlap of 1, where each item is the target of the one before it, every item but a user's first is
    a target exactly once.
    """
    lengths, stride = histories.lengths, width - overlap
    counts = np.ones(len(histories), np.int64)
    if events == "all":
        counts = np.maximum(1, -(-(lengths - overlap) // stride))
    user = np.repeat(np.arange(len(histories)), counts)
    nth = np.arange(len(user)) - np.repeat(np.cumsum(counts) - counts, counts)  # 0 is a user's last window
    end = histories.offsets[1:][user] - nth * stride
    start = np.maximum(histories.offsets[:-1][user], end - width)
    kept = end - start >= 2
    return Windows(user[kept], start[kept], end[kept])


def prefixes(windows: Windows) -> Windows:
    """Return every prefix, of two items at least, of every window."""
    counts = windows.end - windows.start - 1
    nth = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    start = np.repeat(windows.start, counts)
    return Windows(np.repeat(windows.user, counts), start, start + 2 + nth)


def recent_windows(histories: Histories, width: int) -> Windows:
    """Return the last `width` items of every history; empty where the history is."""
    end = histories.offsets[1:]
    return Windows(np.arange(len(histories)), np.maximum(histories.offsets[:-1], end - width), end)


def padded(histories: Histories, windows: Windows, padding: int) -> Int64:
    """Return the windows' items [n, longest], in time order, padded on the right."""
    lengths = windows.end - windows.start
    batch = np.full((len(lengths), int(lengths.max(initial=0))), padding, np.int64)
    inside = np.arange(batch.shape[1]) < lengths[:, None]
    positions = (windows.start[:, None] + np.arange(batch.shape[1]))[inside]
    batch[inside] = histories.items[positions]
    return batch


def by_length(windows: Windows) -> list[Windows]:
    """Cut a batch into batches of windows of like length, less than half of each padding behind the first."""
    lengths = windows.end - windows.start
    group = np.ceil(np.log2(np.maximum(lengths, SHORTEST) / SHORTEST)).astype(np.int64)
    return [Windows(*(part[group == g] for part in windows)) for g in np.unique(group)]
