"""New items: how well does each method rank items that it has not learned from, and the others beside them?

The split cold-start withholds a share of the items from all learning; they get IDs afterwards, and all items are
ranked. Users are grouped by their next item, queries by their relevant items.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import ClassVar

import numpy as np

from benchmark.errors import DataError
from benchmark.reports.tables.bands import MEASURE, Banded
from benchmark.reports.tables.captions import remarks_of_runs
from benchmark.reports.tables.cells import interval_notes, limits_cell
from benchmark.reports.tables.columns import column
from benchmark.reports.tables.layout import Cell, FilledTable, Row
from benchmark.reports.tables.scores import limits
from benchmark.reports.tables.table import Table
from benchmark.results.result_files import Result
from benchmark.types.trec import read_qrels, read_run

KINDS = ("known", "withheld")


@dataclass(frozen=True)
class UsersByNovelty(Banded):
    """Recommendation: columns are users whose next item is known, and users whose next item was withheld."""

    names: ClassVar[tuple[str, ...]] = KINDS

    def groups_of_users(self, result: Result) -> dict[str, int] | None:
        """Return user -> 1 where the next item was withheld, else 0."""
        found = _judged_by_kind(result, self.task)
        return found and {user: kind for kind in (0, 1) for user in found[kind]}


@dataclass(frozen=True)
class ItemsByNovelty(Table):
    """Search: columns are the relevant items that are known, and those that were withheld, over all queries with some.

    A query may have relevant items of both kinds, so that the values follow from its ranking, not from its score.
    """

    def fill(self, results: Iterable[Result]) -> list[FilledTable]:
        """Return one table per protocol, none where the files that tell the kinds are not there."""
        whole = Table(self.name, self.title, self.task, (column(self.task, MEASURE),))
        return [made for filled in whole.fill(results) if (made := self._by_kind(filled)) is not None]

    def _by_kind(self, filled: FilledTable) -> FilledTable | None:
        judged = next((f for row in filled.rows if (f := _judged_by_kind(row.results[0], self.task))), None)
        if judged is None:
            return None
        shown = [kind for kind in (0, 1) if judged[kind]]
        columns = tuple(
            column(self.task, MEASURE, key=f"{MEASURE}.{KINDS[kind]}", source="bands",
                   header=f"{KINDS[kind]} (n = {len(judged[kind]):,})")
            for kind in shown
        )  # fmt: skip
        rows = tuple(replace(row, cells=tuple(self._cell(row, judged[kind]) for kind in shown)) for row in filled.rows)
        labels, groups = [row.label for row in rows], [row.results for row in rows]
        notes = (*interval_notes([(row.label, row.cells) for row in rows]), *remarks_of_runs(labels, groups))
        return FilledTable(self, columns, rows, filled.caption, notes)

    def _cell(self, row: Row, relevant: Mapping[str, set[str]]) -> Cell:
        try:
            runs = [_first_ten(result.folder / f"run.{self.task}.trec") for result in row.results]
        except (OSError, DataError):
            return Cell()
        values = np.array(
            [[len(items & run.get(query, set())) / len(items) for query, items in relevant.items()] for run in runs]
        )
        return replace(limits_cell(float(values.mean()), len(runs), limits(MEASURE, values)), results=row.results)


def _judged_by_kind(result: Result, task: str) -> tuple[dict[str, set[str]], dict[str, set[str]]] | None:
    """Return query (or user) -> relevant known items, and the same for withheld ones; without queries that have none.

    None where the files that tell it are not there.
    """
    apart, judgments = result.withheld_file, result.folder / f"qrels.{task}.txt"
    if apart is None or not apart.is_file() or not judgments.is_file():
        return None
    withheld = frozenset(apart.read_text("utf-8").split("\n"))
    found: tuple[dict[str, set[str]], dict[str, set[str]]] = ({}, {})
    for query, item, grade in read_qrels(judgments):
        if grade > 0:
            found[item in withheld].setdefault(query, set()).add(item)
    return found


def _first_ten(path: Path) -> dict[str, set[str]]:
    """Return query -> its first ten items."""
    return {query: set(islice(items, 10)) for query, items in read_run(path).items()}


@dataclass(frozen=True)
class ColdStart(Table):
    """Recommendation and search side by side, for each protocol that withholds items."""

    def fill(self, results: Iterable[Result]) -> list[FilledTable]:
        """Return one table per protocol, none where no result is of such a split."""
        protocols: dict[object, list[Result]] = {}
        for result in results:
            if not result.problem and result.withheld_file is not None:
                protocols.setdefault(result.protocol, []).append(result)
        tasks = (
            UsersByNovelty(self.name, self.title, "recommendation", ()),
            ItemsByNovelty(self.name, self.title, "search", ()),
        )
        filled = [[part for of in tasks for part in of.fill(protocols[same])] for same in sorted(protocols, key=str)]
        return [self._joined(parts) for parts in filled if parts]

    def _joined(self, parts: list[FilledTable]) -> FilledTable:
        """Return the columns of both tasks in one table, a row for each label."""
        columns = tuple(
            replace(of, key=f"{part.table.task}.{of.key}", header=f"{part.table.task.capitalize()}: {of.header}",
                    metric=of.key, task=part.table.task)
            for part in parts for of in part.columns
        )  # fmt: skip
        rows = [_row(label, parts) for label in dict.fromkeys(row.label for part in parts for row in part.rows)]
        rows.sort(key=lambda row: (row.control, row.label))
        notes = dict.fromkeys([*self.footnotes, *(note for part in parts for note in part.footnotes)])
        return FilledTable(self, columns, tuple(rows), parts[-1].caption, tuple(notes))


def _row(label: str, parts: list[FilledTable]) -> Row:
    found = [next((row for row in part.rows if row.label == label), None) for part in parts]
    own = [row for row in found if row is not None]
    cells = [row.cells if row else (Cell(),) * len(part.columns) for row, part in zip(found, parts, strict=True)]
    results = tuple(dict.fromkeys(result.folder for row in own for result in row.results))
    by_folder = {result.folder: result for row in own for result in row.results}
    seeds = tuple(sorted({seed for row in own for seed in row.seeds}))
    return Row(label, seeds, tuple(cell for part in cells for cell in part), own[0].control,
               tuple(by_folder[folder] for folder in results))  # fmt: skip


COLD_START = ColdStart(
    "cold-start", "New items: ranking items that nothing was learned from", "", (),
    (
        f"{MEASURE} of recommendation by the users' next item, and of search over the relevant items of each kind: n "
        "users, and n queries that have relevant items of the kind. Withheld items have no part in learning; they get "
        "IDs or are indexed afterwards, and all items are ranked together.",
        "A recommender with a vector or counts for each item (sequential recommenders, item-knn, popularity) ranks "
        "the items that it has learned: a withheld one is never found. BM25 learns nothing: its index, with its counts "
        "of words, holds all items.",
    ),
    group="details",
)  # fmt: skip
