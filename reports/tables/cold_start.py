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
from benchmark.reports.tables.captions import (
    data_set,
    protocol,
    remarks_of_runs,
    representative_result,
    run_conditions,
)
from benchmark.reports.tables.cells import interval_notes, limits_cell
from benchmark.reports.tables.changes import words_on_changes
from benchmark.reports.tables.columns import column
from benchmark.reports.tables.labels import row_identity, row_labels
from benchmark.reports.tables.layout import Cell, FilledTable, Row
from benchmark.reports.tables.scores import limits
from benchmark.reports.tables.table import Table
from benchmark.results.result_files import Result, read_withheld
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
        return FilledTable(self, columns, rows, filled.caption, ())

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
    withheld, judgments = read_withheld(result), result.folder / f"qrels.{task}.txt"
    if withheld is None or not judgments.is_file():
        return None
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
        """Return the columns of both tasks in one table, a row for each configuration."""
        columns = tuple(
            replace(of, key=f"{part.table.task}.{of.key}", header=f"{part.table.task.capitalize()}: {of.header}",
                    metric=of.key, task=part.table.task)
            for part in parts for of in part.columns
        )  # fmt: skip
        by_row: dict[str, dict[str, Row]] = {}  # configuration -> task -> row
        for part in parts:
            for row in part.rows:
                by_row.setdefault(row_identity(row.results[0]), {})[part.table.task] = row
        labels = row_labels([next(iter(found.values())).results[0] for found in by_row.values()])
        rows = [_row(label, found, parts) for label, found in zip(labels, by_row.values(), strict=True)]
        rows.sort(key=lambda row: (row.control, row.label))
        groups, tasks = [row.results for row in rows], [part.table.task for part in parts]
        every = [result for results in groups for result in results]
        changed, of_changes = words_on_changes(groups, tasks)
        first = representative_result(every)
        about = protocol(first, search="search" in tasks, changed=changed)
        caption = "; ".join([data_set(first), *about, *run_conditions(every, tasks)])
        notes = [*self.footnotes, *interval_notes([(row.label, row.cells) for row in rows]), *of_changes]
        notes += remarks_of_runs([row.label for row in rows], groups)
        return FilledTable(self, columns, tuple(rows), f"{caption}.", tuple(notes))


def _row(label: str, found: Mapping[str, Row], parts: list[FilledTable]) -> Row:
    """Return a row with the cells of all tasks; `found` is task -> row."""
    cells: list[Cell] = []
    for part in parts:
        own = found.get(part.table.task)
        cells += own.cells if own else [Cell()] * len(part.columns)
    by_folder = {result.folder: result for row in found.values() for result in row.results}
    seeds = tuple(sorted({seed for row in found.values() for seed in row.seeds}))
    return Row(label, seeds, tuple(cells), next(iter(found.values())).control, tuple(by_folder.values()))


COLD_START = ColdStart(
    "cold-start", "New items: ranking items that nothing was learned from", "", (),
    (
        f"{MEASURE} of recommendation by the users' next item, and of search over the relevant items of each kind: n "
        "users, and n queries that have relevant items of the kind. Withheld items have no part in learning; they get "
        "IDs or are indexed afterwards, and all items are ranked together.",
        "A recommender ranks the items that it has learned from; it is not asked for others, so it never finds a "
        "withheld one. BM25 learns nothing: its index, with its counts of words, holds all items.",
        "A withheld item whose codes an old one has already gets the next dedup counter, which training has never seen "
        "with these codes.",
    ),
    group="details",
)  # fmt: skip
