"""From result files to filled tables.

One `FilledTable` per protocol (data set fingerprint, text fields, preset, query set; costs also per device), one row
per label and configuration, each cell a mean over seeds with its 95% t interval; a cell is bold only where its row is
significantly better than every other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from benchmark.reports.labels import row_labels
from benchmark.reports.layout import Cell, Column, FilledTable, Row, Table
from benchmark.reports.significance import BOLD, significantly_best
from benchmark.results import Result, group_seeds
from benchmark.statistics import mean_interval

CONTROLS = ("random", "shuffled", "category", "popularity")
QUERY_SETS = {"simulated": "simulated known-item queries", "judged": "judged queries"}


def build(table: Table, results: Iterable[Result]) -> list[FilledTable]:
    """Fill a table from results: one filled table per protocol, none where no result has the table's task."""
    protocols: dict[Any, list[tuple[Result, ...]]] = {}
    for seeds in group_seeds(result for result in results if _values(table, result)):
        protocol: Any = seeds[0].protocol
        if table.task and table.task != "search":
            protocol = protocol[:-1]  # the query set decides nothing here
        if table.of_costs:
            protocol = (*protocol, str(seeds[0].cost.get("device", "")))
        protocols.setdefault(protocol, []).append(seeds)
    return [_fill(table, groups) for _, groups in sorted(protocols.items(), key=lambda pair: str(pair[0]))]


def _fill(table: Table, groups: list[tuple[Result, ...]]) -> FilledTable:
    labels = row_labels([seeds[0] for seeds in groups])
    order = sorted(range(len(groups)), key=lambda row: (groups[row][0].method in CONTROLS, labels[row]))
    groups, labels = [groups[row] for row in order], [labels[row] for row in order]
    values = [[_values(table, result) for result in seeds] for seeds in groups]
    columns = tuple(column for column in table.columns if any(column.key in seed for row in values for seed in row))
    means = [[_cell([seed[c.key] for seed in row if c.key in seed]) for c in columns] for row in values]
    bold, remarks = _bold(table, columns, groups, labels, means)
    rows = tuple(
        Row(
            label, tuple(result.seed for result in seeds),
            tuple(Cell(c.mean, c.half_width, c.n, (row, i) in bold) for i, c in enumerate(cells)),
            seeds[0].method in CONTROLS, seeds,
        )
        for row, (label, seeds, cells) in enumerate(zip(labels, groups, means, strict=True))
    )  # fmt: skip
    every = [result for seeds in groups for result in seeds]
    notes = _footnotes(table, columns, labels, groups, rows, remarks)
    return FilledTable(table, columns, rows, _caption(table, every), notes)


def _values(table: Table, result: Result) -> dict[str, float]:
    """The values of a result that the table shows, by column key."""
    found = {}
    for column in table.columns:
        value = cost_value(result.cost, column.key) if column.source == "cost" else (
            result.metrics.get(table.task, {}).get(column.key)
        )  # fmt: skip
        if value is not None:
            found[column.key] = value * column.scale
    return found


def cost_value(cost: Mapping[str, Any], key: str) -> float | None:
    """Look a cost key up in cost.json (see `Column`); None where nothing was recorded."""
    name, _, part = key.partition(".")
    stages: Mapping[str, Any] = cost.get("stages") or {}
    if name == "seconds":
        seconds = [s.get("seconds") for stage, s in stages.items() if not part or f"{stage}.".startswith(f"{part}.")]
        numbers = list(filter(_is_number, seconds))
        return float(sum(numbers)) if numbers else None
    if name == "peak_memory":
        peaks = [stage.get("peak_memory") for stage in stages.values()]
        found = [peak.get(part or "cpu") if isinstance(peak, Mapping) else None if part else peak for peak in peaks]
    else:
        facts: Mapping[str, Any] = cost.get("facts") or {}
        found = [values.get(name) for task, values in facts.items() if part in ("", task)]
    return max((float(value) for value in found if value is not None and _is_number(value)), default=None)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float)


def _cell(values: Sequence[float]) -> Cell:
    if not values:
        return Cell()
    interval = mean_interval(values)
    return Cell(interval.mean, interval.half_width, interval.n)


