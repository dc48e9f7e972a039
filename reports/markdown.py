"""Tables as GitHub Markdown."""

from __future__ import annotations

import re
from collections.abc import Sequence

from benchmark.reports.layout import FilledTable, cell_text


def render(tables: Sequence[FilledTable]) -> str:
    """Return every table as a heading, its caption, a pipe table and its footnotes."""
    return "\n".join(_render(filled) for filled in tables)


def _render(filled: FilledTable) -> str:
    header = ["Method", *(column.header for column in filled.columns), "Seeds"]
    lines = [f"### {escape(filled.table.title)}", "", escape(filled.caption), "", _line(map(escape, header))]
    lines.append(_line([":--", *["--:"] * (len(header) - 1)]))
    for row in filled.rows:
        cells = [cell_text(column, cell) for column, cell in zip(filled.columns, row.cells, strict=True)]
        marked = [f"**{text}**" if cell.bold else text for text, cell in zip(cells, row.cells, strict=True)]
        lines.append(_line([escape(row.title), *marked, str(len(row.seeds))]))
    lines += ["", *(f"- {escape(note)}" for note in filled.footnotes)]
    return "\n".join(lines).rstrip() + "\n"


def _line(cells: Sequence[str] | map[str]) -> str:
    return f"| {' | '.join(cells)} |"


def escape(text: str) -> str:
    """Escape what Markdown would read as markup; line breaks become spaces."""
    return re.sub(r"([\\`*_\[\]<>|])", r"\\\1", " ".join(text.split()))
