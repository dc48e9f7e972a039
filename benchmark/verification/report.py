"""Checks a report that `benchmark report --format json,.. --out DIR` wrote against the results it names.

1. Every mean in tables.json is the mean of the metric over the result.json files of its cell.
   What a table derives from run files, `derived` computes from them a second time.
2. Intervals, bold, costs, captions and the other formats are what the suite makes of these results again: the tables
   are rebuilt and compared cell by cell, or line by line. They are seeded, and rounded where the sums of another
   processor differ, so every digit must be the same.
3. Every file has the digest that SHA256SUMS says; a report of an older version has no such file.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import zip_longest
from pathlib import Path
from typing import Any

from benchmark.errors import UsageError
from benchmark.verification.digests import compare_file
from benchmark.verification.files import lines, read_json
from benchmark.verification.findings import MISSING, NO_DIGESTS, NOT_CHECKED, WRONG, Absent, Findings, Flaw

FILE, JSON = "tables.json", "json"  # and the format that writes it
SUMS = "SHA256SUMS"
WRITTEN = (".html", ".md", ".tex", ".txt")  # what may show numbers

Tables = list[dict[str, Any]]


def read_tables(path: Path) -> Tables:
    """Read tables.json. Raises Flaw where it is no list of tables."""
    try:
        tables = json.loads(path.read_text("utf-8"))
        for _, _, _, cell in _cells(tables):
            _ = cell["mean"], cell["results"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Flaw(f"{path.name} is not of the suite's format: {error!r}") from None
    return list(tables)


def named_results(tables: Tables) -> list[str]:
    """Return the paths of all results that the tables name, below the folder of runs."""
    return sorted({path for _, _, _, cell in _cells(tables) for path in cell["results"]})


def check_means(tables: Tables, runs: Path, findings: Findings) -> None:
    """Check each cell's mean of a metric against the result files that the cell names."""
    contents: dict[str, dict[str, Any]] = {}
    for table, row, column, cell in _cells(tables):
        where, what = FILE, f"{table['title']}, {row['label']}, {column['header']}"
        if column["source"] != "metrics" or not column["task"] or cell["mean"] is None or not cell["results"]:
            continue
        values = []
        for path in cell["results"]:
            try:
                content = contents.setdefault(path, read_json(runs / path))
                values.append(float(content["metrics"][column["task"]][column["measure"]]))
            except (Absent, KeyError):
                findings.add(MISSING, where, what, f"{path} has no {column['measure']} of {column['task']}")
            except (Flaw, TypeError, ValueError) as error:
                findings.add(WRONG, where, what, f"{path}: {error}")
        if len(values) == len(cell["results"]):
            mean = math.fsum(values) / len(values) * column["scale"]
            findings.compare(where, what, cell["mean"], mean, "its results")


def check_rebuilt(folder: Path, tables: Tables, runs: Path, findings: Findings) -> None:
    """Build the same tables again from the results they name and compare every format that lies in the folder."""
    from benchmark.registry import registered
    from benchmark.results.registered_tables import fill_tables, first_file, report_files
    from benchmark.results.result_files import VERSION_SIGN, newest, read_result, versions_apart

    files = [runs / path for path in named_results(tables)]
    results = [result for path in files if path.is_file() and not (result := read_result(path)).problem]
    labels = [row["label"] for table in tables for row in table["rows"]]
    apart = any(VERSION_SIGN in label for label in labels)  # the report was made with --all-versions
    results = versions_apart(results) if apart else newest(results)
    names = list(dict.fromkeys(table["name"] for table in tables))
    filled = fill_tables(results, names)
    headers = [[str(column["header"]) for column in table["columns"]] for table in tables]
    if headers != [[column.header for column in table.columns] for table in filled]:  # made with --columns
        chosen = list(dict.fromkeys(header for table in headers for header in table))
        with suppress(UsageError):  # a column that no table has: what differs is named below
            filled = fill_tables(results, names, chosen)
    known = {FILE}
    for style in registered("format"):
        if not (folder / first_file(style)).is_file():
            continue
        for name, text in report_files(filled, style).items():
            known.add(name)
            if not (folder / name).is_file():
                findings.add(MISSING, name, "the file", f"a report in the format {style} has it")
            elif name != FILE:
                _compare_lines(folder / name, text.rstrip("\n").split("\n"), findings)
            elif style == JSON:
                _compare_tables(tables, json.loads(text), findings)
    for path in sorted(folder.iterdir()):
        if path.suffix in WRITTEN and path.name not in known:
            findings.add(NOT_CHECKED, path.name, "the file", "this version does not know how it was made")


