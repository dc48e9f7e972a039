"""What the scatter of quality against cost shows: a point for each configuration and task.

The costs of a point are those of the stages that its task needs: what all tasks share, and its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmark.metrics.lookup import find_metric
from benchmark.reports.tables.captions import data_set, protocol
from benchmark.reports.tables.filling import cost_value, devices
from benchmark.reports.tables.labels import row_labels
from benchmark.reports.tables.layout import FilledTable
from benchmark.results.result_files import Result

KEYS = (
    "seconds", "seconds.encode", "seconds.ids", "seconds.train", "seconds.rank", "peak_memory", "peak_memory.gpu",
    "index_bytes", "parameters.ids", "parameters", "latency_p50",
)  # fmt: skip


def costs() -> list[tuple[str, str, float]]:
    """Return (key, name, scale) of the costs that the axis can show, as the table of metrics declares them."""
    found = [(key, find_metric(key) or find_metric(f"{key}.search")) for key in KEYS]
    return [
        (key, f"{metric.description[0].upper()}{metric.description[1:]} ({metric.unit})", metric.scale)
        for key, metric in found
        if metric is not None
    ]


def qualities(tables: Iterable[FilledTable]) -> list[dict[str, Any]]:
    """Return the metrics that the tables rank by, each once."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for filled in tables:
        for column in filled.columns:
            task = column.task or filled.table.task
            if column.source == "metrics" and column.higher_is_better and task:
                metric = {"task": task, "measure": column.measure, "scale": column.scale, "digits": column.digits}
                found.setdefault((task, column.measure), metric)
    return list(found.values())


def points(groups: Sequence[Sequence[Result]], number: Mapping[Path, int]) -> list[dict[str, Any]]:
    """Return a point for each configuration and task that has costs; `number` gives the runs of a result's folder.

    Points of the same circumstances and task stand in one picture, where their labels differ.
    """
    pictures: dict[tuple[str, str], list[list[Result]]] = {}
    for seeds in groups:
        for task in dict.fromkeys(task for result in seeds for task in result.metrics):
            having = [result for result in seeds if task in result.metrics]
            pictures.setdefault((_circumstances(seeds[0], task), task), []).append(having)
    found = []
    for (circumstances, task), rows in pictures.items():
        for label, seeds in zip(row_labels([seeds[0] for seeds in rows]), rows, strict=True):
            measured = {key: _mean([_cost(result, task, key) for result in seeds], scale) for key, _, scale in costs()}
            names = seeds[0].metrics[task]
            metrics = {name: _mean([result.metrics[task].get(name) for result in seeds]) for name in names}
            found.append({
                "label": label, "control": seeds[0].control, "task": task, "circumstances": circumstances,
                "runs": [number[result.folder] for result in seeds], "quality": metrics,
                "cost": {key: value for key, value in measured.items() if value is not None},
            })  # fmt: skip
    return [point for point in found if point["cost"]]


def _circumstances(result: Result, task: str) -> str:
    """What costs and metrics must share to be compared, in words."""
    device = f"device {devices(result.cost) or 'not recorded'}"
    return "; ".join([data_set(result), *protocol(result, search=task == "search"), device])


def _cost(result: Result, task: str, key: str) -> float | None:
    """Return a cost of what a task needs: the stages without a task in their name, and its own."""
    others = tuple(f".{other}" for other in result.metrics if other != task)
    stages = result.cost.get("stages") or {}
    own = {name: stage for name, stage in stages.items() if not name.endswith(others)} if others else stages
    facts = {name: values for name, values in (result.cost.get("facts") or {}).items() if name in ("ids", task)}
    return cost_value({"stages": own, "facts": facts}, key)


def _mean(values: Sequence[float | None], scale: float = 1.0) -> float | None:
    numbers = [value for value in values if value is not None]
    return scale * sum(numbers) / len(numbers) if numbers else None
