"""Published rows of others beside our rows on the same data set: one table for each protocol of ours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

from benchmark.errors import BenchmarkError
from benchmark.reports.paper.spec import PaperRow, Spec
from benchmark.reports.paper.verdict import TOLERANCE, marked, published, reasons_against
from benchmark.reports.published.sources import QuotedRow, Source, sources
from benchmark.reports.tables.columns import column
from benchmark.reports.tables.filling import build
from benchmark.reports.tables.layout import Cell, Column, FilledTable, Row
from benchmark.reports.tables.table import Table
from benchmark.results.result_files import Result

GROUP = "published"
WHAT = (
    "'A: B' is method A in the table of B; paper: the value that is printed there, below ours of the same method where "
    f"there is one, with the difference. ok: ours is within {TOLERANCE:.0%}; off: it is not; n/c: not comparable"
)


@dataclass(frozen=True)
class PublishedTable(Table):
    """Our rows on one data set, then those of every source that has it."""

    dataset: str = ""

    @classmethod
    def of(cls, dataset: str, title: str, task: str) -> Self:
        """Declare the table of a data set, with the metrics that any source has on it."""
        quoted = [source for source in sources() if source.task == task]
        metrics = dict.fromkeys(m for s in quoted for row in s.rows for m in s.values(row, dataset))
        if not metrics:
            raise BenchmarkError(f"no published table has values of the task '{task}' on '{dataset}'")
        columns = tuple(column(task, metric, task=task, dataset=dataset) for metric in metrics)
        return cls(f"published-{dataset}", title, task, columns, group=GROUP, dataset=dataset)

    def fill(self, results: Iterable[Result]) -> list[FilledTable]:
        """Return one table for each protocol of ours; without a run, one of the published rows alone."""
        ours = build(self, [result for result in results if result.dataset.get("name") == self.dataset])
        none_yet = FilledTable(self, (), (), "Ours: no run yet.", ())
        return [self._beside(filled) for filled in ours or [none_yet]]

    def _beside(self, filled: FilledTable) -> FilledTable:
        """Add the published rows and their columns to a table of ours."""
        own = [self._widened(row, filled.columns) for row in filled.rows]
        letters: dict[str, str] = {}  # reason -> its letter
        quoted = [
            self._row(source, row, values, own, letters)
            for source in sources() if source.task == self.task
            for row in source.rows if (values := source.values(row, self.dataset))
        ]  # fmt: skip
        because = "; ".join(f"({mark}) {reason}" for reason, mark in letters.items())
        notes = (f"{WHAT}, because: {because}." if because else f"{WHAT}.", *self._about())
        return replace(filled, columns=self.columns, rows=(*own, *quoted), footnotes=(*filled.footnotes, *notes))

    def _widened(self, row: Row, shown: Sequence[Column]) -> Row:
        """Return a row of ours with a cell for every column of this table."""
        cells = dict(zip([column.key for column in shown], row.cells, strict=True))
        return replace(row, cells=tuple(cells.get(column.key, Cell()) for column in self.columns))

    def _row(
        self, source: Source, row: QuotedRow, values: Mapping[str, float], own: Sequence[Row], letters: dict[str, str]
    ) -> Row:
        """Return a published row, below the values of that row of ours of the same method which is nearest to it."""
        same: list[Row | None] = [one for one in own if row.method and one.results[0].method == row.method]
        candidates = [(one, self._cells(source, row, values, one)) for one in same or [None]]
        ours, compared = min(candidates, key=lambda candidate: _distance(candidate[1]))
        cells = tuple(
            replace(cell, published=marked(cell.published, letters) if cell.published else None) for cell in compared
        )
        title = f"{row.name}: {source.name}{'' if source.checked else ' (not checked)'}"
        return Row(title, ours.seeds if ours else (), cells, False, ours.results if ours else ())

    def _cells(self, source: Source, row: QuotedRow, values: Mapping[str, float], ours: Row | None) -> tuple[Cell, ...]:
        """Return the cells of a published row, compared with a row of ours; a column that it lacks is empty."""
        of_ours = ours.cells if ours else [Cell()] * len(self.columns)
        pairs = zip(self.columns, of_ours, strict=True)
        return tuple(
            Cell() if (value := values.get(shown.measure)) is None else _compared(source, row, value, shown, cell)
            for shown, cell in pairs
        )

    def _about(self) -> list[str]:
        """Say of every source where its values are printed, how they were scored and what they were checked with."""
        return [
            f"{source.name}: {source.document}; {source.table}. Scored by: {source.evaluation}. "
            f"{'Checked against' if source.checked else 'Not checked against the document itself:'} {source.read}."
            for source in sources()
            if source.task == self.task and any(source.values(row, self.dataset) for row in source.rows)
        ]


def _distance(cells: Sequence[Cell]) -> tuple[int, int]:
    """Return how many cells have no value of ours, and how many reasons speak against the others."""
    return sum(cell.mean is None for cell in cells), sum(
        len(cell.published.reasons) for cell in cells if cell.published
    )


def _compared(source: Source, row: QuotedRow, value: float, shown: Column, ours: Cell) -> Cell:
    """Return our cell, if there is one, with the published value and why the two cannot be compared."""
    if not ours.results:
        return Cell(published=published(value, None, []))
    spec = Spec(source.table, (shown,), ())
    paper = PaperRow(
        row.name, row.method, row.method, (), preset=row.preset, reads_text=bool(row.text_fields),
        text_fields=row.text_fields,
    )  # fmt: skip
    against = [*source.differs, *row.differs, *reasons_against(spec, paper, shown, "", ours.results[0])]
    return replace(ours, bold=False, published=published(value, ours.mean, against))