def _bold(
    table: Table, columns: Sequence[Column], groups: Sequence[tuple[Result, ...]], labels: Sequence[str],
    cells: Sequence[Sequence[Cell]],
) -> tuple[set[tuple[int, int]], list[str]]:  # fmt: skip
    """Return the (row, column) cells to print bold, and what the footnotes say about it."""
    if len(groups) < 2:
        return set(), []
    tested = [i for i, column in enumerate(columns) if column.source == "metrics" and column.higher_is_better]
    files = [[result.scores_file(table.task) for result in seeds] for seeds in groups]
    if not tested:
        return set(), []
    if not any(path.is_file() for paths in files for path in paths):
        return set(), ["Nothing is bold: there are no values per query that a paired test could compare."]
    means = [[cells[row][i].mean for i in tested] for row in range(len(groups))]
    verdict = significantly_best(files, [columns[i].key for i in tested], means)
    if verdict.lacking:
        names = ", ".join(labels[row] for row in verdict.lacking)
        return set(), [f"Nothing is bold: per-query values are missing or of other queries for {names}."]
    open_columns = [
        f"{columns[tested[i]].header} ({' and '.join(labels[row] for row in rows)}, p = {p:.2g})"
        for i, (rows, p) in verdict.undecided.items()
    ]
    remarks = [BOLD] + ([f"Not distinguishable: {'; '.join(open_columns)}."] if open_columns else [])
    return {(row, tested[i]) for i, row in verdict.winners.items()}, remarks


def _caption(table: Table, results: Sequence[Result]) -> str:
    """What the numbers are: data set and fingerprint, preset, text fields, queries, seeds, device, dates."""
    first = results[0]
    seeds = sorted({result.seed for result in results})
    stages = [stage for result in results for stage in _stages(table, result)]
    devices = sorted({str(stage["device"]) for stage in stages if stage.get("device")})
    dates = sorted({str(stage["date"])[:10] for stage in stages if stage.get("date")})
    parts = [
        f"{first.dataset['title']} (fingerprint {str(first.dataset['fingerprint'])[:12]})",
        f"preset {first.preset}", f"text fields {', '.join(first.text_fields) or 'none'}",
    ]  # fmt: skip
    if first.queries and table.task == "search":
        parts.append(QUERY_SETS.get(first.queries, f"{first.queries} queries"))
        trained = first.config.get("protocol", {}).get("training_queries", first.queries)
        if trained != first.queries:
            parts.append(f"trained on {QUERY_SETS.get(trained, f'{trained} queries')}")
    parts.append(f"seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, seeds))}")
    parts.append(f"device {', '.join(devices) or 'not recorded'}")
    parts.append(" to ".join(dict.fromkeys((dates[0], dates[-1]))) if dates else "date not recorded")
    return "; ".join(parts) + "."


def _stages(table: Table, result: Result) -> list[Mapping[str, Any]]:
    """Return the costs of the stages that a table's numbers come from; of all where it shows costs."""
    others = [task for task in result.metrics if table.task and task != table.task]
    stages = result.cost.get("stages") or {"": result.cost}
    return [stage for name, stage in stages.items() if not any(name.endswith(f".{task}") for task in others)]


def _footnotes(
    table: Table, columns: Sequence[Column], labels: Sequence[str], groups: Sequence[tuple[Result, ...]],
    rows: Sequence[Row], remarks: Sequence[str],
) -> tuple[str, ...]:  # fmt: skip
    notes = list(dict.fromkeys([*table.footnotes, *(column.note for column in columns if column.note)]))
    if any(cell.n > 1 for row in rows for cell in row.cells):
        notes.append("± is half the 95% t interval over seeds.")
    notes += remarks
    if any("categor" in field for field in groups[0][0].text_fields) and table.task == "id-quality":
        notes.append("The category labels are part of the text here: AMI measures how much of them survives.")
    resumed = [label for label, seeds in zip(labels, groups, strict=True) if any(map(_was_resumed, seeds))]
    if table.of_costs and resumed:
        notes.append(f"Taken up again after a stop, so that seconds are of the last part: {', '.join(resumed)}.")
    protocols = [seeds[0].config.get("protocol") for seeds in groups]
    if table.task and any(left != right for left, right in pairwise(protocols)):
        notes.append("The rows do not share every protocol setting; see config.protocol in their result files.")
    return (*notes, *_remarks_of_runs(labels, groups))


def _was_resumed(result: Result) -> bool:
    return any(stage.get("resumed") for stage in (result.cost.get("stages") or {}).values())


def _remarks_of_runs(labels: Sequence[str], groups: Sequence[tuple[Result, ...]]) -> list[str]:
    """The notes that the runs left: once where every row has one, else after the labels of its rows."""
    said: dict[str, list[str]] = {}
    for label, seeds in zip(labels, groups, strict=True):
        for note in dict.fromkeys(note for result in seeds for note in result.notes):
            said.setdefault(note, []).append(label)
    return [note if len(rows) == len(groups) else f"{', '.join(rows)}: {note}" for note, rows in said.items()]
