"""Leaderboards: the headline metrics of each task, best row first; `benchmark report --format site` opens with them.

Significance, intervals and groups are those of any table: a star is given within one data set and protocol alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from benchmark.reports.tables.columns import columns
from benchmark.reports.tables.layout import Cell, FilledTable, Row
from benchmark.reports.tables.standard import BEFORE_COUNTER
from benchmark.reports.tables.table import Table
from benchmark.results.result_files import Result

GROUP = "leaderboard"


@dataclass(frozen=True)
class Leaderboard(Table):
    """A table whose rows stand in the order of its first column, controls among them; its title names the data set."""

    def fill(self, results: Iterable[Result]) -> list[FilledTable]:
        """Return one table per protocol, as any table does."""
        return [_ranked(filled) for filled in super().fill(results)]


def _ranked(filled: FilledTable) -> FilledTable:
    down = bool(filled.columns[0].higher_is_better)
    with_value = [row for row in filled.rows if _first(row).mean is not None]
    without = [row for row in filled.rows if _first(row).mean is None]
    ranked = sorted(with_value, key=lambda row: _first(row).mean or 0.0, reverse=down)
    title = f"{filled.table.title} on {filled.rows[0].results[0].dataset['title']}"
    return replace(filled, table=replace(filled.table, title=title), rows=(*ranked, *without))


def _first(row: Row) -> Cell:
    return row.cells[0]


ID_QUALITY = Leaderboard(
    "leaderboard-id-quality", "ID quality", "id-quality", columns("id-quality", "AMI", "unique"), (BEFORE_COUNTER,),
    group=GROUP,
)  # fmt: skip
RECOMMENDATION = Leaderboard(
    "leaderboard-recommendation", "Next-item recommendation", "recommendation",
    columns("recommendation", "R@10", "nDCG@10"), group=GROUP,
)  # fmt: skip
SEARCH = Leaderboard("leaderboard-search", "Search", "search", columns("search", "nDCG@10", "R@10"), group=GROUP)
