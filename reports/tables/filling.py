"""From result files to filled tables.

One `FilledTable` per protocol (data set fingerprint, text fields, preset, query set; costs also per device), one row
per label and configuration, each cell a mean over seeds with its 95% interval; a cell is bold only where its row is
significantly better than every other of the same conditions (`benchmark.reports.tables.conditions`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import Any, TypeVar

from benchmark.errors import DataError
from benchmark.reports.tables.captions import (
    data_set,
    protocol,
    remarks_of_readers,
    remarks_of_runs,
    remarks_on_sizes,
    representative_result,
    run_conditions,
    scored,
)
from benchmark.reports.tables.cells import Seeds, best_cells, fewer_seeds, interval_notes, mean_cell, metric_cells
from benchmark.reports.tables.changes import words_on_changes
from benchmark.reports.tables.columns import further_columns
from benchmark.reports.tables.conditions import conditions
from benchmark.reports.tables.counters import remarks_on_counters
from benchmark.reports.tables.histories import history_rules, warning_on_order
from benchmark.reports.tables.labels import row_labels, scratch_notes
from benchmark.reports.tables.layout import Cell, Column, Declaration, FilledTable, Row
from benchmark.results.result_files import Result, group_seeds

Table = TypeVar("Table", bound=Declaration)
RANKING = ("recommendation", "search")


def build(table: Declaration, results: Iterable[Result]) -> list[FilledTable]:
    """Fill a table from results: one filled table per protocol, none where no result has the table's task."""
    results = tuple(results)
    table = with_further_columns(table, results)
    protocols: dict[Any, list[tuple[Result, ...]]] = {}
    for seeds in group_seeds(result for result in results if _has_values(table, result)):
        shared: Any = seeds[0].protocol
        if table.task and table.task != "search":
            shared = shared[:-1]  # the query set decides nothing here
        if table.of_costs:
            shared = (*shared, devices(seeds[0].cost))
        protocols.setdefault(shared, []).append(seeds)
    return [_fill(table, groups) for _, groups in sorted(protocols.items(), key=lambda pair: str(pair[0]))]


def with_further_columns(table: Table, results: Iterable[Result]) -> Table:
    """Return the table with a column for each further metric of its task, where it takes any."""
    if not table.with_plugins:
        return table
    return replace(table, columns=(*table.columns, *further_columns(table.task, results)), with_plugins=False)


def _fill(table: Declaration, groups: list[tuple[Result, ...]]) -> FilledTable:
    labels = row_labels([seeds[0] for seeds in groups])
    order = sorted(range(len(groups)), key=lambda row: (groups[row][0].control, labels[row]))
    groups, labels = [groups[row] for row in order], [labels[row] for row in order]
    cells = _cells(table, groups)
    shown = [i for i in range(len(table.columns)) if any(row[i].mean is not None for row in cells)]
    columns, cells = tuple(table.columns[i] for i in shown), [[row[i] for i in shown] for row in cells]
    bold, remarks = best_cells(table.task, groups, labels, columns, cells)
    letters = conditions(table.task, labels, groups).groups
    rows = tuple(
        Row(
            label, tuple(result.seed for result in seeds),
            tuple(replace(cell, bold=(row, i) in bold) for i, cell in enumerate(cells[row])),
            seeds[0].control, seeds, letters[row],
        )
        for row, (label, seeds) in enumerate(zip(labels, groups, strict=True))
    )  # fmt: skip
    changed, of_changes = words_on_changes(groups, [table.task])
    notes = _footnotes(table, columns, labels, groups, rows, [*remarks, *of_changes])
    caption = _caption(table, [result for seeds in groups for result in seeds], changed)
    return FilledTable(table, columns, rows, caption, notes)


def _cells(table: Declaration, groups: Sequence[Seeds]) -> list[list[Cell]]:
    """Return cells [groups][columns]: metrics with the interval that their values allow, costs with Student's t."""
    columns = table.columns
    metrics = metric_cells(table.task, groups, columns) if table.task else [[Cell()] * len(columns) for _ in groups]
    cells = []
    for seeds, row in zip(groups, metrics, strict=True):
        agreement = _stability(seeds) if any(column.source == "seeds" for column in columns) else {}
        made = {"cost": partial(_cost_cell, seeds), "seeds": partial(_seeds_cell, seeds, agreement)}
        cells.append([made[c.source](c) if c.source in made else cell for c, cell in zip(columns, row, strict=True)])
    return cells


def _stability(seeds: Seeds) -> dict[str, float]:
    """Agreement of the seeds' IDs; {} where they cannot be compared, so that the cells stay empty."""
    from benchmark.metrics.stability import stability

    try:
        return stability([result.folder / "ids.tsv" for result in seeds])
    except DataError:
        return {}


def _seeds_cell(seeds: Seeds, values: Mapping[str, float], column: Column) -> Cell:
    value = values.get(column.key)
    return Cell() if value is None else Cell(value * column.scale, None, len(seeds), results=seeds)


def _cost_cell(seeds: Seeds, column: Column) -> Cell:
    costs = {result.seed: cost_value(result.cost, column.key) for result in seeds}
    values = [value * column.scale for value in costs.values() if value is not None]
    return replace(mean_cell(values), results=tuple(result for result in seeds if costs[result.seed] is not None))


def _has_values(table: Declaration, result: Result) -> bool:
    return any(_value(table, column, result) is not None for column in table.columns)


