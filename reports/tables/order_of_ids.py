"""Recommendation by the order of item ids: is the id of the next item greater than that of the item before it?

Without time stamps nobody can tell which events are tied. Their direction can still be told, and what a method finds in
each: where ids say nothing of the order of events, both groups have about as many users.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from benchmark.reports.tables.bands import MEASURE, Banded
from benchmark.reports.tables.columns import column
from benchmark.reports.tables.layout import Cell, Column
from benchmark.results.result_files import Result
from benchmark.types.ties import places_of_ids
from benchmark.types.trec import read_qrels


class ByOrder(Banded):
    """Columns are the users whose next item has the greater id, the others, and both with the same weight."""

    names: ClassVar[tuple[str, ...]] = ("smaller id", "greater id", "the same item")

    def groups_of_users(self, result: Result) -> dict[str, int] | None:
        """Return user -> 1 where the next item's id is greater than the last one's, 0 where smaller, 2 where equal."""
        inputs, judgments = result.inputs_file, result.folder / "qrels.recommendation.txt"
        if not inputs.is_file() or not judgments.is_file():
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

    def more(self, cells: Mapping[int, Cell]) -> list[tuple[Column, Cell]]:
        """Return the mean of both groups; its limits are the means of theirs, which is wider than need be."""
        title = column(self.task, MEASURE, key=f"{MEASURE}.balanced", header="balanced", source="bands")
        smaller, greater = (cells.get(group, Cell()) for group in (0, 1))
        if smaller.mean is None or greater.mean is None:
            return [(title, Cell())]
        low, high = ((getattr(smaller, end) + getattr(greater, end)) / 2 for end in ("low", "high"))
        mean = (smaller.mean + greater.mean) / 2
        return [(title, replace(smaller, mean=mean, half_width=None, low=low, high=high, interval="", bold=False))]


BY_ORDER = ByOrder(
    "recommendation-by-order", "Next-item recommendation by the order of item ids", "recommendation", (),
    (
        f"{MEASURE} of the users (n) whose next item has a smaller or a greater item id than the item before it; "
        "where ids say nothing of the order of events, both groups have about as many users. balanced: the mean of "
        "both, with the mean of their limits: what a method would reach if half of the next items had the greater id, "
        "all else being equal. The groups may differ in more than the order.",
    ),
    group="details",
)  # fmt: skip
