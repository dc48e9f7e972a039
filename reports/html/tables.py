"""What the page shows of filled tables, in words and numbers; `tables.html` makes the markup."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

from markupsafe import Markup, escape

from benchmark.metrics.metric import BETTER
from benchmark.reports.html.embedding import script_json
from benchmark.reports.html.facets import data_sets, facets
from benchmark.reports.html.provenance import explorer_link
from benchmark.reports.tables.layout import Cell, Column, FilledTable, Row, own_text, parts_of_note, published_text


def view(filled: FilledTable, number: int, page: str = "") -> dict[str, Any]:
    """Return what `tables.html` shows of the table with this number.

    On a leaderboard, rows are ranked and `page` is the page of the data set, with all columns and the ID explorer.
    """
    rows = [_row(filled, row, page) for row in filled.rows]
    return {
        "ranked": bool(page),
        "page": page,
        "explorer": bool(page) and any(row["ids"] for row in rows),
        "number": number,
        "name": filled.table.name,
        "title": filled.table.title,
        "caption": filled.caption,
        "about": ", ".join(data_sets(filled)),
        "facets": script_json(facets(filled)),
        "row_header": filled.table.row_header,
        "columns": [_column(column) for column in filled.columns],
        "seeds": filled.table.shows_seeds,
        "rows": rows,
        "notes": [_note(note.replace("Bold:", "A star, and bold:", 1)) for note in filled.footnotes],
    }


def _note(note: str) -> Markup:
    parts = parts_of_note(note)
    return Markup().join(Markup("<code>{}</code>").format(text) if typed else escape(text) for text, typed in parts)


def _column(column: Column) -> dict[str, str]:
    order = "down" if column.higher_is_better else "up"
    return {"text": column.header, "order": order, "title": meaning(column), "dataset": column.dataset}


def meaning(column: Column) -> str:
    """Return what a column's numbers are and which are better, for tooltips and the glossary."""
    return "; ".join(filter(None, (column.description or column.note, BETTER[column.higher_is_better])))


def _row(filled: FilledTable, row: Row, page: str) -> dict[str, Any]:
    return {
        "ids": next(filter(None, (explorer_link(result, page) for result in row.results)), ""),
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


def methods(tables: Sequence[FilledTable]) -> list[str]:
    """Return the methods of all rows."""
    return sorted({row.results[0].method for filled in tables for row in filled.rows if row.results})


def glossary(tables: Sequence[FilledTable]) -> list[dict[str, str]]:
    """Return what the tables' columns mean, as far as they say it, each header and meaning once, by name."""
    every = [column for filled in tables for column in filled.columns if column.description or column.note]
    found = {(column.header, meaning(column)) for column in every}
    return [{"header": header, "meaning": text} for header, text in sorted(found, key=_by_name)]


def _by_name(entry: tuple[str, str]) -> tuple[str, tuple[str, str]]:
    return entry[0].casefold(), entry
