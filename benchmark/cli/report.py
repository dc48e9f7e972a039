"""Print or write the tables of the runs that exist. Reads result files only.

benchmark report
benchmark report --runs runs --tables id-quality,search --format md,latex,html --out out/
benchmark report --wide
benchmark report --columns R@10,nDCG@10
benchmark report --tables paper --format md        the paper's tables, published values beside ours
benchmark report --format site --out site          a leaderboard of all data sets, as a folder to publish

Without --tables and --columns the terminal gets an overview: the headline columns of each task. --wide prints all
columns and tables; so does every other format.

--format site writes index.html (the headline metrics of every data set and protocol), a page for each data set (all its
tables, costs, figures and IDs), tables.json with the same numbers, and SHA256SUMS. The pages load nothing.
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
    parser.add_argument(
        "--format", default="terminal", help="terminal, md, latex, csv, json, html, site; several with --out"
    )
    parser.add_argument("--wide", action="store_true", help="in the terminal: all columns and tables, not the overview")
    parser.add_argument(
        "--out", type=Path, default=None, help="write tables.<suffix> files, or the pages of a site, into this folder"
    )
    parser.add_argument("--all-versions", action="store_true", help="show results of older versions of the suite too")


def execute(arguments: argparse.Namespace) -> int:
    """Print the tables, or write one file per format."""
    from benchmark.api.archive import opened_runs
    from benchmark.cli.parsing import words
    from benchmark.cli.run_tables import rest_of
    from benchmark.files import require_folder, write_text
    from benchmark.registry import find, load, registered
    from benchmark.results.digests import write_sums
    from benchmark.results.registered_tables import (
        check_text_format,
        fill_tables,
        render,
        report_files,
        tables_shown,
    )
    from benchmark.results.result_files import newest, problems, results_below, versions_apart
    from benchmark.results.versions import older_note

    styles = words(arguments.format)
    for style in styles:
        find("format", style)
    if arguments.out is None:
        if len(styles) > 1:
            raise UsageError("--format: several formats need --out FOLDER")
        check_text_format(styles[0])
    else:
        require_folder(arguments.out, "--out")
    found = results_below(opened_runs(arguments.runs))
    results = versions_apart(found) if arguments.all_versions else newest(found)
    if note := "" if arguments.all_versions else older_note(found, results):
        print(f"benchmark: {note}", file=sys.stderr)
    for problem in problems(results):
        print(f"benchmark: left out: {problem}", file=sys.stderr)
    names = words(arguments.tables) if arguments.tables else None
    columns = words(arguments.columns) if arguments.columns else None
    overview = styles == ["terminal"] and not (arguments.out or names or columns or arguments.wide)
    filled = fill_tables(results, tables_shown(styles, names), columns, headlines=overview)
    empty = {*(names or ())} & {*registered("table")} - {table.table.name for table in filled}
    for name in sorted(empty):
        print(f"benchmark: table '{name}': no result below {arguments.runs} has its values", file=sys.stderr)
    if columns and not filled:
        print(f"benchmark: no result below {arguments.runs} has {', '.join(columns)}", file=sys.stderr)
    if overview:
        answer(f"{load('tool', 'overview')().text(filled)}\n{rest_of(arguments.runs)}")
        return 0
    if arguments.out is None:
        answer_text(render(filled, styles[0]), styles[0])
        return 0
    files = {name: text for style in styles for name, text in report_files(filled, style).items()}
    for name, text in files.items():
        write_text(arguments.out / name, text)
        answer(arguments.out / name)
    write_sums(arguments.out, files)
    return 0
