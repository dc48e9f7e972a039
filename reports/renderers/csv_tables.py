"""Tables as CSV, a line per number, for spreadsheets and data frames.

`value` is the mean over the seeds as `Results.to_frame()` has it for each, in the unit of the column; `low` and `high`
are its 95% interval. Empty where there is none.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from io import StringIO
from typing import Any

from benchmark.reports.tables.layout import FilledTable

HEADER = (
    "table", "dataset", "preset", "label", "method", "control", "group", "column", "task", "metric", "value", "low",
    "high", "interval", "seeds", "best", "published", "difference", "verdict",
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
                filled.table.name, column.dataset or (first.dataset["name"] if first else ""),
                first.preset if first else "", row.label, first.method if first else "", row.control, row.group,
                column.header, column.task or filled.table.task, column.measure, cell.mean, cell.low, cell.high,
                cell.interval, len(cell.results), cell.bold, published.value if published else None, cell.difference,
                published.verdict if published else "",
            ]  # fmt: skip
