"""Compute what a table of the paper still lacks, as `benchmark run` would, and print it with the published values.

  benchmark reproduce table1 --preset small --dataset beauty
  benchmark reproduce table3 --preset paper --dataset beauty,sports,toys --seeds 0,1,2 --dry-run

At preset `paper`, rows that the paper took from elsewhere run at `published`. The text fields are the paper's, with
the category in the text, unless --text-fields says otherwise. What cannot run is named; the
table marks the missing cells.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmark.cli.parsing import parse_settings, whole_numbers, words
from benchmark.results.result_files import RUNS
from benchmark.streams import answer, answer_text


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `benchmark reproduce`."""
    parser.add_argument("table", help="table1 .. table6 (see: benchmark list tables)")
    parser.add_argument("--preset", default="paper", help="tiny, small, base or paper (default paper)")
    parser.add_argument("--dataset", default=None, help="comma-separated (default: all data sets of the table)")
    parser.add_argument("--seeds", default="0", help="comma-separated (default 0)")
    parser.add_argument("--set", action="append", default=[], metavar="LABEL.KEY=VALUE", help="as for benchmark run")
    parser.add_argument("--text-fields", default="paper", help="paper (with category), default, or a list")
    parser.add_argument("--data-root", type=Path, default=None, help="folder of data sets (or BENCHMARK_DATA)")
    parser.add_argument("--runs", type=Path, default=RUNS, help="folder for results (default runs)")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--workers", default="auto", metavar="N|auto", help="as for benchmark run")
    parser.add_argument("--executor", default="local", help="as for benchmark run")
    parser.add_argument("--format", default="terminal", help="of the table: terminal, md, latex, json")
    parser.add_argument("--dry-run", action="store_true", help="print the plan and the cost estimate, compute nothing")


def execute(arguments: argparse.Namespace) -> int:
    """Plan, estimate, run, report; exit code 0 only if every planned cell is there."""
    from benchmark.api.reproduce import plan_reproduction
    from benchmark.api.run import to_stderr
    from benchmark.api.run_request import RunRequest
    from benchmark.results.registered_tables import check_text_format
    from benchmark.running.crew import parse_workers
    from benchmark.running.executors.cluster import parse_executor

    check_text_format(arguments.format)
    shared = RunRequest(
        "", seeds=whole_numbers(arguments.seeds, "--seeds"), settings=parse_settings(arguments.set),
        preset=arguments.preset, text_fields=arguments.text_fields, runs=arguments.runs,
        data_root=arguments.data_root, device=arguments.device, workers=parse_workers(arguments.workers),
        executor=parse_executor(arguments.executor),
    )  # fmt: skip
    names = words(arguments.dataset) if arguments.dataset else None
    if arguments.dry_run:
        with TemporaryDirectory() as room:  # where there is no folder of runs, none is made
            cache = None if arguments.runs.is_dir() else Path(room)
            planned = plan_reproduction(arguments.table, names, replace(shared, cache=cache))
            for line in planned.plan_lines():
                answer(line)
        return 1 if planned.unavailable else 0
    planned = plan_reproduction(arguments.table, names, shared)
    for line in planned.plan_lines():
        to_stderr(line)
    results = planned.execute(to_stderr)
    for cell, reason in results.failures.items():
        to_stderr(f"benchmark: failed: {cell}: {reason}")
    answer_text(results.table(arguments.table).text(arguments.format), arguments.format)
    return 1 if planned.unavailable or results.failures else 0
