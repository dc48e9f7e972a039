"""Compute what a table of the paper still lacks, as `benchmark run` would, and print it with the published values.

  benchmark reproduce table1 --preset small --dataset beauty
  benchmark reproduce table3 --preset paper --dataset beauty,sports,toys --seeds 0,1,2 --dry-run

At preset `paper`, rows that the paper took from elsewhere run at `published`. The text fields are the paper's, with
the category in the text, unless --text-fields says otherwise. What cannot run is named, and the table marks the hole.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
from pathlib import Path
from typing import Any

from benchmark.cli.words import whole_numbers, words
from benchmark.errors import UsageError, did_you_mean


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `benchmark reproduce`."""
    parser.add_argument("table", help="table1 .. table6 (see: benchmark list tables)")
    parser.add_argument("--preset", default="paper", help="tiny, small, base or paper (default paper)")
    parser.add_argument("--dataset", default=None, help="comma-separated (default: all data sets of the table)")
    parser.add_argument("--seeds", default="0", help="comma-separated (default 0)")
    parser.add_argument("--set", action="append", default=[], metavar="LABEL.KEY=VALUE", help="as for benchmark run")
    parser.add_argument("--text-fields", default="paper", help="paper (with category), default, or a list")
    parser.add_argument("--data-root", type=Path, default=None, help="folder of data sets (or BENCHMARK_DATA)")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="folder for results (default runs)")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--format", default="terminal", help="of the table: terminal, md, latex, json")
    parser.add_argument("--dry-run", action="store_true", help="print the plan and the cost estimate, compute nothing")


def execute(arguments: argparse.Namespace) -> int:
    """Plan, estimate, run, report; exit code 0 only if every planned cell is there."""
    from benchmark.api.reproduction import estimate, make_part, parts_of
    from benchmark.cli import run
    from benchmark.registry import find
    from benchmark.reports.paper.paper_table import PaperTable
    from benchmark.results.result_files import load_results
    from benchmark.results.tables import chosen_tables, tables_text
    from benchmark.running.plan import parse_settings, parse_text_fields

    find("format", arguments.format)
    chosen = chosen_tables([arguments.table])
    table = chosen[0] if len(chosen) == 1 else None
    if not isinstance(table, PaperTable):
        raise UsageError(f"'{arguments.table}' is not a table that runs can fill; see: benchmark list tables")
    seeds = whole_numbers(arguments.seeds, "--seeds")
    owners = [*(row.label for row in table.spec.rows), "generative"]
    for key in parse_settings(arguments.set):
        if (owner := key.partition(".")[0]) not in owners:
            raise UsageError(f"--set {key}: no row '{owner}' in this table.{did_you_mean(owner, owners)}")
    names = words(arguments.dataset) if arguments.dataset else list(table.spec.data_sets)
    parts, holes = [], []
    for name in names:
        for preset, rows in parts_of(table.spec, arguments.preset).items():
            part, problems = make_part(arguments, table.spec, name, preset, rows, seeds)
            parts += [part] if part else []
            holes += [problem for problem in problems if problem not in holes]
    costs = estimate(parts, load_results(arguments.runs))
    for line in [*_plan_lines(parts), *(f"hole   {hole}" for hole in holes), *costs]:
        print(line, file=sys.stdout if arguments.dry_run else sys.stderr)
    if arguments.dry_run:
        return 1 if holes else 0
    code = 1 if holes else 0
    parser = argparse.ArgumentParser()
    run.add_arguments(parser)
    for part in parts:
        if part.missing:
            with contextlib.redirect_stdout(sys.stderr):  # the run's own tables are not what was asked for
                code = max(code, run.execute(parser.parse_args(part.words)))
    presets = {part.preset for part in parts}
    fields = parse_text_fields(arguments.text_fields)
    results = [r for r in load_results(arguments.runs) if r.preset in presets and r.text_fields == fields]
    print(tables_text(results, arguments.format, names=[arguments.table]))
    return code


def _plan_lines(parts: list[Any]) -> list[str]:
    return [
        f"{'done ' if cell.done() else 'to do'}  {part.dataset}: {cell.title}" for part in parts for cell in part.cells
    ]
