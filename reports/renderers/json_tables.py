"""Tables as JSON: every cell with value, interval, seeds, published value, verdict and the results it comes from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from benchmark.reports.tables.layout import Cell, Column, FilledTable
from benchmark.results.result_files import Result


def render(tables: Sequence[FilledTable]) -> str:
    """Return a JSON list of tables; paths of results are relative to the folder of runs."""
    return json.dumps([_table(filled) for filled in tables], indent=1, ensure_ascii=False) + "\n"


def _table(filled: FilledTable) -> dict[str, Any]:
    table = filled.table
    return {
        "name": table.name,
        "title": table.title,
        "caption": filled.caption,
        "columns": [_column(column, table.task) for column in filled.columns],
        "rows": [
            {
                "label": row.label,
                "method": row.results[0].method if row.results else None,
                "control": row.control,
                **({"group": row.group} if row.group else {}),
                "cells": [_cell(cell) for cell in row.cells],
            }
            for row in filled.rows
        ],
        "footnotes": list(filled.footnotes),
    }


def _column(column: Column, task: str) -> dict[str, Any]:
    return {
        "header": column.header, "dataset": column.dataset or None, "task": column.task or task or None,
        "measure": column.measure, "source": column.source, "scale": column.scale,
        "higher_is_better": column.higher_is_better,
    }  # fmt: skip


def _cell(cell: Cell) -> dict[str, Any]:
    published = cell.published
    found: dict[str, Any] = {
        "mean": cell.mean, "low": cell.low, "high": cell.high, "interval": cell.interval or None, "n": cell.n,
        "bold": cell.bold, "seeds": [result.seed for result in cell.results],
        "results": [result_path(result) for result in cell.results],
    }  # fmt: skip
    if cell.gap and cell.mean is None:
        found["gap"] = cell.gap
    if published is not None:
        found |= {
            "published": published.value, "difference": cell.difference, "verdict": published.verdict or None,
            "reasons": list(published.reasons),
        }  # fmt: skip
    return found


def result_path(result: Result) -> str:
    """Return a result file's path below the folder of runs."""
    return "/".join([*result.folder.parts[-4:], "result.json"])
