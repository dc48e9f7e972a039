"""A table of the paper that runs fill: published values, ours beside them, and whether they can be compared."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from benchmark.reports.paper.filling import fill
from benchmark.reports.paper.spec import GROUP, Spec, read_spec
from benchmark.reports.tables.layout import Column, FilledTable
from benchmark.reports.tables.table import Table
from benchmark.results.result_files import Result


@dataclass(frozen=True)
class PaperTable(Table):
    """Declared by the file of its name beside this module."""

    task: str = ""
    columns: tuple[Column, ...] = ()
    group: str = GROUP

    @cached_property
    def spec(self) -> Spec:
        """What `<name>.toml` declares."""
        return read_spec(self.name)

    def fill(self, results: Iterable[Result]) -> list[FilledTable]:
        """Fill the table: one per protocol (and reading), then one per protocol for each data set not of the paper."""
        return fill(self, self.spec, results)
