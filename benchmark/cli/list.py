"""List methods, data sets, importers, tables, figures, formats or metrics: `benchmark list methods`."""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping
from importlib.metadata import EntryPoint
from typing import Any

from benchmark.cli.tables import tables_with
from benchmark.errors import BenchmarkError
from benchmark.metrics.declared import BUILT_IN
from benchmark.metrics.lookup import plugin_metric
from benchmark.metrics.metric import BETTER, Metric
from benchmark.registry import describe, find, registered
from benchmark.streams import answer_json
from benchmark.terminal import print_table

WHAT = {
    "methods": "method", "datasets": "data set", "importers": "importer", "tables": "table", "figures": "figure",
    "formats": "format",
}  # fmt: skip


BROKEN = "broken"  # the kind of a plugin that cannot be imported


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `benchmark list`."""
    parser.add_argument("what", choices=[*WHAT, "metrics"])
    parser.add_argument("--json", action="store_true")


def execute(arguments: argparse.Namespace) -> int:
    """Print one line each: name, kind, first sentence."""
    rows: list[dict[str, Any]] = []
    if arguments.what == "metrics":
        rows = [_metric(metric) for metric in BUILT_IN]
        rows += [_metric_of(entry) for entry in registered("metric").values()]
    else:
        for name in registered(WHAT[arguments.what]):
            kind, summary = _described(WHAT[arguments.what], name)
            rows.append(
                {
                    "name": name,
                    "kind": kind if arguments.what == "methods" or kind == BROKEN else "",
                    "summary": summary,
                }
            )
    if arguments.json:
        answer_json(rows)
        return 0
    kinds = ("kind",) if any(row["kind"] for row in rows) else ()
    print_table([[row[column] for column in ("name", *kinds)] + [_summary(row)] for row in rows])
    return 0


def _summary(row: Mapping[str, Any]) -> str:
    """Return what a name stands for and, of a metric, the tables that show it."""
    return f"{row['summary']} [{', '.join(row['tables'])}]" if row.get("tables") else str(row["summary"])


def _described(what: str, name: str) -> tuple[str, str]:
    """Return kind and summary; of a broken plugin what is wrong with it, so that the others are listed."""
    try:
        return describe(find(what, name))
    except BenchmarkError as error:
        return BROKEN, str(error)


def _metric_of(entry: EntryPoint) -> dict[str, Any]:
    try:
        return _metric(plugin_metric(entry))
    except BenchmarkError as error:
        return {"name": entry.name, "kind": BROKEN, "summary": str(error)}


def _metric(metric: Metric) -> dict[str, Any]:
    limits = [None if math.isinf(limit) else limit for limit in metric.range]
    return {
        "name": metric.name, "kind": ", ".join(metric.tasks) or "cost", "summary": metric.description,
        "unit": metric.unit, "direction": BETTER[metric.higher_is_better], "range": limits, "digits": metric.digits,
        "tables": tables_with(metric),
    }  # fmt: skip
