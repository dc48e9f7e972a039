"""The overview: headline columns of several tables on one screen. What the tables share is said once.

A caption says what it adds to the caption before it, and a note stands below the first table that needs it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from benchmark.reports.renderers import terminal
from benchmark.reports.tables.layout import FilledTable
from benchmark.reports.tables.marking import BOLD, STAR


class Overview:
    """Renders tables one after another; remembers what it has said.

    overview = Overview()
    print(overview.text(tables_of_ids))
    print(overview.text(tables_of_rankings))
    """

    def __init__(self, width: int | None = None) -> None:
        self._width = width
        self._caption: list[str] = []
        self._notes: set[str] = set()

    def text(self, tables: Sequence[FilledTable]) -> str:
        """Return the tables as text, with notes and parts of captions that were not said before."""
        return terminal.render([self._shortened(filled) for filled in tables], self._width)

    def _shortened(self, filled: FilledTable) -> FilledTable:
        starred = any(cell.bold for row in filled.rows for cell in row.cells)
        notes = [STAR if note == BOLD else note for note in filled.footnotes if starred or note != BOLD]
        new = tuple(note for note in notes if note not in self._notes)
        self._notes.update(new)
        differ = len({row.seeds for row in filled.rows}) > 1  # else the caption names them
        table = replace(filled.table, shows_seeds=filled.table.shows_seeds and differ)
        return replace(filled, table=table, caption=self._new_in(filled.caption), footnotes=new)

    def _new_in(self, caption: str) -> str:
        """Return a caption, or 'As above; ..' where it only adds something to the one before."""
        parts, before = caption.removesuffix(".").split("; "), self._caption
        if before and all(part in parts for part in before):
            added = [part for part in parts if part not in before]
            return "; ".join(["As above", *added]) + "."
        self._caption = parts
        return caption
