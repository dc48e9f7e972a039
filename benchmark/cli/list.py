"""List methods, data sets, importers, tables, figures, formats or metrics: `benchmark list methods`."""

from __future__ import annotations

import argparse
import json
import math
from typing import Any

from benchmark.metrics.lookup import all_metrics
from benchmark.metrics.metric import BETTER, Metric
from benchmark.registry import describe, registered
from benchmark.terminal import print_table

WHAT = {
    "methods": "method", "datasets": "data set", "importers": "importer", "tables": "table", "figures": "figure",
    "formats": "format",
}  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `benchmark list`."""
    parser.add_argument("what", choices=[*WHAT, "metrics"])
    parser.add_argument("--json", action="store_true")


def execute(arguments: argparse.Namespace) -> int:
    """Print one line each: name, kind, first sentence."""
    rows: list[dict[str, Any]] = []
    if arguments.what == "metrics":
        rows = [_metric(metric) for metric in all_metrics()]
    else:
        for name, entry in registered(WHAT[arguments.what]).items():
            kind, summary = describe(entry)
            rows.append({"name": name, "kind": kind if arguments.what == "methods" else "", "summary": summary})
    if arguments.json:
        print(json.dumps(rows, indent=2, ensure_ascii=False))
        return 0
    kinds = ("kind",) if any(row["kind"] for row in rows) else ()
    print_table([[row[column] for column in ("name", *kinds, "summary")] for row in rows])
    return 0


def _metric(metric: Metric) -> dict[str, Any]:
    limits = [None if math.isinf(limit) else limit for limit in metric.range]
    return {
        "name": metric.name, "kind": ", ".join(metric.tasks) or "cost", "summary": metric.description,
        "unit": metric.unit, "direction": BETTER[metric.higher_is_better], "range": limits, "digits": metric.digits,
    }  # fmt: skip
