"""Tables whose numbers follow from the files of a run: rankings, IDs, training histories, items.

Nothing is trained or scored anew, so that results which are there have these numbers too.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from benchmark.reports.tables.captions import remarks_of_runs
from benchmark.reports.tables.cells import Seeds, interval_notes
from benchmark.reports.tables.columns import column
from benchmark.reports.tables.layout import Cell, FilledTable
from benchmark.reports.tables.table import Table
from benchmark.results.result_files import Result


@dataclass(frozen=True)
class FromFiles(Table):
    """A row for each row that has the metric `base`; a subclass reads what rows share, and computes a row's cells."""

    base: ClassVar[str]

    @abstractmethod
    def shared(self, result: Result) -> Any:
        """Return what all rows of a protocol share; None where its files are not there or damaged."""

    @abstractmethod
    def cells(self, shared: Any, seeds: Seeds) -> dict[str, Cell]:
        """Return metric -> cell of a row; {} where its files cannot be read."""

    def fill(self, results: Iterable[Result]) -> list[FilledTable]:
        """Return one table per protocol, none where the files that tell the numbers are not there."""
        whole = Table(self.name, self.title, self.task, (column(self.task, self.base),))
        return [made for filled in whole.fill(results) if (made := self._made(filled)) is not None]

    def _made(self, filled: FilledTable) -> FilledTable | None:
        first = (row.results[0] for row in filled.rows)
        shared = next((found for result in first if (found := self.shared(result)) is not None), None)
        if shared is None:
            return None
        own = [self.cells(shared, row.results) for row in filled.rows]
        if not any(of.key in cells for of in self.columns for cells in own):
            return None
        pairs = list(zip(filled.rows, own, strict=True))
        found = [{self.base: replace(row.cells[0], bold=False), **cells} for row, cells in pairs]
        shown = tuple(of for of in self.columns if any(of.key in cells for cells in found))
        rows = tuple(
            replace(row, cells=tuple(cells.get(of.key, Cell()) for of in shown))
            for (row, _), cells in zip(pairs, found, strict=True)
        )
        notes = list(dict.fromkeys([*self.footnotes, *(of.note for of in shown if of.note)]))
        notes += interval_notes([(row.label, row.cells) for row in rows])
        notes += remarks_of_runs([row.label for row in rows], [row.results for row in rows])
        return FilledTable(self, shown, rows, filled.caption, tuple(notes))
