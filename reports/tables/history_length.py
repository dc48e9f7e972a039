"""Recommendation by the length of the users' training histories: short, medium and long.

What a recommender knows of a user is the history. Users with equally many events are in one group, and each group ends
at the length that comes nearest to a third of the users, and to two thirds.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from benchmark.reports.tables.bands import MEASURE, Banded
from benchmark.results.result_files import Result
from benchmark.types.trec import read_qrels


class ByHistory(Banded):
    """Columns are thirds of the users, by the number of events in their training histories."""

    names: ClassVar[tuple[str, ...]] = ("short", "medium", "long")
    measures: ClassVar[tuple[str, ...]] = (MEASURE, "nDCG@10")

    def groups_of_users(self, result: Result) -> dict[str, int] | None:
        """Return user -> third by the length of the training history."""
        events = _events(result)
        if not events:
            return None
        lengths, users = np.unique(list(events.values()), return_counts=True)
        up_to = np.cumsum(users)
        short, medium = (lengths[np.abs(up_to - len(events) * part / 3).argmin()] for part in (1, 2))
        return {user: int(length > short) + int(length > medium) for user, length in events.items()}

    def names_of_groups(self, result: Result) -> tuple[str, ...]:
        """Return 'short, 3 to 4 events', ..."""
        events, groups = _events(result), self.groups_of_users(result) or {}
        names = []
        for group, name in enumerate(self.names):
            lengths = [events[user] for user, of in groups.items() if of == group]
            low, high = min(lengths, default=0), max(lengths, default=0)
            span = f"{low}" if low == high else f"{low} to {high}"
            names.append(f"{name}: {span} event{'s' if high != 1 else ''}")
        return tuple(names)


def _events(result: Result) -> dict[str, int]:
    """Return user -> events of the training history, of every user with a next item; {} where a file is not there."""
    histories, judgments = result.histories_file, result.folder / "qrels.recommendation.txt"
    if not histories.is_file() or not judgments.is_file():
        return {}
    with histories.open(encoding="utf-8") as file:
        lengths = {user: len(items) for line in file for user, *items in [line.split()]}
    return {user: lengths.get(user, 0) for user, _, _ in read_qrels(judgments)}


BY_HISTORY = ByHistory(
    "recommendation-by-history", "Next-item recommendation by length of the training history", "recommendation", (),
    (
        f"{MEASURE} and nDCG@10 of the users (n) whose training histories have so many events: about a third of the "
        "users each; users with equally many events are in one group.",
    ),
    group="details",
)  # fmt: skip
