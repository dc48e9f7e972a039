"""Print or write the tables of the runs that exist. Reads result files only.

  benchmark report
  benchmark report --runs runs --tables id-quality,search --format md,latex --out out/
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmark.errors import UsageError

SUFFIX = {"md": "md", "latex": "tex", "terminal": "txt"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `benchmark report`."""
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="folder of results (default runs)")
    parser.add_argument("--tables", default=None, help="comma-separated table names (default: all)")
    parser.add_argument("--format", default="terminal", help="terminal, md, latex; several with --out")
    parser.add_argument("--out", type=Path, default=None, help="write tables.<suffix> files into this folder")


def execute(arguments: argparse.Namespace) -> int:
    """Print the tables, or write one file per format."""
    from benchmark.cli.output import tables_text
    from benchmark.cli.words import words
    from benchmark.registry import find
    from benchmark.results import load_results, problems
    from benchmark.store import write_text

    if not arguments.runs.is_dir():
        raise UsageError(f"--runs {arguments.runs}: no such folder; 'benchmark run' makes it")
    results = load_results(arguments.runs)
    for problem in problems(results):
        print(f"benchmark: left out: {problem}", file=sys.stderr)
    names = words(arguments.tables) if arguments.tables else None
    for name in names or ():
        find("table", name)
    styles = words(arguments.format)
    for style in styles:
        find("format", style)
    if arguments.out is None:
        if len(styles) > 1:
            raise UsageError("--format: several formats need --out FOLDER")
        print(tables_text(results, styles[0], names=names))
        return 0
    for style in styles:
        path = arguments.out / f"tables.{SUFFIX.get(style, style)}"
        write_text(path, tables_text(results, style, names=names))
        print(path)
    return 0
