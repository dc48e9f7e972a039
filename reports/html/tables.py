"""What the page shows of filled tables, in words and numbers; `tables.html` makes the markup."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

from benchmark.metrics.metric import BETTER
from benchmark.reports.html.embedding import script_json
from benchmark.reports.tables.captions import protocol
from benchmark.reports.tables.layout import Cell, Column, FilledTable, Row, own_text, published_text


def view(filled: FilledTable, number: int) -> dict[str, Any]:
    """Return what `tables.html` shows of the table with this number."""
    return {
        "number": number,
        "name": filled.table.name,
        "title": filled.table.title,
        "caption": filled.caption,
        "about": ", ".join(data_sets(filled)),
        "sets": script_json(data_sets(filled)),
        "protocols": script_json(protocols(filled)),
        "row_header": filled.table.row_header,
        "columns": [_column(column) for column in filled.columns],
        "seeds": filled.table.shows_seeds,
        "rows": [_row(filled, row) for row in filled.rows],
        "notes": filled.footnotes,
    }


def _column(column: Column) -> dict[str, str]:
    order = "down" if column.higher_is_better else "up"
    title = "; ".join(filter(None, (column.description, BETTER[column.higher_is_better])))
    return {"text": column.header, "order": order, "title": title, "dataset": column.dataset}


def _row(filled: FilledTable, row: Row) -> dict[str, Any]:
    return {
        "label": re.split(r"(?<=[.,=_])(?=\S)", row.title),  # where a long label may break
        "method": row.results[0].method if row.results else "",
        "control": row.control,
        "hole": not row.results,
        "cells": [_cell(column, cell) for column, cell in zip(filled.columns, row.cells, strict=True)],
        "seeds": len(row.seeds),
    }


def _cell(column: Column, cell: Cell) -> dict[str, Any]:
    return {
        "value": repr(cell.mean) if cell.mean is not None and math.isfinite(cell.mean) else None,
        "empty": cell.mean is None,
        "own": _minus(own_text(column, cell)),
        "bold": cell.bold,
        "published": _minus(published_text(column, cell)) if cell.published else "",
        "verdict": (cell.published.verdict.replace(" ", "-") or "none") if cell.published else "",
    }


def _minus(text: str) -> str:
    """Set the hyphens before numbers as minus signs."""
    return re.sub(r"(?<![\w.])-(?=[\d.])", "−", text)


def data_sets(filled: FilledTable) -> list[str]:
    """Return the names of the data sets that a table is about."""
    of_columns = [column.dataset for column in filled.columns]
    of_rows = [str(result.dataset["name"]) for row in filled.rows for result in row.results]
    return list(dict.fromkeys(filter(None, [*of_columns, *of_rows])))


def protocols(filled: FilledTable) -> list[str]:
    """Return the protocols (preset and text fields) of a table's rows, in words."""
    found = ("; ".join(protocol(result, search=False)) for row in filled.rows for result in row.results)
    return list(dict.fromkeys(found))


def filters(tables: Sequence[FilledTable]) -> list[tuple[str, str, list[str]]]:
    """Return the choices among tables and rows: (name, label, values)."""
    sets = sorted({name for filled in tables for name in data_sets(filled)})
    shared = sorted({words for filled in tables for words in protocols(filled)})
    methods = sorted({row.results[0].method for filled in tables for row in filled.rows if row.results})
    return [("set", "Data set", sets), ("protocol", "Protocol", shared), ("method", "Method", methods)]
