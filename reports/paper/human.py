"""Table 13, the accuracy of people's judgments of the IDs, from `human-evaluation.json` in the folder of runs.

`benchmark annotate score` writes that file: {"rows": {label: {"accuracy", "low", "high", "groups"}}, "alpha"}. Until
someone has annotated, the cells say so.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmark.reports.paper.spec import GROUP, PAPER, paper_rows, read_toml
from benchmark.reports.paper.verdict import published
from benchmark.reports.tables.layout import Cell, Column, FilledTable, Row
from benchmark.reports.tables.table import Table
from benchmark.results.digests import is_changed
from benchmark.results.result_files import Result

FILE = "human-evaluation.json"
NOT_JUDGED = "not judged"


@dataclass(frozen=True)
class HumanEvaluation(Table):
    """Rows are the labels that people judged, the paper's three first."""

    task: str = ""
    columns: tuple[Column, ...] = (
        Column(
            "accuracy",
            "Accuracy",
            description="share of the judged groups whose items belong together",
        ),
    )
    group: str = GROUP
    shows_seeds: bool = False

    def fill(self, results: Iterable[Result]) -> list[FilledTable]:
        """Return one table for each folder of runs with judgments, or an empty one."""
        folders = sorted({result.folder.parents[3] for result in results if len(result.folder.parents) > 3})
        files = [folder / FILE for folder in folders if (folder / FILE).is_file()]
        return [self._filled(file) for file in files] or [self._filled(None)]

    def _filled(self, file: Path | None) -> FilledTable:
        data = read_toml(self.name)
        judged, alpha, problem = _read(file) if file else ({}, None, "")
        uncertain = data["uncertain"]
        rows, missing = [], 0
        for row in paper_rows(data):
            cell = _cell(judged.pop(row.label, None))
            missing += cell.mean is None
            (value,) = row.published
            assert value is not None
            compared = published(value, cell.mean, [uncertain])
            rows.append(Row(row.title, (), (Cell(**{**vars(cell), "published": compared}),)))
        rows += [Row(label, (), (_cell(entry),)) for label, entry in sorted(judged.items())]
        notes = [f"paper: the published value; n/c: not comparable: {uncertain}."]
        if any(row.cells[0].interval for row in rows):
            notes.append("[low, high] is Wilson's 95% interval over judged groups.")
        if alpha is not None:
            notes.append(f"Krippendorff's alpha of the judges: {alpha:.3f}.")
        if missing:
            notes.append(
                f"Missing: {missing} of {len(data['rows'])} cells: nobody has judged these IDs yet; "
                "'benchmark annotate make' writes the page for judges."
            )
        if problem:
            notes.append(problem)
        caption = f"{PAPER}, {data['source']}. Ours: {FILE if file else 'no judgments yet'}."
        return FilledTable(self, self.columns, tuple(rows), caption, tuple(notes))


def _read(file: Path) -> tuple[dict[str, Mapping[str, Any]], float | None, str]:
    """Return (label -> accuracy with interval, alpha, what is wrong with the file)."""
    try:
        raw = file.read_bytes()
        content = json.loads(raw)
        rows: dict[str, Mapping[str, Any]] = {}
        for label, entry in content["rows"].items():
            shares = {key: float(entry[key]) for key in ("accuracy", "low", "high")}
            rows[str(label)] = {**shares, "groups": int(entry["groups"])}
        alpha = content.get("alpha")
        changed = is_changed(raw, content)
        problem = f"{FILE} was edited or damaged after it was written; see 'benchmark verify'." if changed else ""
        return rows, None if alpha is None else float(alpha), problem
    except (OSError, ValueError, TypeError, AttributeError, KeyError) as error:
        return {}, None, f"{FILE} cannot be read: {error!r}."


def _cell(entry: Mapping[str, Any] | None) -> Cell:
    if entry is None:
        return Cell(gap=NOT_JUDGED)
    return Cell(entry["accuracy"], None, entry["groups"], low=entry["low"], high=entry["high"], interval="judgments")
