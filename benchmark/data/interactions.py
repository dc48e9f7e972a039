"""User events in 16 bytes each: added in any order, written as sequences, oldest first, ties in the order they came.

Times are int64, which holds nanoseconds since 1970; fractions take 8 bytes more, from the first one that is not 0 on.

Of events with one user, item and time the first is kept (`drop_repeats`). A k-core keeps the events whose user and item
have at least k of them, repeated until nothing changes; before that only the earliest event of a user with an item is
kept.

Source of the k-core: the scripts of Amazon Reviews 2023 (Hou et al., 2024), which take repeated reviews out first.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmark.data.ties import same_time, with_twin
from benchmark.errors import DataError
from benchmark.types.arrays import Int64

CHUNK = 1 << 20  # events turned into Python objects at once


class Interactions:
    """Who took what when; users and items are numbered in the order of their first event."""

    def __init__(self) -> None:
        self._users: dict[str, int] = {}
        self._items: dict[str, int] = {}
        self._user = array("i")
        self._item = array("i")
        self._time = array("q")
        self._fraction: array[float] | None = None
        self._without_time = 0
        self._left_out: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._user)

    @property
    def timed(self) -> bool:
        """Whether the events have times. Raises DataError where only some have one: they cannot be sorted in."""
        if 0 < self._without_time < len(self):
            raise DataError(f"{self._without_time:,} of {len(self):,} events have no time: give one to all or to none")
        return not self._without_time

    @property
    def n_users(self) -> int:
        """Number of users with an event."""
        return len(np.unique(np.frombuffer(self._user, np.int32)))

    @property
    def items(self) -> dict[str, None]:
        """The items with an event, in the order of the first one."""
        names = list(self._items)
        taken = np.bincount(np.frombuffer(self._item, np.int32), minlength=len(names))
        return dict.fromkeys(names[row] for row in np.flatnonzero(taken))

    def add(self, user: str, item: str, time: int | None, fraction: float = 0.0) -> None:
        """Add one event; `time` in any unit that sorts, and what comes on top of it; None where no event has one."""
        self._without_time += time is None
        if fraction and self._fraction is None:
            self._fraction = array("d", bytes(8 * len(self)))
        if self._fraction is not None:
            self._fraction.append(fraction)
        self._user.append(self._users.setdefault(user, len(self._users)))
        self._item.append(self._items.setdefault(item, len(self._items)))
        self._time.append(time or 0)

    def keep_core(self, k: int) -> None:
        """Keep the k-core of the first events of each user with each item."""
        user, item = np.frombuffer(self._user, np.int32), np.frombuffer(self._item, np.int32)
        order = self._order()
        pairs = user[order].astype(np.int64) * len(self._items) + item[order]
        kept = np.sort(order[np.unique(pairs, return_index=True)[1]])
        self._left_out["repeated events of a user with an item; only the earliest counts"] = len(user) - len(kept)
        before = len(kept)
        while len(kept):
            enough = (np.bincount(user[kept])[user[kept]] >= k) & (np.bincount(item[kept])[item[kept]] >= k)
            if enough.all():
                break
            kept = kept[enough]
        self._left_out[f"events outside the {k}-core"] = before - len(kept)
        self._keep(kept)

    def _keep(self, rows: Int64) -> None:
        """Keep these rows of the events alone."""
        self._without_time = 0 if self.timed else len(rows)
        users, items = (
            array("i", np.frombuffer(column, np.int32)[rows].tobytes()) for column in (self._user, self._item)
        )
        times = array("q", np.frombuffer(self._time, np.int64)[rows].tobytes())
        if self._fraction is not None:
            self._fraction = array("d", np.frombuffer(self._fraction)[rows].tobytes())
        self._user, self._item, self._time = users, items, times

    def drop_repeats(self) -> None:
        """Leave out events that state the user, item and time of an earlier one: an export that was written twice."""
        if not self.timed or not len(self):
            return
        user, item = np.frombuffer(self._user, np.int32), np.frombuffer(self._item, np.int32)
        rows = np.stack([user.astype(np.int64), item.astype(np.int64), self._clock()])
        order = np.lexsort(rows)  # stable: the first of several equal ones comes first
        again = np.r_[False, (rows[:, order][:, 1:] == rows[:, order][:, :-1]).all(axis=0)]
        self._left_out["events state user, item and time of an earlier one; left out"] = int(again.sum())
        if again.any():
            self._keep(np.sort(order[~again]))

    def write(self, folder: Path) -> None:
        """Write sequences.txt and, of events with times, times.txt: user item item ... and user time time ..., by line.

        Raises DataError where only some events have a time.
        """
        timed = self.timed
        order = self._order()
        item, time = np.frombuffer(self._item, np.int32)[order], np.frombuffer(self._time, np.int64)[order]
        fraction = None if self._fraction is None else np.frombuffer(self._fraction)[order]
        names = list(self._items)

        def times(chunk: slice) -> list[str]:
            if fraction is None:
                return list(map(str, time[chunk].tolist()))
            return list(map(_decimal, time[chunk].tolist(), fraction[chunk].tolist()))

        self._write(folder / "sequences.txt", order, lambda chunk: [names[row] for row in item[chunk].tolist()])
        if timed:
            self._write(folder / "times.txt", order, times)

    def _write(self, path: Path, order: Int64, words: Callable[[slice], list[str]]) -> None:
        """Write one line per user with a word for each event; `words` gives those of a slice of the events."""
        user, users, last = np.frombuffer(self._user, np.int32)[order], list(self._users), -1
        with path.open("w", encoding="utf-8") as file:
            for start in range(0, len(order), CHUNK):
                chunk = slice(start, start + CHUNK)
                for who, word in zip(user[chunk].tolist(), words(chunk), strict=True):
                    if who != last:
                        file.write(users[who] if last < 0 else f"\n{users[who]}")
                        last = who
                    file.write(f" {word}")
            file.write("\n")

    def facts(self) -> dict[str, float]:
        """Return the shares of events, and of users' last two events, that share their time stamp; {} without times."""
        if not self.timed:
            return {}
        order = self._order()
        user, time = np.frombuffer(self._user, np.int32)[order], self._clock()[order]
        tied = same_time(user, time)
        last = np.r_[user[1:] != user[:-1], True]  # the last event of each user
        pairs = last[1:] & (user[1:] == user[:-1])  # the last two of users with two events and more
        return {
            "tied_events": round(float(with_twin(tied).mean()), 6),
            "tied_targets": round(float(tied[pairs].mean()) if pairs.any() else 0.0, 6),
        }

    def notes(self) -> list[str]:
        """Return what is worth knowing about the events, with counts."""
        user, item = np.frombuffer(self._user, np.int32), np.frombuffer(self._item, np.int32)
        by_user = np.argsort(user, kind="stable")
        time = self._clock()[by_user]
        earlier = time[1:] < time[:-1]
        unsorted = np.unique(user[by_user][1:][earlier & (np.diff(user[by_user]) == 0)])
        repeated = len(user) - len(np.unique(user.astype(np.int64) * len(self._items) + item))
        return [
            f"{count:,} {what}"
            for what, count in {
                **self._left_out,
                "users' events are not in time order in the raw file; sorted": len(unsorted),
                "events repeat an earlier item of the same user; kept": repeated,
            }.items()
            if count
        ]

    def _order(self) -> Int64:
        """Return the rows by user, then by time, then as they came."""
        return np.lexsort((self._clock(), np.frombuffer(self._user, np.int32)))

    def _clock(self) -> Int64:
        """Return one whole number per event that sorts, and is equal, as the times with their fractions are."""
        time = np.frombuffer(self._time, np.int64)
        if self._fraction is None:
            return time
        fraction = np.frombuffer(self._fraction)
        order = np.lexsort((fraction, time))
        later = (time[order][1:] != time[order][:-1]) | (fraction[order][1:] != fraction[order][:-1])
        clock = np.zeros(len(time), np.int64)
        clock[order[1:]] = np.cumsum(later)
        return clock


def _decimal(whole: int, fraction: float) -> str:
    """Return a time to nine digits behind the point; -0.75 is -1 and .25."""
    return f"{whole}.{int(fraction * 10**9):09d}" if whole >= 0 else f"{whole + fraction:.9f}"
