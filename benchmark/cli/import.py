"""Bring in a data set from the files of another benchmark or toolkit, as a folder that `benchmark run` takes.

  benchmark import FORMAT SOURCE... FOLDER
  benchmark run --methods rqkmeans,bm25 --dataset FOLDER

FOLDER appears only when it is whole. What was left out or repaired is counted on the way and kept in its dataset.toml.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from benchmark.errors import BenchmarkError, UsageError, quoted
from benchmark.registry import load, registered
from benchmark.streams import answer

if TYPE_CHECKING:
    from benchmark.data.importing import Argument, Importer


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add one sub-command per format."""
    formats = parser.add_subparsers(dest="format", metavar="FORMAT", required=True)
    lines = []
    for name in registered("importer"):
        try:
            importer = _importer(name)
        except BenchmarkError as error:  # another package's format must not take the rest away
            lines.append(f"  {name:<13} {error}")
            continue
        summary = (importer.__doc__ or "").partition("\n")[0]
        lines.append(f"  {name:<13} {summary}\n{'':<16}benchmark import {importer.example}")
        one = formats.add_parser(name, description=f"{summary}\n\n  benchmark import {importer.example}")
        one.formatter_class = argparse.RawDescriptionHelpFormatter
        for argument in importer.arguments:
            _add(one, argument)
        one.add_argument("folder", type=Path, help="the folder to write")
    parser.epilog = "formats ('benchmark import FORMAT --help' has the options):\n" + "\n".join(lines)


def _importer(name: str) -> type[Importer]:
    from benchmark.data.importing import Importer

    found = load("importer", name)
    if not (isinstance(found, type) and issubclass(found, Importer)):
        raise BenchmarkError(f"the importer '{name}' is not an Importer but {quoted(found)}")
    return found


def _add(parser: argparse.ArgumentParser, argument: Argument) -> None:
    parser.add_argument(
        argument.name,
        action="append" if argument.repeatable else "store",
        type=Path if argument.type is Path else _reader(argument.type),
        default=[] if argument.repeatable else argument.default,
        metavar=argument.metavar,
        help=argument.help,
    )


def _reader(read: Callable[[str], Any]) -> Callable[[str], Any]:
    """Return the function with its ValueError as argparse's own error, whose words are printed."""

    def value(word: str) -> Any:
        try:
            return read(word)
        except UsageError:  # our own words: main prints them
            raise
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return value


def execute(arguments: argparse.Namespace) -> int:
    """Write the folder, then print its counts and its path."""
    from benchmark.data.importing import bring_in

    importer = _importer(arguments.format)(_progress)
    values = SimpleNamespace(**{argument.key: getattr(arguments, argument.key) for argument in importer.arguments})
    written = bring_in(importer, values, arguments.folder)
    for note in written.notes:
        print(f"note: {note}", file=sys.stderr)
    print(", ".join(f"{count:,} {what}" for what, count in written.counts.items()), file=sys.stderr)
    answer(arguments.folder)
    return 0


def _progress(iterable: Iterable[Any], title: str, total: int | None = None) -> Iterable[Any]:
    if not sys.stderr.isatty():
        return iterable
    from tqdm import tqdm

    bar: Iterable[Any] = tqdm(iterable, desc=f"  {title}", total=total, leave=False, dynamic_ncols=True)
    return bar
