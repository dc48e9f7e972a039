"""Copy a result's TREC run, IDs or JSON to standard output or a file.

  benchmark export runs/demo/rqvae/KEY/seed-0 --format ids
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmark.errors import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `benchmark export`."""
    parser.add_argument("cell", type=Path, help="a result folder, as printed by 'benchmark run --dry-run --json'")
    parser.add_argument("--format", choices=["trec", "ids", "unique-ids", "json"], default="json")
    parser.add_argument("--task", default="recommendation", help="which TREC run (default recommendation)")
    parser.add_argument("--out", type=Path, default=None, help="a file (default: standard output)")


def execute(arguments: argparse.Namespace) -> int:
    """Copy the file, or say which ones are there."""
    from benchmark.store import write_text

    names = {"trec": f"run.{arguments.task}.trec", "ids": "ids.tsv", "unique-ids": "ids.unique.tsv"}
    path = arguments.cell / names.get(arguments.format, "result.json")
    if not path.is_file():
        there = ", ".join(sorted(file.name for file in arguments.cell.glob("*.*")))
        raise UsageError(f"{path}: not there (this folder holds: {there or 'nothing'})")
    text = path.read_text("utf-8")
    if arguments.out is None:
        sys.stdout.write(text)
    else:
        write_text(arguments.out, text)
        print(arguments.out)
    return 0
