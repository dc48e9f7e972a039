"""A table of the suite or of a plugin, which registers it under the entry point group `benchmark.reports`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Self

from benchmark.reports.tables.filling import build, with_further_columns
from benchmark.reports.tables.layout import Declaration, FilledTable
from benchmark.results.result_files import Result


@dataclass(frozen=True)
class Table(Declaration):
    """A declaration that is filled column by column; a table of another kind says how in a `fill` of its own."""

    def completed(self, results: Iterable[Result]) -> Self:
        """Return the table with the columns that plugins and results add to it."""
        return with_further_columns(self, results)

    def fill(self, results: Iterable[Result]) -> list[FilledTable]:
        """Fill the table from results: one filled table per protocol; columns of some methods alone come last."""
        return [_of_all_first(filled) for filled in build(self, results)]


def _of_all_first(filled: FilledTable) -> FilledTable:
    """Put the columns last that all rows of one kind (indexers, retrievers, recommenders) lack."""
    kinds = [row.results[0].kind for row in filled.rows]

    def of_some(column: int) -> bool:
        having = {kind for kind, row in zip(kinds, filled.rows, strict=True) if row.cells[column].mean is not None}
        return having != set(kinds)

    order = sorted(range(len(filled.columns)), key=of_some)
    rows = tuple(replace(row, cells=tuple(row.cells[column] for column in order)) for row in filled.rows)
    return replace(filled, columns=tuple(filled.columns[column] for column in order), rows=rows)
