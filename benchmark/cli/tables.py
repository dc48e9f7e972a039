"""What the registered tables show, for `show` and `list`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchmark.errors import BenchmarkError
from benchmark.metrics.metric import Metric
from benchmark.registry import load, registered


def columns_of(table: Any) -> tuple[Any, ...]:
    """Return a table's declared columns; () for one that makes them from the results."""
    return tuple(getattr(table, "columns", ()) or getattr(getattr(table, "spec", None), "columns", ()))


def tables_with(metric: Metric) -> list[str]:
    """Return the names of the tables that have a column of this metric, or of one of its family."""
    found = (name for name, column in _columns() if metric.named(column.measure) or metric.named(column.key))
    return list(dict.fromkeys(found))


def columns_headed(header: str) -> list[tuple[str, Any]]:
    """Return (table, column) of every column with this header."""
    return [(name, column) for name, column in _columns() if column.header.lower() == header.lower()]


def _columns() -> Iterator[tuple[str, Any]]:
    for name in registered("table"):
        try:
            table = load("table", name)
        except BenchmarkError:  # a broken plugin: `benchmark list tables` says what is wrong with it
            continue
        for column in columns_of(table):
            yield name, column
