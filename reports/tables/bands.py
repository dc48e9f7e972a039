"""Recommendation by groups of users: metrics of each group, for every row of the table `recommendation`."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from benchmark.reports.tables.captions import remarks_of_runs
from benchmark.reports.tables.cells import interval_notes, limits_cell
from benchmark.reports.tables.columns import column
from benchmark.reports.tables.layout import Cell, FilledTable, Row
from benchmark.reports.tables.scores import Values, limits, query_values
from benchmark.reports.tables.table import Table
from benchmark.results.result_files import Result

MEASURE = "R@10"


@dataclass(frozen=True)
class Banded(Table):
    """Columns are groups of users; a subclass says which user belongs to which."""

    names: ClassVar[tuple[str, ...]]  # of the groups
    measures: ClassVar[tuple[str, ...]] = (MEASURE,)

    @abstractmethod
    def groups_of_users(self, result: Result) -> dict[str, int] | None:
        """Return user -> group; None where the files that tell it are not there."""

    def names_of_groups(self, result: Result) -> tuple[str, ...]:
        """Return the names of the groups, with what only the files of a result tell."""
        return self.names

    def fill(self, results: Iterable[Result]) -> list[FilledTable]:
        """Return one table per protocol, none where the files that tell the groups are not there."""
        whole = Table(self.name, self.title, self.task, (column(self.task, MEASURE),))
        return [banded for filled in whole.fill(results) if (banded := self._banded(filled)) is not None]

    def _banded(self, filled: FilledTable) -> FilledTable | None:
        first = [row.results[0] for row in filled.rows]
        found = next(((result, bands) for result in first if (bands := self.groups_of_users(result)) is not None), None)
        if found is None:
            return None
        names, bands = self.names_of_groups(found[0]), found[1]
        n_users = np.bincount(list(bands.values()), minlength=len(self.names))
        shown = np.flatnonzero(n_users).tolist()
        columns = tuple(
            column(
                self.task,
                measure,
                key=f"{measure}.{self.names[band]}",
                header=f"{f'{measure}, ' if len(self.measures) > 1 else ''}{names[band]} (n = {n_users[band]:,})",
                source="bands",
            )
            for measure in self.measures
            for band in shown
        )
        rows = tuple(replace(row, cells=_cells(row, bands, shown, self.measures)) for row in filled.rows)
        labels, groups = [row.label for row in rows], [row.results for row in rows]
        notes = (*self.footnotes, *interval_notes([(r.label, r.cells) for r in rows]), *remarks_of_runs(labels, groups))
        return FilledTable(self, columns, rows, filled.caption, notes)


def _cells(row: Row, bands: dict[str, int], shown: list[int], measures: Sequence[str]) -> tuple[Cell, ...]:
    found = query_values([result.scores_file("recommendation") for result in row.results], measures)
    if found is None or any(user not in bands for user in found[0]) or not np.isfinite(found[1]).all():
        return tuple(Cell() for _ in measures for _ in shown)
    band = np.array([bands[user] for user in found[0]])
    return tuple(
        _cell(row, measure, found[1][:, band == number, place])
        for place, measure in enumerate(measures)
        for number in shown
    )


def _cell(row: Row, measure: str, values: Values) -> Cell:
    """The mean and its interval of values [seeds, users]."""
    cell = limits_cell(float(values.mean()), len(row.results), limits(measure, values))
    return replace(cell, results=row.results)
