"""Say whether one method is better than another, metric by metric, with intervals and corrected p-values.

  benchmark compare rqkmeans random --dataset demo
  benchmark compare rqkmeans random --dataset demo --task search --json

A and B are labels, or folders of results where a label has several configurations. Each query set, preset and choice of
text fields is compared for itself; where A and B have no preset in common, those they have. Reads result files only.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmark.results.result_files import RUNS
from benchmark.streams import answer, answer_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `benchmark compare`."""
    parser.add_argument("a", metavar="A", help="a label, or a folder of results")
    parser.add_argument("b", metavar="B", help="likewise")
    parser.add_argument("--dataset", default=None, help="the data set's name (default: all in common)")
    parser.add_argument("--task", default=None, help="id-quality, recommendation or search (default: all in common)")
    parser.add_argument("--runs", type=Path, default=RUNS, help="folder or archive of results (default runs)")
    parser.add_argument("--json", action="store_true", help="print JSON")


def execute(arguments: argparse.Namespace) -> int:
    """Print one table and one sentence per task and protocol."""
    from benchmark.api.archive import opened_runs
    from benchmark.api.compare import compare

    runs = opened_runs(arguments.runs)
    found = compare(arguments.a, arguments.b, dataset=arguments.dataset, task=arguments.task, runs=runs)
    if arguments.json:
        answer_json(found.to_dicts(), indent=1)
    else:
        answer(found)
    return 0
