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
from typing import TYPE_CHECKING, Any

from benchmark.errors import UsageError, did_you_mean
from benchmark.terminal import table_lines

if TYPE_CHECKING:
    from benchmark.reports.tables.comparison import Comparison


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
    from benchmark.reports.tables.comparison import MEASURES, compare, find_pairs, sentence
    from benchmark.results.result_files import load_results

    if not arguments.runs.is_dir():
        raise UsageError(f"--runs {arguments.runs}: no such folder; 'benchmark run' makes it")
    if arguments.task is not None and arguments.task not in MEASURES:
        raise UsageError(f"unknown task '{arguments.task}'.{did_you_mean(arguments.task, MEASURES)}")
    results = load_results(arguments.runs)
    tasks = [arguments.task] if arguments.task else list(MEASURES)
    pairs = find_pairs(results, arguments.a, arguments.b, arguments.dataset, arguments.runs, tasks)
    compared = {task: compare(*pair, task) for task, pair in pairs.items()}
    a, b = (seeds[0].label for seeds in next(iter(pairs.values())))
    names = [arguments.a, arguments.b] if a == b else [a, b]
    sentences = {task: sentence(names[0], names[1], found) for task, found in compared.items()}
    if arguments.json:
        print(json.dumps([_json(names, sentences[task], found) for task, found in compared.items()], indent=1))
        return 0
    for task, pair in pairs.items():
        seeds = [", ".join(str(result.seed) for result in side) for side in pair]
        title = pair[0][0].dataset["title"]
        print(f"{title}, {task}: A = {names[0]} (seeds {seeds[0]}), B = {names[1]} (seeds {seeds[1]})\n")
        print("\n".join([*_table(compared[task]), "", *textwrap.wrap(sentences[task], 120), ""]))
    return 0


def _json(names: Sequence[str], sentence: str, compared: Sequence[Comparison]) -> dict[str, Any]:
    metrics = [{key: value for key, value in vars(found).items() if key != "task"} for found in compared]
    return {"task": compared[0].task, "a": names[0], "b": names[1], "sentence": sentence, "metrics": metrics}


def _table(compared: Sequence[Comparison]) -> list[str]:
    rows = []
    for c in compared:
        interval = "–" if c.low is None else f"[{c.low:+.4f}, {c.high:+.4f}]"
        p_values = ["–" if p is None else f"{p:.4f}" for p in (c.p, c.p_holm)]
        rows.append([c.measure, f"{c.a:.4f}", f"{c.b:.4f}", f"{c.difference:+.4f}", interval, *p_values])
    header = ["", "A", "B", "A - B", "95% interval", "p", "p (Holm)"]
    return table_lines(rows, header=header, numbers=True)
