"""Tables as GitHub Markdown."""

from __future__ import annotations

import re
from collections.abc import Sequence

from benchmark.reports.tables.layout import Cell, Column, FilledTable, own_text, parts_of_note, published_text


def render(tables: Sequence[FilledTable]) -> str:
    """Return every table as a heading, its caption, a pipe table and its footnotes."""
    return "\n".join(_render(filled) for filled in tables)


def _render(filled: FilledTable) -> str:
    seeds = filled.table.shows_seeds
    header = [filled.table.row_header, *(column.header for column in filled.columns), *(["Seeds"] if seeds else [])]
    lines = [f"### {escape(filled.table.title)}", "", escape(filled.caption), "", _line(map(escape, header))]
    lines.append(_line([":--", *["--:"] * (len(header) - 1)]))
    for row in filled.rows:
        cells = [_cell(column, cell) for column, cell in zip(filled.columns, row.cells, strict=True)]
        lines.append(_line([escape(row.title), *cells, *([str(len(row.seeds))] if seeds else [])]))
    lines += ["", *(f"- {_note(note)}" for note in filled.footnotes)]
    return "\n".join(lines).rstrip() + "\n"


def _cell(column: Column, cell: Cell) -> str:
    """Our number, bold where it is the best; the published value on a line of its own."""
    own = f"**{own_text(column, cell)}**" if cell.bold else own_text(column, cell)
    return f"{own}<br>{published_text(column, cell)}" if cell.published else own


def _note(note: str) -> str:
    return "".join(f"`{text}`" if typed else _escaped(text) for text, typed in parts_of_note(" ".join(note.split())))


def _line(cells: Sequence[str] | map[str]) -> str:
    return f"| {' | '.join(cells)} |"


def escape(text: str) -> str:
    """Escape what Markdown would read as markup; line breaks become spaces."""
    return _escaped(" ".join(text.split()))


def _escaped(text: str) -> str:
    return re.sub(r"([\\`*_\[\]<>|])", r"\\\1", text)