def _value(table: Declaration, column: Column, result: Result) -> float | None:
    if column.source == "cost":
        return cost_value(result.cost, column.key)
    return result.metrics.get(table.task, {}).get(column.measure)


def cost_value(cost: Mapping[str, Any], key: str) -> float | None:
    """Look a cost key up in cost.json (see `Column`); None where nothing was recorded.

    A key without a part is the largest value of the tasks' stages; `parameters.ids` is of the stage `ids`.
    """
    name, _, part = key.partition(".")
    stages: Mapping[str, Any] = cost.get("stages") or {}
    facts: Mapping[str, Any] = cost.get("facts") or {}
    if name == "seconds":
        numbers = list(filter(_is_number, _seconds(stages, facts, part)))
        return float(sum(numbers)) if numbers else None
    if name == "trials":
        found = [cost.get(name)]
    elif name == "peak_memory":
        peaks = [stage.get("peak_memory") for stage in stages.values()]
        found = [peak.get(part or "cpu") if isinstance(peak, Mapping) else None if part else peak for peak in peaks]
    else:
        parts = (part,) if part else tuple(RANKING)
        found = [values.get(name) for of, values in facts.items() if of in parts]
    return max((float(value) for value in found if value is not None and _is_number(value)), default=None)


def _seconds(stages: Mapping[str, Any], facts: Mapping[str, Any], part: str) -> list[Any]:
    """Return the seconds of a part; a recommender or retriever trains and ranks in one stage, and its facts tell."""
    if part == "rank":
        return [values.get("rank_seconds") for values in facts.values()]
    seconds = [stage.get("seconds") for name, stage in stages.items() if not part or f"{name}.".startswith(f"{part}.")]
    return seconds + [values.get("fit_seconds") for values in facts.values() if part == "train"]


def devices(cost: Mapping[str, Any]) -> str:
    """Return the devices of all stages."""
    stages: Mapping[str, Any] = cost.get("stages") or {}
    found = {str(stage["device"]) for stage in stages.values() if stage.get("device")}
    return ", ".join(sorted(found)) or str(cost.get("device") or "")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float)


def _caption(table: Declaration, results: Sequence[Result], changed: str) -> str:
    """What the numbers are: data set, preset and changes, text fields, queries, seeds, device, dates."""
    first = representative_result(results)
    search = table.task == "search" or (table.of_costs and any("search" in result.metrics for result in results))
    parts = [data_set(first), *protocol(first, search=search, changed=changed)]
    parts += scored(results, table.task) if table.task else []
    return "; ".join([*parts, *run_conditions(results, [table.task] if table.task else [])]) + "."


def _footnotes(
    table: Declaration, columns: Sequence[Column], labels: Sequence[str], groups: Sequence[tuple[Result, ...]],
    rows: Sequence[Row], remarks: Sequence[str],
) -> tuple[str, ...]:  # fmt: skip
    notes = list(dict.fromkeys([*table.footnotes, *(column.note for column in columns if column.note)]))
    notes += [*interval_notes([(row.label, row.cells) for row in rows]), *fewer_seeds(columns, rows), *remarks]
    if any(column.measure == "AMI" for column in columns):
        notes += remarks_on_sizes(labels, groups)
    if any("categor" in field for field in groups[0][0].text_fields) and table.task == "id-quality":
        notes.append("The category labels are part of the text here: AMI measures how much of them survives.")
    resumed = [label for label, seeds in zip(labels, groups, strict=True) if any(map(_was_resumed, seeds))]
    if table.of_costs and resumed:
        notes.append(f"Resumed after an interruption (times cover only the last session): {', '.join(resumed)}.")
    beside = [label for label, seeds in zip(labels, groups, strict=True) if any(map(_was_beside_others, seeds))]
    if table.of_costs and beside:
        rows_of = f": {', '.join(beside)}" if len(beside) < len(labels) else ""
        notes.append(f"Times are not those of an idle machine: other cells may have run beside{rows_of}.")
    run_on: dict[str, list[str]] = {}  # tasks -> rows
    for label, seeds in zip(labels, groups, strict=True):
        run_on.setdefault(", ".join(dict.fromkeys(task for r in seeds for task in r.metrics)), []).append(label)
    if table.of_costs and len(run_on) > 1:
        of_rows = "; ".join(f"{tasks}: {', '.join(rows)}" for tasks, rows in run_on.items())
        notes.append(f"Seconds and memory are over the tasks that a row was run on. {of_rows}.")
    if table.task == "recommendation":
        notes += [*history_rules(labels, groups), *warning_on_order([result for seeds in groups for result in seeds])]
    protocols = [seeds[0].config.get("protocol") for seeds in groups]
    if table.task and any(left != right for left, right in pairwise(protocols)):
        notes.append("The rows do not share every protocol setting; see config.protocol in their result files.")
    notes += [*remarks_on_counters(table.task, columns, labels, groups), *scratch_notes(rows)]
    return (*notes, *remarks_of_readers(labels, groups, table.task), *remarks_of_runs(labels, groups))


def _was_resumed(result: Result) -> bool:
    return any(stage.get("resumed") for stage in (result.cost.get("stages") or {}).values())


def _was_beside_others(result: Result) -> bool:
    return any(stage.get("workers", 1) > 1 for stage in (result.cost.get("stages") or {}).values())
