"""Say whether one method is better than another, metric by metric, with intervals and corrected p-values.

  benchmark compare rqkmeans random --dataset demo
  benchmark compare rqkmeans random --dataset demo --task search --json

A and B are labels, or folders of results where a label has several. Reads result files only.
"""

from __future__ import annotations

import argparse
import json
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmark.errors import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `benchmark compare`."""
    parser.add_argument("a", metavar="A", help="a label, or a folder of results")
    parser.add_argument("b", metavar="B", help="likewise")
    parser.add_argument("--dataset", default=None, help="the data set's name (needed where there are several)")
    parser.add_argument("--task", default=None, help="id-quality, recommendation or search (default: all in common)")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="folder of results (default runs)")
    parser.add_argument("--json", action="store_true", help="print JSON")


def execute(arguments: argparse.Namespace) -> int:
    """Print one table and one sentence per task."""
    from benchmark.registry import load
    from benchmark.results.result_files import load_results

    if not arguments.runs.is_dir():
        raise UsageError(f"--runs {arguments.runs}: no such folder; 'benchmark run' makes it")
    compared = load("tool", "compare")(
        load_results(arguments.runs), arguments.a, arguments.b,
        dataset=arguments.dataset, task=arguments.task, runs=arguments.runs,
    )  # fmt: skip
    if arguments.json:
        print(json.dumps([_json(one) for one in compared], indent=1))
        return 0
    for one in compared:
        seeds = [", ".join(map(str, side)) for side in one.seeds]
        print(f"{one.dataset}, {one.task}: A = {one.a} (seeds {seeds[0]}), B = {one.b} (seeds {seeds[1]})\n")
        print("\n".join([*_table(one.metrics), "", *textwrap.wrap(one.sentence, 120), ""]))
    return 0


def _json(compared: Any) -> dict[str, Any]:
    metrics = [{key: value for key, value in vars(found).items() if key != "task"} for found in compared.metrics]
    return {
        "task": compared.task, "a": compared.a, "b": compared.b, "sentence": compared.sentence, "metrics": metrics
    }  # fmt: skip


def _table(compared: Sequence[Any]) -> list[str]:
    rows = [["", "A", "B", "A - B", "95% interval", "p", "p (Holm)"]]
    for c in compared:
        interval = "–" if c.low is None else f"[{c.low:+.4f}, {c.high:+.4f}]"
        p_values = ["–" if p is None else f"{p:.4f}" for p in (c.p, c.p_holm)]
        rows.append([c.measure, f"{c.a:.4f}", f"{c.b:.4f}", f"{c.difference:+.4f}", interval, *p_values])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    texts = [[row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])] for row in rows]
    return ["  ".join(line) for line in texts]
