"""Pack results into one small file that can be published: metrics, settings, costs, IDs, values per user and query.

  benchmark archive --runs runs --out beauty.tar.xz
  benchmark report --runs beauty.tar.xz
  benchmark verify beauty.tar.xz

Rankings are left out for their size; items, histories, queries and judgments because their licence may forbid to pass
them on. The archive says of each result what is left out and keeps its digest. To go on from it: tar xf beauty.tar.xz
-C runs, then 'benchmark run --any-version' finds its results done.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmark.results.result_files import RUNS
from benchmark.streams import answer


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `benchmark archive`."""
    parser.add_argument("--runs", type=Path, default=RUNS, help="folder of results (default runs)")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.tar.xz", help="the file to write")


def execute(arguments: argparse.Namespace) -> int:
    """Write the archive and say what it holds."""
    from benchmark.api.archive import write_archive

    replaced = arguments.out.is_file()
    results, files = write_archive(arguments.runs, arguments.out)
    if replaced:
        answer(f"{arguments.out} was there before and is replaced")
    answer(f"{arguments.out}: {results} results, {files} files, {arguments.out.stat().st_size / 1e6:.1f} MB")
    return 0
