"""Where the numbers of a page come from: its results, numbered, with all that made them.

A configuration is what the seeds of a row share; a run is one of its seeds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from benchmark.reports.html.command import command
from benchmark.reports.tables.captions import data_set
from benchmark.reports.tables.filling import cost_value
from benchmark.reports.tables.layout import Cell, Column, FilledTable
from benchmark.results.result_files import Result, group_seeds


class Sources:
    """The results that stand in some tables, numbered by configuration and seed.

    `pages` says on which other page the IDs of a data set are explored.
    """

    def __init__(self, tables: Iterable[FilledTable], pages: Mapping[str, str] = MappingProxyType({})) -> None:
        self.pages = pages
        results = {result.folder: result for filled in tables for row in filled.rows for result in row.results}
        self.groups = group_seeds(results.values(), by_key=True)
        self.results = [result for seeds in self.groups for result in seeds]
        self.number: dict[Path, int] = {result.folder: run for run, result in enumerate(self.results)}

    def configurations(self) -> list[dict[str, Any]]:
        """Return what the seeds of each configuration share, and the command that makes them."""
        return [_configuration(seeds, self.pages.get(str(seeds[0].dataset["name"]), "")) for seeds in self.groups]

    def runs(self) -> list[dict[str, Any]]:
        """Return what each result has of its own: seed, files, versions, device, date."""
        return [
            {"configuration": number, **_run(result)}
            for number, seeds in enumerate(self.groups)
            for result in seeds
        ]  # fmt: skip

    def cells(self, filled: FilledTable) -> list[list[dict[str, Any]]]:
        """Return for each cell [rows][columns] its runs, the value of each, its interval and its published value."""
        return [
            [self._cell(filled, column, cell) for column, cell in zip(filled.columns, row.cells, strict=True)]
            for row in filled.rows
        ]

    def _cell(self, filled: FilledTable, column: Column, cell: Cell) -> dict[str, Any]:
        found: dict[str, Any] = {}
        known = [result for result in cell.results if result.folder in self.number]
        if known:
            found["runs"] = [self.number[result.folder] for result in known]
            found["values"] = [_value(filled, column, result) for result in known]
        if cell.low is not None:
            found |= {"low": cell.low, "high": cell.high, "interval": cell.interval}
        if cell.published is not None:
            found["published"] = {
                "value": cell.published.value, "difference": cell.difference, "verdict": cell.published.verdict,
                "reasons": cell.published.reasons,
            }  # fmt: skip
        return found


def _value(filled: FilledTable, column: Column, result: Result) -> float | None:
    """The value of one seed; None where the column is of all seeds together."""
    if column.source == "cost":
        value = cost_value(result.cost, column.key)
    else:
        value = result.metrics.get(column.task or filled.table.task, {}).get(column.measure)
    return None if value is None else value * column.scale


def explorer_link(result: Result, page: str = "") -> str:
    """Return where a page's ID explorer shows the IDs of a result's configuration; '' where it has none."""
    if not (result.folder / "ids.tsv").is_file():
        return ""
    return f"{page}#ids={quote('/'.join(result.folder.parts[-4:-1]))}"


def _configuration(seeds: Sequence[Result], page: str) -> dict[str, Any]:
    result = seeds[0]
    return {
        "ids": next(filter(None, (explorer_link(each, page) for each in seeds)), ""),
        "label": result.label, "method": result.method, "kind": result.kind, "data": data_set(result),
        "counts": result.dataset.get("counts") or {}, "preset": result.preset, "fields": result.text_fields,
        "queries": result.queries, "key": result.key, "command": command(seeds), "config": result.config,
        "notes": list(dict.fromkeys(note for each in seeds for note in each.notes)),
    }  # fmt: skip


def _run(result: Result) -> dict[str, Any]:
    return {
        "seed": result.seed, "folder": "/".join(result.folder.parts[-4:]), "files": _files(result.folder),
        "versions": _versions(result), "device": result.cost.get("device"),
        "date": result.cost.get("date"), "seconds": cost_value(result.cost, "seconds"),
    }  # fmt: skip


def _versions(result: Result) -> list[dict[str, Any]]:
    """Return git revision and package versions of the tasks; tasks that were computed with the same share an entry."""
    found: list[dict[str, Any]] = []
    for task in result.metrics:
        made_with = {"revision": result.revisions.get(task), "packages": result.versions.get(task) or {}}
        same = next((entry for entry in found if all(entry[key] == made_with[key] for key in made_with)), None)
        if same is None:
            found.append({"tasks": [task], **made_with})
        else:
            same["tasks"].append(task)
    return found


def _files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("[!.]*") if path.is_file())
