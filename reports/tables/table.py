"""A table of the suite or of a plugin, which registers it under the entry point group `benchmark.reports`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
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
        """Fill the table from results: one filled table per protocol."""
        return build(self, results)
