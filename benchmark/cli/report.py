"""Print or write the tables of the runs that exist. Reads result files only.

benchmark report
benchmark report --runs runs --tables id-quality,search --format md,latex,html --out out/
benchmark report --columns R@10,nDCG@10
benchmark report --tables paper --format md        the paper's tables, published values beside ours
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmark.errors import UsageError
from benchmark.results.result_files import RUNS
from benchmark.streams import answer, answer_text


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `benchmark report`."""
    parser.add_argument("--runs", type=Path, default=RUNS, help="folder or archive of results (default runs)")
    parser.add_argument(
        "--tables", default=None, help="comma-separated table names, or paper for all of its (default: the suite's own)"
    )
    parser.add_argument("--columns", help="comma-separated headers or metrics: show these columns alone (R@10,nDCG@10)")
    parser.add_argument("--format", default="terminal", help="terminal, md, latex, csv, json, html; several with --out")
    parser.add_argument("--out", type=Path, default=None, help="write tables.<suffix> files into this folder")
    parser.add_argument("--all-versions", action="store_true", help="show results of older versions of the suite too")


def execute(arguments: argparse.Namespace) -> int:
    """Print the tables, or write one file per format."""
    from benchmark.api.archive import opened_runs
    from benchmark.cli.parsing import words
    from benchmark.files import write_text
    from benchmark.registry import find, registered
    from benchmark.results.digests import write_sums
    from benchmark.results.registered_tables import SUFFIX, fill_tables, render
    from benchmark.results.result_files import newest, older_note, problems, results_below, versions_apart

    styles = words(arguments.format)
    for style in styles:
        find("format", style)
    if arguments.out is None and len(styles) > 1:
        raise UsageError("--format: several formats need --out FOLDER")
    found = results_below(opened_runs(arguments.runs))
    results = versions_apart(found) if arguments.all_versions else newest(found)
    if note := "" if arguments.all_versions else older_note(found, results):
        print(f"benchmark: {note}", file=sys.stderr)
    for problem in problems(results):
        print(f"benchmark: left out: {problem}", file=sys.stderr)
    names = words(arguments.tables) if arguments.tables else None
    columns = words(arguments.columns) if arguments.columns else None
    filled = fill_tables(results, names, columns)
    empty = {*(names or ())} & {*registered("table")} - {table.table.name for table in filled}
    for name in sorted(empty):
        print(f"benchmark: table '{name}': no result below {arguments.runs} has its values", file=sys.stderr)
    if columns and not filled:
        print(f"benchmark: no result below {arguments.runs} has {', '.join(columns)}", file=sys.stderr)
    if arguments.out is None:
        answer_text(render(filled, styles[0]), styles[0])
        return 0
    paths = [arguments.out / f"tables.{SUFFIX.get(style, style)}" for style in styles]
    for style, path in zip(styles, paths, strict=True):
        write_text(path, render(filled, style))
        answer(path)
    write_sums(arguments.out, [path.name for path in paths])
    return 0
