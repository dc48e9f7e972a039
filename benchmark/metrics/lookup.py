"""Finding a metric's declaration by name: the suite's own (`declared`), plugins', and ir-measures' (`named`)."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import EntryPoint

from benchmark.errors import BenchmarkError
from benchmark.metrics.declared import BUILT_IN
from benchmark.metrics.metric import RANKED, IdMetric, Metric, QueryMetric
from benchmark.registry import load, registered


def all_metrics() -> tuple[Metric, ...]:
    """Return every declaration: single metrics and families, the plugins' last."""
    return (*BUILT_IN, *(metric for _, metric in plugins()))


def find_metric(name: str, task: str = "") -> Metric | None:
    """Return the declaration of a metric that result files or tables name so, of any task or of this one."""
    own = _built_in(name, task) or next(
        (metric for _, metric in plugins() if metric.name == name and (not task or task in metric.tasks)), None
    )
    if own or (task and task not in RANKED):
        return own
    from benchmark.metrics.named import named_metric  # ir-measures is needed for its names alone

    return named_metric(name)


def metrics_titled(title: str) -> list[Metric]:
    """Return the metrics whose column in tables has this header, or this one before a bracket: 'Beam misses'."""
    found = [metric for known in all_metrics() if (metric := known.titled(title))]
    return found or [metric for metric in all_metrics() if metric.title.partition(" (")[0].lower() == title.lower()]


def _built_in(name: str, task: str = "") -> Metric | None:
    candidates = (metric for metric in BUILT_IN if not task or task in metric.tasks)
    return next((found for metric in candidates if (found := metric.named(name))), None)


def plugins() -> Iterator[tuple[EntryPoint, IdMetric | QueryMetric]]:
    """Yield the metrics of installed plugins with their entry points.

    Raises BenchmarkError for one that cannot be imported, is not a metric, or has a name that is taken.
    """
    names: set[str] = set()
    for entry in registered("metric").values():
        metric = plugin_metric(entry)
        if metric.name in names:
            where = f"the metric '{entry.name}' ({entry.value})"
            raise BenchmarkError(f"{where}: another plugin has a metric '{metric.name}' too; uninstall one")
        names.add(metric.name)
        yield entry, metric


def plugin_metric(entry: EntryPoint) -> IdMetric | QueryMetric:
    """Return the metric of a plugin; raise BenchmarkError where it cannot be imported or is not a metric of its own."""
    metric = load("metric", entry.name)
    where = f"the metric '{entry.name}' ({entry.value})"
    if not isinstance(metric, IdMetric | QueryMetric):
        raise BenchmarkError(f"{where} must be an IdMetric or a QueryMetric, not {type(metric).__name__}")
    if _built_in(metric.name) or "<" in metric.name:
        raise BenchmarkError(f"{where} has the name of a built-in metric, '{metric.name}': give it another")
    return metric
