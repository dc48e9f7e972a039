"""Ties: events of one user at the same time stamp, whose order in a file is an accident.

In the 5-core files of Amazon many neighbouring events share a day and stand in the order of their item ids there, so
that a method can gain from the order of ids alone. Two readings stand side by side:

    file       the order of the file: what published numbers are measured on
    shuffled   the events of each tie in a random order, the same for every method: what a method really knows

Where there are no time stamps ties are unknown. What can still be told is the direction: how often the later of two
neighbouring events has the greater item id: about half of the time, where ids say nothing of time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmark.errors import UsageError
from benchmark.types.arrays import Int32, Int64
from benchmark.types.data import Histories
from benchmark.types.ties import places_of_ids

FILE, SHUFFLED = "file", "shuffled"


def parse_ties(text: str) -> str:
    """Return an order of ties as results name it: 'shuffled:0' is 'shuffled'. Raises UsageError."""
    kind, colon, seed = text.strip().partition(":")
    if kind == FILE and not colon:
        return FILE
    if kind == SHUFFLED and (not colon or (seed.isascii() and seed.isdigit() and len(seed) < 10)):
        return f"{SHUFFLED}:{int(seed)}" if int(seed or 0) else SHUFFLED
    raise UsageError(f"--ties: '{text[:60]}' is none of file, shuffled and shuffled:SEED (a whole number)")


def shuffled(histories: Histories, times: NDArray[Any], seed: int) -> Histories:
    """Return the histories with the items of each tie in random order; `times` [n_interactions]."""
    tie = np.cumsum(np.r_[False, ~same_time(histories.event_users, times)]) if len(times) else np.zeros(0, np.int64)
    order = np.lexsort((np.random.default_rng(seed).random(len(times)), tie))
    return Histories(histories.users, histories.offsets, np.asarray(histories.items)[order])


def same_time(user: NDArray[Any], times: NDArray[Any]) -> NDArray[np.bool_]:
    """Return for each event but the first whether it is tied with the one before it [n_interactions - 1].

    `user` and `times` [n_interactions] are those of the events, by user and in time order.
    """
    tied: NDArray[np.bool_] = (user[1:] == user[:-1]) & (times[1:] == times[:-1])
    return tied


def with_twin(tied: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which events are tied with a neighbour [n_interactions], from what `same_time` returns."""
    found: NDArray[np.bool_] = np.r_[False, tied] | np.r_[tied, False]
    return found


def tie_facts(histories: Histories, times: NDArray[Any] | None, ids: Sequence[str]) -> dict[str, float]:
    """Return shares in [0, 1]: tied events and targets where there are times, and the direction of neighbours.

    A target is a user's last event, its neighbour the one before it; equal items have no direction. Shares over
    nothing are left out.
    """
    place = places_of_ids(ids)[histories.items]
    user = histories.event_users
    neighbours = user[1:] == user[:-1]
    target = neighbours & np.r_[user[1:] != user[:-1], True][1:] if len(user) > 1 else neighbours
    greater, differ = place[1:] > place[:-1], place[1:] != place[:-1]
    shares: dict[str, NDArray[np.bool_]] = {}
    if times is not None:
        tied = same_time(user, times)
        shares |= {
            "tied events": with_twin(tied)[: len(user)],
            "tied targets": tied[target],
            "tied neighbours whose later item id is greater": greater[tied & differ],
            "other neighbours whose later item id is greater": greater[neighbours & ~tied & differ],
        }
    shares |= {
        "neighbours whose later item id is greater": greater[neighbours & differ],
        "targets whose item id is greater": greater[target & differ],
    }
    return {name: round(float(values.mean()), 6) for name, values in shares.items() if len(values)}


def count_greater_ids(inputs: Histories, targets: Int32, ids: Sequence[str]) -> dict[str, int]:
    """Count the targets [n_users] whose id is greater than that of the last item before them, and those compared."""
    places, lengths = places_of_ids(ids), inputs.lengths
    rows = np.flatnonzero(lengths > 0)
    last: Int64 = places[np.asarray(inputs.items)[inputs.offsets[1:][rows] - 1]]
    target = places[targets[rows]]
    return {"targets_compared": int((target != last).sum()), "targets_with_greater_id": int((target > last).sum())}


def tied_targets(histories: Histories, times: NDArray[Any], positions: Int64) -> int:
    """Count the targets at these positions of `histories.items` that share their time stamp with a neighbour.

    Which of the tied events is the target is then an accident: by leave-one-out the last one, after a cut the first.
    """
    return int(with_twin(same_time(histories.event_users, times))[positions].sum())
