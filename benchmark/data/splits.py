"""Splits of user histories. Leave-one-out: the last item is the test target, the one before it the validation target.

With a user's items numbered 1..n: train on 1..n-2, validate [1..n-2] -> n-1, test [1..n-1] -> n. Two events give a
test target and no validation target, one event is training only. All arrays have one row per user of the input.
Another split is by time (`benchmark.data.time_split`).

Training pairs (history -> next item) come in two kinds: LMIndexer's pre-sampled ones (5 per user, targets among the
last three training items, history starts at one of the first three) and all prefixes (the sequential baselines').
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from benchmark.types.arrays import Int32, Int64, read_only
from benchmark.types.data import Histories


@dataclass(frozen=True)
class Split:
    """A split; -1 in `validation` and `test_targets` means that the user has no such target."""

    train: Histories
    validation: Int32  # [n_users]
    test_inputs: Histories
    test_targets: Int32  # [n_users]
    skipped: dict[str, int]  # users that are not evaluated, by reason

    def __post_init__(self) -> None:
        read_only(self, arrays=("validation", "test_targets"))


class Pairs(NamedTuple):
    """Training pairs as index arrays: pair j is items[start[j]:end[j]] -> target[j] of user[j]."""

    user: Int32  # [n_pairs] row of the histories
    start: Int64  # [n_pairs] position in Histories.items
    end: Int64  # [n_pairs] one past the history, which is the target's position
    target: Int32  # [n_pairs] item index


def leave_one_out(histories: Histories) -> Split:
    """Split every user's history into training items, validation target and test target."""
    lengths = histories.lengths
    tested, validated = lengths >= 2, lengths >= 3
    last = histories.offsets[1:] - 1
    return Split(
        train=shortened(histories, tested.astype(np.int64) + validated),
        validation=targets_at(histories, last - 1, validated),
        test_inputs=shortened(histories, np.minimum(lengths, 1)),
        test_targets=targets_at(histories, last, tested),
        skipped={
            "no test target (fewer than 2 events)": int((~tested).sum()),
            "no validation target (fewer than 3 events)": int((~validated).sum()),
        },
    )


def targets_at(histories: Histories, positions: Int64, have: np.ndarray) -> Int32:
    """Return the item at position positions[u] of `histories.items` for the users that have one [n_users], else -1."""
    targets = np.full(len(histories), -1, np.int32)
    targets[have] = histories.items[positions[have]]
    return targets


def shortened(histories: Histories, cut: Int64) -> Histories:
    """Return the histories without the last cut[u] items of user u."""
    lengths = histories.lengths - cut
    offsets = np.r_[0, np.cumsum(lengths)].astype(np.int64)
    keep = np.arange(offsets[-1]) + np.repeat(histories.offsets[:-1] - offsets[:-1], lengths)
    return Histories(histories.users, offsets, np.asarray(histories.items)[keep])


def sampled_pairs(train: Histories, seed: int, *, per_user: int = 5) -> Pairs:
    """Return LMIndexer's pre-sampled pairs from the training part: `per_user` draws for each user.

    With m training items, numbered from 1, one draw takes the target t uniformly from max(3, m - 2) .. m and the
    start of the history uniformly from 1 .. min(4, t - 1) - 1; the history ends at t - 1. Equal draws are kept. A
    user with two training items (none in 5-core data) has the only pair [1] -> 2; one with fewer has none.
    """
    lengths = train.lengths
    users = np.repeat(np.flatnonzero(lengths >= 2), per_user)
    m = lengths[users]
    random = np.random.default_rng(seed)
    first = np.minimum(np.maximum(3, m - 2), m)
    target = first + (random.random(len(users)) * (m - first + 1)).astype(np.int64)
    starts = np.maximum(np.minimum(4, target - 1) - 1, 1)
    start = (random.random(len(users)) * starts).astype(np.int64)  # numbered from 0
    return _pairs(train, users, start, target - 1)


def all_prefixes(train: Histories) -> Pairs:
    """Return one pair per training item but each user's first: all items before it -> that item."""
    counts = np.maximum(train.lengths - 1, 0)
    users = np.repeat(np.arange(len(train)), counts)
    before = np.arange(len(users)) - np.repeat(np.cumsum(counts) - counts, counts) + 1
    return _pairs(train, users, np.zeros(len(users), np.int64), before)


def _pairs(train: Histories, users: Int64, start: Int64, end: Int64) -> Pairs:
    """Turn positions inside each user's history, numbered from 0, into positions of `train.items`."""
    base = train.offsets[users]
    return Pairs(users.astype(np.int32), base + start, base + end, np.asarray(train.items)[base + end].astype(np.int32))
