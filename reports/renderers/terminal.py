"""Tables as aligned plain text: as wide as the terminal, or COLUMNS says; 120 columns in a pipe or file.

Columns that do not fit go to a second block that repeats the labels; a label that takes more than half of the width is
folded. A significantly best value carries a star.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from benchmark.reports.tables.layout import FilledTable, cell_text
from benchmark.terminal import GAP, table_lines, width_there


def render(tables: Sequence[FilledTable], width: int | None = None) -> str:
    """Return every table as text, with a star where a value is significantly the best; `width` None: what is there."""
    room = width or width_there()
    return "\n".join(_render(filled, room) for filled in tables)


def _render(filled: FilledTable, room: int) -> str:
    labels = [filled.table.row_header, *(_printable(row.title) for row in filled.rows)]
    columns = [_column(filled, index) for index in range(len(filled.columns))]
    if filled.table.shows_seeds:
        columns.append(["Seeds", *(str(len(row.seeds)) for row in filled.rows)])
    label_width = min(max(map(width, labels)), room // 2)
    lines = [filled.table.title, *_wrap(filled.caption, room), ""]
    for block in _blocks(columns, room - label_width):
        header, *rows = zip(labels, *block, strict=True)
        lines += [*table_lines(rows, header=header, numbers=True, rule=True, first=label_width), ""]
    lines += [line for note in filled.footnotes for line in _wrap(note.replace("Bold:", "A star:", 1), room, "  ")]
    return "\n".join(lines).rstrip() + "\n"


def _column(filled: FilledTable, index: int) -> list[str]:
    """Return header and cells; where a cell has a star, the others leave its place free."""
    column, cells = filled.columns[index], [row.cells[index] for row in filled.rows]
    texts = [_printable(column.header), *(cell_text(column, cell) for cell in cells)]
    if not any(cell.bold for cell in cells):
        return texts
    stars = [" ", *("*" if cell.bold else " " for cell in cells)]
    return [text + star for text, star in zip(texts, stars, strict=True)]


def _blocks(columns: list[list[str]], room: int) -> list[list[list[str]]]:
    """Fill blocks of columns from the left; a column wider than the room stands alone."""
    blocks: list[list[list[str]]] = [[]]
    used = 0
    for column in columns:
        needed = len(GAP) + max(map(width, column))
        if blocks[-1] and used + needed > room:
            blocks.append([])
            used = 0
        blocks[-1].append(column)
        used += needed
    return blocks


def width(text: str) -> int:
    """Return the columns of a terminal that the text takes: wide East Asian characters two, combining marks none."""
    from rich.cells import cell_len

    return cell_len(text)


def _wrap(text: str, room: int, indent: str = "") -> list[str]:
    return textwrap.wrap(_printable(text), room, subsequent_indent=indent) or [""]


def _printable(text: str) -> str:
    """One line without control characters: a label must not move the cursor."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
