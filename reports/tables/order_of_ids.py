"""Recommendation by the order of item ids: is the id of the next item greater than that of the item before it?

Without time stamps nobody can tell which events are tied. Their direction can still be told, and what a method finds in
each: where ids say nothing of the order of events, both groups have about as many users.
"""

from __future__ import annotations

from typing import ClassVar

from benchmark.reports.tables.bands import MEASURE, Banded
from benchmark.results.result_files import Result
from benchmark.types.ties import places_of_ids
from benchmark.types.trec import read_qrels


class ByOrder(Banded):
    """Columns are the users whose next item has the smaller and the greater id."""

    names: ClassVar[tuple[str, ...]] = ("smaller id", "greater id", "the same item")

    def groups_of_users(self, result: Result) -> dict[str, int] | None:
        """Return user -> 1 where the next item's id is greater than the last one's, 0 where smaller, 2 where equal."""
        inputs, judgments = result.inputs_file, result.folder / "qrels.recommendation.txt"
        if result.withheld_file is not None or not inputs.is_file() or not judgments.is_file():
            return None
        targets = {user: item for user, item, _ in read_qrels(judgments)}
        with inputs.open(encoding="utf-8") as file:
            last = dict(pair for line in file if len(pair := line.split()) == 2)
        ids = sorted({*targets.values(), *last.values()})
        place = dict(zip(ids, places_of_ids(ids).tolist(), strict=True))
        return {
            user: 2 if item == last[user] else int(place[item] > place[last[user]])
            for user, item in targets.items() if user in last
        }  # fmt: skip


BY_ORDER = ByOrder(
    "recommendation-by-order", "Next-item recommendation by the order of item ids", "recommendation", (),
    (
        f"{MEASURE} of the users (n) whose next item has a smaller or a greater item id than the item before it; "
        "where ids say nothing of the order of events, both groups have about as many users. The groups differ in more "
        "than the order: with ties in the order of ids, the tied next items all fall into one of them, and they may be "
        "easier or harder to predict.",
    ),
    group="details",
)  # fmt: skip
