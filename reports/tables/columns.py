"""Columns of metrics, as the table of metrics declares them (`benchmark.metrics`)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from benchmark.errors import BenchmarkError
from benchmark.metrics.lookup import find_metric, plugins
from benchmark.metrics.metric import Metric
from benchmark.metrics.named import stored_names
from benchmark.reports.tables.layout import Column

if TYPE_CHECKING:
    from benchmark.results.result_files import Result


def columns(task: str, *names: str) -> tuple[Column, ...]:
    """Return a column for each metric of a task ('' for costs). Raises BenchmarkError for one that is not declared.

    columns("search", "nDCG@10", "R@10")
    """
    return tuple(column(task, name) for name in names)


def column(task: str, name: str, /, **changes: Any) -> Column:
    """Return the column of one metric, with fields of its own where the table says more."""
    metric = find_metric(name, task)
    if metric is None:
        raise BenchmarkError(f"the metric '{name}' of the task '{task}' is not declared; see: benchmark list metrics")
    return _column(metric, **changes)


def plugin_columns(task: str) -> tuple[Column, ...]:
    """Return the columns of the installed plugins' metrics of a task."""
    return tuple(_column(metric) for _, metric in plugins() if task in metric.tasks)


def further_columns(task: str, results: Iterable[Result]) -> tuple[Column, ...]:
    """Return the columns of the plugins' metrics of a task, then of those that `--metrics` has added to its results."""
    of_plugins = plugin_columns(task)
    names = dict.fromkeys(name for result in results for name in result.metrics.get(task, {}))
    for known in of_plugins:
        names.pop(known.key, None)
    return (*of_plugins, *columns(task, *stored_names(task, names)))


def _column(metric: Metric, /, **changes: Any) -> Column:
    unit = f" ({metric.unit})" if metric.unit else ""
    declared: dict[str, Any] = {
        "key": metric.name, "header": metric.title, "digits": metric.digits,
        "higher_is_better": metric.higher_is_better, "source": metric.source, "scale": metric.scale,
        "note": metric.note, "description": f"{metric.description}{unit}",
    }  # fmt: skip
    return Column(**{**declared, **changes})
