"""Tables of plain text: what every command prints in columns.

On a terminal a last column of words is folded to its width. Anywhere else lines are as long as their words, so that
nothing is cut off in a pipe or a file. No colours: the tables are pasted into notes and compared by scripts.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from io import StringIO

from benchmark.streams import answer, answers

WIDTH, LEAST, MOST = 120, 60, 200  # columns in a pipe; at least and at most those of a terminal
GAP = "  "  # between columns
UNLIMITED = 100_000  # columns
KEPT = "\ue000"  # stands for a space at the end of a number, which rich would strip


def width_there() -> int:
    """Return the columns of the terminal, or of the variable COLUMNS; in a pipe or file without it, 120."""
    if not answers().isatty() and not os.environ.get("COLUMNS"):
        return WIDTH
    return max(LEAST, min(shutil.get_terminal_size().columns, MOST))


def print_table(rows: Sequence[Sequence[str]], *, header: Sequence[str] = (), numbers: bool = False) -> None:
    """Print rows of cells in columns (see `table_lines`), words folded to the terminal if standard output is one."""
    columns = shutil.get_terminal_size().columns if answers().isatty() and not numbers else UNLIMITED
    for line in table_lines(rows, header=header, numbers=numbers, columns=columns):
        answer(line)


def table_lines(
    rows: Sequence[Sequence[str]],
    *,
    header: Sequence[str] = (),
    numbers: bool = False,
    rule: bool = False,
    columns: int = UNLIMITED,
    first: int | None = None,
) -> list[str]:
    """Return rows of cells as lines of aligned text, two spaces between the columns.

    With `numbers` all columns but the first stand to the right; `rule` draws a line below the header; the first column
    is folded to the width `first`. Wide (East Asian) and combining characters take the columns that a terminal gives
    them; control characters become spaces.
    """
    from rich.box import Box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    box = Box("    \n    \n -- \n" + "    \n" * 5)  # a space between columns, beside a cell's own; a rule of hyphens
    table = Table(
        box=box if rule else None, show_header=bool(header), show_edge=False, pad_edge=False,
        padding=(0, 0, 0, 1 if rule else 2),
    )  # fmt: skip
    n_columns = max(map(len, [*rows, header]), default=0)

    def cell_of(text: str) -> Text:
        words = _printable(text)
        return Text(words.rstrip() + KEPT * (len(words) - len(words.rstrip())) if numbers else words)

    for column in range(n_columns):
        folds = (column == 0 and first is not None) or (not numbers and column == n_columns - 1)
        table.add_column(
            cell_of(header[column]) if header else "", justify="right" if numbers and column else "left",
            no_wrap=not folds, overflow="fold", max_width=None if column else first,
        )  # fmt: skip
    for row in rows:
        table.add_row(*map(cell_of, row))
    lines = StringIO()  # a console of its own: the process's streams may be closed, or on a full disk
    Console(file=lines, width=columns, color_system=None, force_terminal=False, legacy_windows=False).print(table)
    return [line.replace(KEPT, " ").rstrip() for line in lines.getvalue().split("\n")[:-1]] if n_columns else []


def _printable(text: str) -> str:
    """Return text in which no control character can move the cursor."""
    return "".join(character if character.isprintable() else " " for character in text)
