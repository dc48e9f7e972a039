"""Tables as LaTeX with booktabs and nothing else; the text of labels and captions is escaped.

Columns that do not fit the width of a page go to a further `table` environment, which repeats the labels.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from benchmark.reports.tables.layout import Cell, Column, FilledTable, own_text, parts_of_note, published_text

ROOM = 80  # characters of a line at footnote size in the article class, less the space between two columns each
GAP = 2
LABEL = 36  # characters of a label beyond which labels are broken into lines
SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': "''", "[": "{[}", "]": "{]}",
    "±": r"$\pm$", "–": "--", "—": "---", "…": r"\dots{}", "×": r"$\times$",
}  # fmt: skip


def render(tables: Sequence[FilledTable]) -> str:
    """Return booktabs tables; the document must load booktabs."""
    return "\n".join(_render(filled, number) for number, filled in enumerate(tables, 1))


def _render(filled: FilledTable, number: int) -> str:
    blocks, first = _blocks(filled), "l" if _longest_label(filled) <= LABEL else "p{5cm}"
    parts = []
    for part, block in enumerate(blocks):
        title = f"{filled.table.title}{', continued' if part else ''}. {'' if part else filled.caption}"
        label = "" if part else rf"\label{{tab:{_label(filled.table.name)}-{number}}}"
        seeds = filled.table.shows_seeds and part == len(blocks) - 1
        header = [filled.table.row_header, *(filled.columns[i].header for i in block), *(["Seeds"] if seeds else [])]
        lines = [
            r"% needs \usepackage{booktabs}", r"\begin{table}", r"\centering", r"\footnotesize",
            r"\setlength{\tabcolsep}{4pt}", rf"\caption{{{escape(title)}}}{label}",
            rf"\begin{{tabular}}{{{first}{'r' * (len(header) - 1)}}}", r"\toprule",
            " & ".join(map(escape, header)) + r" \\", r"\midrule",
        ]  # fmt: skip
        for row in filled.rows:
            cells = [_cell(filled.columns[i], row.cells[i]) for i in block]
            lines.append(" & ".join([escape(row.title), *cells, *([str(len(row.seeds))] if seeds else [])]) + r" \\")
        notes = filled.footnotes if part == len(blocks) - 1 else ()
        lines += [r"\bottomrule", r"\end{tabular}", *(rf"\par\smallskip {_note(note)}" for note in notes)]
        parts.append("\n".join([*lines, r"\end{table}", ""]))
    return "\n".join(parts)


def _blocks(filled: FilledTable) -> list[list[int]]:
    """Return the columns of each part of the table: as many as fit, at least one."""
    label = min(LABEL, _longest_label(filled))
    blocks: list[list[int]] = [[]]
    used = label
    for i, column in enumerate(filled.columns):
        texts = [column.header]
        for row in filled.rows:
            texts += [own_text(column, row.cells[i]), published_text(column, row.cells[i])]
        width = GAP + max(map(len, texts))
        if blocks[-1] and used + width > ROOM:
            blocks.append([])
            used = label
        blocks[-1].append(i)
        used += width
    return blocks


def _longest_label(filled: FilledTable) -> int:
    return max(map(len, [filled.table.row_header, *(row.title for row in filled.rows)]))


def _cell(column: Column, cell: Cell) -> str:
    """Our number, bold where it is the best; the published value below it."""
    own = _minus(escape(own_text(column, cell)))
    own = rf"\textbf{{{own}}}" if cell.bold else own
    return rf"\shortstack[r]{{{own}\\{_minus(escape(published_text(column, cell)))}}}" if cell.published else own


def _minus(escaped: str) -> str:
    """Set the hyphens before numbers as minus signs."""
    return re.sub(r"(?<![\w.])-(?=[\d.])", "$-$", escaped)


def _note(note: str) -> str:
    parts = [(_escaped(text), typed) for text, typed in parts_of_note(" ".join(note.split()))]
    return "".join(rf"\texttt{{{text}}}" if typed else text for text, typed in parts)


def escape(text: str) -> str:
    """Escape LaTeX's special characters; line breaks become spaces."""
    return _escaped(" ".join(text.split()))


def _escaped(text: str) -> str:
    return "".join(SPECIAL.get(character, character) for character in text)


def _label(name: str) -> str:
    return "".join(character if character.isascii() and character.isalnum() else "-" for character in name)
