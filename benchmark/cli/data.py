"""Check a data set, print its statistics, or write a generated one to a folder.

  benchmark data check PATH
  benchmark data stats demo
  benchmark data write planted:items=5000 my-folder
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

from benchmark.errors import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `benchmark data`."""
    parser.add_argument("action", choices=["check", "stats", "write"])
    parser.add_argument("dataset", help="a name, a folder, or e.g. planted:items=5000")
    parser.add_argument("folder", nargs="?", type=Path, help="where 'write' puts the data set")
    parser.add_argument("--data-root", type=Path, default=None, help="folder of data sets (or BENCHMARK_DATA)")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="folder that holds the cache (default runs)")
    parser.add_argument("--json", action="store_true")


def execute(arguments: argparse.Namespace) -> int:
    """Open the data set, reading every line of it, and say what it holds."""
    from benchmark.data import open_dataset

    dataset = open_dataset(arguments.dataset, cache=arguments.runs / ".cache", data_root=arguments.data_root)
    if arguments.action == "write":
        if arguments.folder is None:
            raise UsageError("data write: name the folder to write to")
        if arguments.folder.exists():
            raise UsageError(f"data write: {arguments.folder} is already there")
        shutil.copytree(dataset.folder, arguments.folder)
        print(arguments.folder)
        return 0
    counts = dataset.counts()
    facts = {"name": dataset.name, "title": dataset.title, "source": dataset.source, "licence": dataset.licence}
    facts |= {"fingerprint": dataset.fingerprint, "tasks": ", ".join(dataset.tasks)}
    facts |= {"query sets": ", ".join(dataset.query_sets)}
    if arguments.json:
        print(json.dumps({**facts, "counts": counts, "warnings": dataset.warnings}, indent=2, ensure_ascii=False))
        return 0
    rows = [*facts.items(), *counts.items()] if arguments.action == "stats" else [("fingerprint", dataset.fingerprint)]
    for name, value in rows:
        print(f"{name:<18} {value}")
    for warning in dataset.warnings:
        print(f"note: {warning}")
    if arguments.action == "check":
        print(f"{dataset.name}: whole, {counts['items']:,} items")
    return 0
