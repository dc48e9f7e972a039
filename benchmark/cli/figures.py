"""Draw the figures of the runs that exist. Reads result files only.

  benchmark figures --out figures
  benchmark figures --runs runs --figures categories,id-length --format pdf --out figures
  benchmark figures --figures categories,categories-inside --level 2 --first-codes 3,17 --out figures

Every figure is one column wide; figures.md in the folder shows them with what their numbers are. A figure that the
runs have no data for is named with the run that it needs.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmark.cli.parsing import number_from, whole_numbers, words
from benchmark.results.result_files import RUNS
from benchmark.streams import answer


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `benchmark figures`."""
    parser.add_argument("--runs", type=Path, default=RUNS, help="folder or archive of results (default runs)")
    parser.add_argument("--figures", default=None, help="comma-separated figure names (default: all)")
    parser.add_argument("--format", default="svg,pdf,png", help="svg, pdf, png; several with commas (default all)")
    parser.add_argument("--level", type=number_from(1), help="level of the category path, 1 the most general")
    parser.add_argument("--first-codes", default=None, help="first codes to look inside (default: the largest four)")
    parser.add_argument("--out", type=Path, required=True, help="folder for the files")


def execute(arguments: argparse.Namespace) -> int:
    """Write the figures; exit code 1 if one that was asked for by name is not there, or a file is damaged."""
    from benchmark.api.archive import opened_runs
    from benchmark.files import require_folder
    from benchmark.registry import load
    from benchmark.results.result_files import newest, problems, results_below
    from benchmark.results.versions import older_note

    require_folder(arguments.out, "--out")
    names = words(arguments.figures) if arguments.figures else None
    first_codes = whole_numbers(arguments.first_codes, "--first-codes") if arguments.first_codes else ()
    found = results_below(opened_runs(arguments.runs))
    results = newest(found)
    if note := older_note(found, results):
        print(f"benchmark: {note.partition('; see')[0]}", file=sys.stderr)
    for problem in problems(results):
        print(f"benchmark: left out: {problem}", file=sys.stderr)
    written = load("tool", "figures")(
        results, arguments.out, names=names, styles=words(arguments.format), level=arguments.level,
        first_codes=first_codes,
    )  # fmt: skip
    damaged = absent = False
    for one in written:
        if isinstance(one, Path):
            answer(one)
            continue
        damaged, absent = damaged or bool(one.problem), absent or not one.drawn
        if one.problem:
            print(f"benchmark: no figure '{one.name}': {one.problem}", file=sys.stderr)
        elif one.missing:
            print(f"benchmark: no figure '{one.name}': it needs {one.missing}", file=sys.stderr)
    return 1 if damaged or (names and absent) else 0
