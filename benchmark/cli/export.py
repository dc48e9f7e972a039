"""Write a result's TREC run, IDs or JSON to standard output or a file, or its training curves for TensorBoard.

  benchmark export runs/demo/rqvae --format ids
  benchmark export runs/demo/rqvae --format index-json --out demo.index.json
  benchmark export runs/demo/rqvae --format tensorboard --out curves/rqvae

`index-json` is the form of LETTER, LC-Rec and MiniOneRec: {"item": ["<a_12>", "<b_7>", ...]}. `unique-` has the dedup
counter as the last token. A file that was changed after its result was written is written all the same, with a warning.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path

from benchmark.errors import DataError, UsageError
from benchmark.streams import answer, answer_data

FORMATS = ["trec", "ids", "unique-ids", "index-json", "unique-index-json", "json", "tensorboard"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `benchmark export`."""
    parser.add_argument("cell", type=Path, help="a result: RUNS/<dataset>/<label>, or a folder seed-<n> in it")
    parser.add_argument("--format", choices=FORMATS, default="json")
    parser.add_argument("--task", default="recommendation", help="which TREC run (default recommendation)")
    parser.add_argument(
        "--out", type=Path, default=None, help="a file (default: standard output); tensorboard: a folder"
    )


def execute(arguments: argparse.Namespace) -> int:
    """Copy or convert the file, or say which ones are there."""
    from benchmark.files import write_text
    from benchmark.results.digests import is_file_changed
    from benchmark.results.row_folder import result_folder

    ids = "ids.unique.tsv" if arguments.format.startswith("unique-") else "ids.tsv"
    names = {"trec": f"run.{arguments.task}.trec", "json": "result.json"}
    cell = result_folder(arguments.cell)
    path = cell / names.get(arguments.format, ids)
    if not any(cell.glob("*.*")):
        raise UsageError(f"no results below {cell}; give RUNS/<dataset>/<label>, or a folder seed-<n> in it")
    if arguments.format == "tensorboard":
        return _export_curves(cell, arguments.out)
    if not path.is_file():
        there = ", ".join(sorted(file.name for file in cell.glob("*.*")))
        raise UsageError(f"{path}: not there (this folder holds: {there})")
    if is_file_changed(cell, path.name):
        print(f"benchmark: {path} was changed after it was written; see 'benchmark verify'", file=sys.stderr)
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: {error}") from None
    if arguments.format.endswith("index-json"):
        from benchmark.results.id_files import index_json

        text = index_json(text, counter=arguments.format.startswith("unique-"))
    if arguments.out is not None and arguments.out.is_dir():
        raise UsageError(f"--out {arguments.out}: is a folder; name a file in it")
    if arguments.out is None:
        answer_data(text)
    else:
        write_text(arguments.out, text)
        answer(arguments.out)
    return 0


def _export_curves(cell: Path, out: Path | None) -> int:
    from benchmark.results.event_files import write_events

    if out is None:
        raise UsageError("--format tensorboard needs --out FOLDER")
    numbers = write_events(cell, out)
    print(f"{numbers:,} numbers; see them with: tensorboard --logdir {shlex.quote(str(out))}", file=sys.stderr)
    answer(out)
    return 0
