"""Tables as CSV, a line per number, for spreadsheets and data frames.

`value` is the mean over the seeds as `Results.to_frame()` has it for each, in the unit of the column; `low` and `high`
are its 95% interval. Empty where there is none; `first_look` is the number that `--limit` gave.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from io import StringIO
from typing import Any

from benchmark.reports.tables.layout import Column, FilledTable
from benchmark.results.result_files import Result
from benchmark.results.settings import changes_as_text

HEADER = (
    "table", "dataset", "fingerprint", "preset", "changed", "text_fields", "split", "ties", "queries", "first_look",
    "label", "method", "control", "group", "column", "task", "metric", "value", "low", "high", "interval", "seeds",
    "best", "published", "difference", "verdict",
)  # fmt: skip


def render(tables: Sequence[FilledTable]) -> str:
    """Return one header and a line for each cell that has a value or a published one."""
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows(line for filled in tables for line in _lines(filled))
    return out.getvalue()


def _lines(filled: FilledTable) -> Iterator[list[Any]]:
    for row in filled.rows:
        first = row.results[0] if row.results else None
        for column, cell in zip(filled.columns, row.cells, strict=True):
            published = cell.published
            if cell.mean is None and published is None:
                continue
            yield [
                filled.table.name, *_protocol(first, column, filled), row.label, first.method if first else "",
                row.control, row.group, column.header, column.task or filled.table.task, column.measure, cell.mean,
                cell.low, cell.high,
                cell.interval, len(cell.results), cell.bold, published.value if published else None, cell.difference,
                published.verdict if published else "",
            ]  # fmt: skip


def _protocol(result: Result | None, column: Column, filled: FilledTable) -> list[Any]:
    """Return what tells lines of different protocols apart: the columns from the data set to the first look."""
    if result is None:
        return [column.dataset, *[""] * 8]
    search = (column.task or filled.table.task) == "search"
    return [
        column.dataset or result.dataset["name"], result.dataset["fingerprint"], result.preset,
        changes_as_text(result.changed), ",".join(result.text_fields),
        result.of_histories.get("split", "leave-one-out"), result.of_histories.get("ties", "file"),
        result.query_protocol if search else "", result.first_look or "",
    ]  # fmt: skip
