"""Means, intervals and comparisons of rankings that come with judgments and without a data set: `benchmark score`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmark.metrics.lookup import find_metric
from benchmark.reports.tables.comparison import TaskComparison, compare_values, sentence
from benchmark.reports.tables.scores import Values, limits

TASK = "search"  # whose metrics have queries for units


def score_values(
    values: Mapping[str, Values], measures: Sequence[str], judgments: str
) -> tuple[dict[str, dict[str, tuple[float, float, float]]], list[TaskComparison]]:
    """Return label -> measure -> (mean, low, high) of values [seeds, queries, measures], and the comparisons."""
    means = {
        label: {name: _mean(name, table[:, :, i]) for i, name in enumerate(measures)}
        for label, table in values.items()
    }  # fmt: skip
    metrics = {name: find_metric(name, TASK) for name in measures}
    better = {name: metric.higher_is_better if metric else None for name, metric in metrics.items()}
    first, *others = values
    compared = []
    for other in others:
        found = compare_values(TASK, measures, values[first], values[other], better, swapped=other < first)
        said = sentence(first, other, found).removeprefix(f"{TASK}: ")
        compared.append(TaskComparison("", first, other, ((), ()), judgments, said, tuple(found)))
    return means, compared


def _mean(name: str, values: Values) -> tuple[float, float, float]:
    found = limits(name, values)
    return float(values.mean()), found.low, found.high
