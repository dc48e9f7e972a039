"""Tables as LaTeX with booktabs, one `table` environment each; the text of labels and captions is escaped."""

from __future__ import annotations

from collections.abc import Sequence

from benchmark.reports.layout import FilledTable, cell_text

WIDE = 9  # columns beyond which a table is scaled to the width of the line
SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': r"\textquotedbl{}", "[": "{[}", "]": "{]}",
    "±": r"$\pm$", "–": "--", "—": "---", "…": r"\dots{}", "×": r"$\times$",
}  # fmt: skip


def render(tables: Sequence[FilledTable]) -> str:
    """Return one booktabs table per filled table; the document must load booktabs, graphicx and fontenc (T1)."""
    return "\n".join(_render(filled, number) for number, filled in enumerate(tables, 1))


def _render(filled: FilledTable, number: int) -> str:
    header = ["Method", *(column.header for column in filled.columns), "Seeds"]
    wide = len(header) > WIDE
    lines = [
        "% needs \\usepackage[T1]{fontenc} and \\usepackage{booktabs,graphicx}",
        r"\begin{table}", r"\centering", r"\footnotesize", r"\setlength{\tabcolsep}{4pt}",
        rf"\caption{{{escape(f'{filled.table.title}. {filled.caption}')}}}",
        rf"\label{{tab:{_label(filled.table.name)}-{number}}}",
        *([r"\resizebox{\linewidth}{!}{%"] if wide else []),
        rf"\begin{{tabular}}{{l{'r' * (len(header) - 1)}}}", r"\toprule",
        " & ".join(map(escape, header)) + r" \\", r"\midrule",
    ]  # fmt: skip
    for row in filled.rows:
        cells = [escape(cell_text(column, cell)) for column, cell in zip(filled.columns, row.cells, strict=True)]
        marked = [rf"\textbf{{{text}}}" if cell.bold else text for text, cell in zip(cells, row.cells, strict=True)]
        lines.append(" & ".join([escape(row.title), *marked, str(len(row.seeds))]) + r" \\")
    lines += [r"\bottomrule", r"\end{tabular}" + ("}" if wide else "")]
    lines += [rf"\par\smallskip {escape(note)}" for note in filled.footnotes]
    return "\n".join([*lines, r"\end{table}", ""])


def escape(text: str) -> str:
    """Escape LaTeX's special characters; line breaks become spaces."""
    return "".join(SPECIAL.get(character, character) for character in " ".join(text.split()))


def _label(name: str) -> str:
    return "".join(character if character.isascii() and character.isalnum() else "-" for character in name)
