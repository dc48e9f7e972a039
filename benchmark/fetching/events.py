"""User events from raw files to sequences.txt: a stable sort by time, so that ties keep the order of the file."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path


@dataclass
class Events:
    """Who took what when; users in the order of their first event."""

    of_user: dict[str, list[tuple[int, str]]] = field(default_factory=dict)  # user -> (time, item) as they came
    items: dict[str, None] = field(default_factory=dict)  # a set that keeps the order

    def add(self, user: str, item: str, time: int) -> None:
        """Add one event; `time` in any unit that sorts."""
        self.of_user.setdefault(user, []).append((time, item))
        self.items[item] = None

    def write(self, path: Path) -> None:
        """Write one line per user, oldest item first."""
        with path.open("w", encoding="utf-8") as file:
            for user, events in self.of_user.items():
                file.write(" ".join([user, *(item for _, item in sorted(events, key=_time))]) + "\n")

    def facts(self) -> dict[str, float]:
        """Return what the sequences no longer tell.

        tied_events: share of events with the time stamp of another event of the same user.
        tied_targets: share of users (of two events and more) whose last two events are tied, so that the order of
        the file decides which of the two is the test target.
        """
        events = tied = users = targets = 0
        for own in self.of_user.values():
            counts = Counter(time for time, _ in own)
            events += len(own)
            tied += sum(count for count in counts.values() if count > 1)
            users += len(own) > 1
            targets += len(own) > 1 and counts[max(counts)] > 1
        return {
            "tied_events": round(tied / max(events, 1), 6),
            "tied_targets": round(targets / max(users, 1), 6),
        }

    def notes(self) -> list[str]:
        """Return what is worth knowing about the raw events, with counts."""
        unsorted = sum(any(a > b for (a, _), (b, _) in pairwise(own)) for own in self.of_user.values())
        repeated = sum(len(own) - len({item for _, item in own}) for own in self.of_user.values())
        return [
            f"{count:,} {what}"
            for count, what in (
                (unsorted, "users' events are not in time order in the raw file; sorted"),
                (repeated, "events repeat an earlier item of the same user; kept"),
            )
            if count
        ]


def _time(event: tuple[int, str]) -> int:
    return event[0]
