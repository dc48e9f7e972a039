"""Tables from result files, by the registered tables and renderers: what `run`, `report` and `Results` show."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from benchmark.errors import UsageError, did_you_mean
from benchmark.registry import find, load, registered
from benchmark.results.result_files import Result, identity
from benchmark.results.versions import TASKS_OF_VERSIONS, tasks_apart

SUFFIX = {"latex": "tex", "terminal": "txt"}  # of files in a format; of the other formats: their name
FILE_WIDTH = 120  # columns of a file in the terminal's format


class FolderFormat(NamedTuple):
    """A format of several files."""

    start: str  # the file that is always there
    group: str  # the tables that it shows before those that were asked for


FOLDERS = {"site": FolderFormat("index.html", "leaderboard")}


def fill_tables(
    results: Sequence[Result], names: Iterable[str] | None = None, columns: Sequence[str] | None = None, *,
    headlines: bool = False,
) -> list[Any]:  # fmt: skip
    """Return the named tables (default: every registered one that has rows), filled, to be rendered in any format.

    The name of a group stands for all tables of it; the tables of a group are not among the default ones. `columns`
    are headers or metrics: the suite's own tables show these alone, and tables without one of them are left out.
    A footnote names rows whose tasks, as these tables show them side by side, are of several versions of the code.
    With `headlines` tables show the columns of the overview alone, and those that have none are left out.
    """
    tables = chosen_tables(names)
    if columns is not None:
        tables = _narrowed([_completed(table, results) for table in tables], columns)
    if headlines:
        tables = _with_headlines(tables)
    return _with_notes_on_versions([filled for table in tables for filled in table.fill(results)])


def _with_notes_on_versions(tables: Sequence[Any]) -> list[Any]:
    """Return the tables, with a footnote where rows have tasks of several versions of the code in these tables."""
    apart = tasks_apart(shown for table in tables for row in table.rows for shown in _shown(table, row))
    return [_with_note_on_versions(table, apart) for table in tables] if apart else [*tables]


def _with_note_on_versions(table: Any, apart: Mapping[Any, str]) -> Any:
    rows = {row.label: dict.fromkeys(identity(result) for result, _ in _shown(table, row)) for row in table.rows}
    said = [f"{label} ({apart[found]})" for label, of_row in rows.items() for found in of_row if found in apart]
    note = f"{TASKS_OF_VERSIONS}: {'; '.join(said)}."
    return replace(table, footnotes=(*table.footnotes, note)) if said else table


def _shown(table: Any, row: Any) -> Iterator[tuple[Result, str]]:
    """Yield the results whose numbers stand in a row of a filled table, each with the task ('' for costs)."""
    for column, cell in zip(table.columns, row.cells, strict=True):
        yield from ((result, column.task or table.table.task) for result in cell.results)


def _completed(table: Any, results: Sequence[Result]) -> Any:
    """Return a table with the columns that plugins and results add to it; one of another kind stays as it is."""
    return table.completed(results) if hasattr(table, "completed") else table


def _with_headlines(tables: Sequence[Any]) -> list[Any]:
    """Return the tables of the overview; one that declares no headline is there with all its columns."""
    headlines = [(table, getattr(table, "headline", None)) for table in tables]
    return [
        table if columns is None else replace(table, columns=columns) for table, columns in headlines if columns != ()
    ]


def _narrowed(tables: Sequence[Any], wanted: Sequence[str]) -> list[Any]:
    """Return the tables with the wanted columns alone. Raises UsageError for a column that none of them has."""
    of_table = [(table, {column: {column.header, column.measure} for column in table.columns}) for table in tables]
    known = {name for _, columns in of_table for names in columns.values() for name in names}
    for name in wanted:
        if name not in known:
            raise UsageError(f"--columns: no chosen table has a column '{name}'.{did_you_mean(name, known)}")
    narrowed = []
    for table, columns in of_table:
        kept = tuple(column for column, names in columns.items() if not names.isdisjoint(wanted))
        if kept:
            narrowed.append(replace(table, columns=kept))
    return narrowed


def tables_shown(styles: Iterable[str], names: Sequence[str] | None) -> Sequence[str] | None:
    """Return the tables to fill for these formats: those that were asked for (None: the default ones), after its own.

    The name '' stands for the default tables.
    """
    own = [FOLDERS[style].group for style in styles if style in FOLDERS]
    return [*own, *(names if names is not None else ("",))] if own else names


def check_text_format(style: str) -> None:
    """Raise UsageError for a format that does not exist, or that makes a folder and not one text."""
    find("format", style)
    if style in FOLDERS:
        raise UsageError(f"--format {style} writes a folder: benchmark report --format {style} --out FOLDER")


def render(filled: Sequence[Any], style: str, *, to_file: bool = False) -> str:
    """Return filled tables in a registered format; what goes to a file has the same lines in any terminal.

    Raises UsageError for a format that makes a folder.
    """
    check_text_format(style)
    renderer = load("format", style)
    text: str = renderer(filled, FILE_WIDTH) if to_file and style == "terminal" else renderer(filled)
    return text


def first_file(style: str) -> str:
    """Return the name of the file that a report in this format always has."""
    return FOLDERS[style].start if style in FOLDERS else f"tables.{SUFFIX.get(style, style)}"


def report_files(filled: Sequence[Any], style: str) -> dict[str, str]:
    """Return the files of a report in this format: name -> text."""
    if style not in FOLDERS:
        return {first_file(style): render(filled, style, to_file=True)}
    files: dict[str, str] = load("format", style)(filled)
    return files


def default_tables() -> dict[str, str]:
    """Return the tables that are shown where none is named, in their order, and the task of each ('' for costs)."""
    return {table.name: getattr(table, "task", "") for table in chosen_tables()}


def chosen_tables(names: Iterable[str] | None = None) -> list[Any]:
    """Return the registered tables of these names and groups, what things cost last.

    Raises UsageError with the nearest known name.
    """
    tables = {name: load("table", name) for name in registered("table")}
    groups = {name: getattr(table, "group", "") for name, table in tables.items()}
    chosen: list[str] = []
    for name in names if names is not None else ("",):
        of_group = sorted((table for table, group in groups.items() if group == name), key=_natural)
        of_group.sort(key=lambda table: getattr(tables[table], "of_costs", False))
        members = [name] if name in tables else of_group
        if not members:
            known = {*tables, *filter(None, groups.values())}
            raise UsageError(f"unknown table '{name}'.{did_you_mean(name, known)}")
        chosen += members
    return [tables[name] for name in dict.fromkeys(chosen)]


def _natural(name: str) -> list[tuple[int, str]]:
    """Sort 'table2' before 'table13'."""
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", name)]