def check_sums(folder: Path, findings: Findings) -> None:
    """Check the files of a report's folder against the digests in it."""
    try:
        listed = [line.partition("  ") for _, line in lines(folder / SUMS)]
    except Absent:
        findings.add(NO_DIGESTS, FILE, SUMS, "an older version wrote the report")
        return
    except Flaw as error:
        findings.add(WRONG, SUMS, "the file", str(error))
        return
    for digest, _, name in listed:
        compare_file(folder / name, name, digest, findings)


def _compare_tables(stored: Tables, rebuilt: Tables, findings: Findings) -> None:
    shapes = [
        [(table["title"], [row["label"] for row in table["rows"]]) for table in part] for part in (stored, rebuilt)
    ]
    if shapes[0] != shapes[1]:
        for ours, due in zip_longest(*shapes):
            if ours != due:
                titles = [part[0] if part else "no table" for part in (ours, due)]
                findings.add(WRONG, FILE, titles[0], f"its results give other rows, or another table: {titles[1]}")
                return
    for (table, row, column, cell), (*_, due) in zip(_cells(stored), _cells(rebuilt), strict=True):
        what = f"{table['title']}, {row['label']}, {column['header']}"
        for key in due.keys() | cell.keys():
            findings.checked += 1
            if not _same(cell.get(key), due.get(key)):
                findings.add(
                    WRONG, FILE, f"{what}, {key}", f"says {cell.get(key)!r}, its results give {due.get(key)!r}"
                )
    for table, due in zip(stored, rebuilt, strict=True):
        for key in due.keys() - {"rows"}:
            if table.get(key) != due[key]:
                findings.add(WRONG, FILE, f"{table['title']}, {key}", "is not what its results give")
        for row, due_row in zip(table["rows"], due["rows"], strict=True):
            for key in (row.keys() | due_row.keys()) - {"cells"}:
                if row.get(key) != due_row.get(key):
                    reason = f"says {row.get(key)!r}, its results give {due_row.get(key)!r}"
                    findings.add(WRONG, FILE, f"{table['title']}, {row['label']}, {key}", reason)


def _same(stored: object, due: object) -> bool:
    if isinstance(stored, float) and isinstance(due, float):
        return math.isclose(stored, due, rel_tol=1e-7, abs_tol=1e-7)  # limits are rounded to eight decimals
    return stored == due


def _compare_lines(path: Path, due: Sequence[str], findings: Findings) -> None:
    stored = path.read_text("utf-8", "replace").rstrip("\n").split("\n")
    findings.checked += len(due)
    for number, (line, expected) in enumerate(zip_longest(stored, due), 1):
        if line != expected:
            reason = f"says {_short(line)}, the results give {_short(expected)}"
            findings.add(WRONG, path.name, f"line {number}", reason)
            if len(stored) != len(due):
                return


def _short(line: str | None) -> str:
    return "nothing" if line is None else repr(line if len(line) <= 160 else line[:160] + "..")


def _cells(
    tables: Tables,
) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any], Mapping[str, Any], Mapping[str, Any]]]:
    for table in tables:
        for row in table["rows"]:
            for column, cell in zip(table["columns"], row["cells"], strict=True):
                yield table, row, column, cell
