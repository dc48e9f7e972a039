"""Get a data set from its public files, check one, print its statistics, or write a generated one to a folder.

  benchmark data get beauty                    asks before it downloads; --yes does not
  benchmark data get beauty --from DOWNLOADS   manually downloaded files
  benchmark data check PATH
  benchmark data stats demo
  benchmark data write planted:items=5000 my-folder
  benchmark data write beauty beauty-tuning --without-test

`check` reads every line, and compares with what was built and downloaded; `stats` has the sizes as the paper counts
them, lengths, empty text fields, tied time stamps and how often a text names its own category. `write --without-test`
makes a copy to choose settings on: without each user's last event and the test judgments.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.errors import DataError, UsageError
from benchmark.results.result_files import RUNS
from benchmark.streams import answer, answer_json
from benchmark.terminal import print_table

if TYPE_CHECKING:
    from benchmark.data.dataset import Dataset


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `benchmark data`."""
    parser.add_argument("action", choices=["get", "check", "stats", "write"])
    parser.add_argument("dataset", help="a name, a folder, or e.g. planted:items=5000")
    parser.add_argument("folder", nargs="?", type=Path, help="where 'write' puts the data set")
    parser.add_argument(
        "--data-root", type=Path, default=None,
        help="folder of data sets (default: BENCHMARK_DATA, or lmindexer-benchmark/data in the user's cache folder)",
    )  # fmt: skip
    parser.add_argument(
        "--from", dest="given", type=Path, metavar="DIR", default=None,
        help="get: a folder, zip or wheel with manually downloaded raw files; nothing is downloaded",
    )  # fmt: skip
    parser.add_argument(
        "--without-test", action="store_true",
        help="write: leave out the test part (each user's last event, the test judgments), to choose settings on",
    )  # fmt: skip
    parser.add_argument("--yes", action="store_true", help="get: download without asking")
    parser.add_argument("--runs", type=Path, default=RUNS, help="folder that holds the cache (default runs)")
    parser.add_argument("--json", action="store_true")


def execute(arguments: argparse.Namespace) -> int:
    """Do one of get, check, stats and write; opening a data set reads every line of it."""
    if arguments.action == "get":
        return _get(arguments)
    from benchmark.api.runs_folder import names_runs

    if arguments.without_test and arguments.action != "write":
        raise UsageError("--without-test goes with: benchmark data write")
    with names_runs(arguments.runs):
        return _read(arguments)


def _read(arguments: argparse.Namespace) -> int:
    from benchmark.data.dataset import open_dataset

    dataset = open_dataset(arguments.dataset, cache=arguments.runs / ".cache", data_root=arguments.data_root)
    if arguments.action == "write":
        if arguments.folder is None:
            raise UsageError("data write: name the folder to write to")
        if arguments.folder.exists():
            raise UsageError(f"data write: {arguments.folder} is already there")
        _write(dataset, arguments.folder, without_test=arguments.without_test)
        return 0
    if arguments.action == "stats":
        return _statistics(dataset, as_json=arguments.json)
    return _check(dataset, as_json=arguments.json)


def _write(dataset: Dataset, folder: Path, *, without_test: bool) -> None:
    from benchmark.data.without_test import write_without_test
    from benchmark.files import whole
    from benchmark.sealing import SEAL

    with whole(folder) as part:
        if without_test:
            write_without_test(dataset, part)
        else:
            part.mkdir()
            for path in dataset.folder.iterdir():
                if path.is_file() and path.name != SEAL:
                    shutil.copyfile(path, part / path.name)
    answer(folder)


def _get(arguments: argparse.Namespace) -> int:
    from benchmark.data.dataset import default_data_root, make_builder
    from benchmark.fetching.builder import FetchedDataset
    from benchmark.fetching.get import Getting

    builder = make_builder(arguments.dataset)
    if not isinstance(builder, FetchedDataset):
        raise UsageError(f"the data set '{builder.name}' is generated where it is used: there is nothing to get")
    getting = Getting(builder, arguments.dataset, arguments.data_root or default_data_root(), arguments.given)
    if getting.target.is_dir():
        print(f"{getting.target} is already there; to build it anew, delete that folder", file=sys.stderr)
        return 0
    print("\n".join(getting.announcement()), file=sys.stderr)
    getting.require_room()
    if getting.missing() and arguments.given is None and not arguments.yes:
        _confirm()
    raw = getting.obtain()
    print(f"building {getting.target}", file=sys.stderr)
    for note in getting.build(raw):
        print(f"note: {note}", file=sys.stderr)
    answer(getting.target)
    return 0


def _confirm() -> None:
    if not sys.stdin.isatty():
        raise UsageError("data get: add --yes to download without being asked")
    print("Download? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise UsageError("data get: nothing was downloaded")


def _facts(dataset: Dataset) -> dict[str, str]:
    return {
        "name": dataset.name,
        "title": dataset.title,
        "source": dataset.source,
        "licence": dataset.licence,
        "fingerprint": dataset.fingerprint,
        "tasks": ", ".join(dataset.tasks),
        "query sets": ", ".join(dataset.query_sets),
    }


def _check(dataset: Dataset, *, as_json: bool) -> int:
    counts = dataset.counts()
    built = dataset.about.get("build", {}).get("fingerprint", dataset.fingerprint)
    if built != dataset.fingerprint:
        raise DataError(
            f"{dataset.folder}: its fingerprint is {dataset.fingerprint}, but {built} when it was built: a file was "
            f"changed since. Delete the folder and call: benchmark data get {dataset.name}"
        )
    raw = _check_raw(dataset)
    dataset.note_markup()
    if as_json:
        content = {**_facts(dataset), "counts": counts, "raw files": raw, "warnings": dataset.warnings}
        answer_json(content)
        return 0
    print_table([["fingerprint", dataset.fingerprint], *(["raw file", f"{name}: {raw[name]}"] for name in raw)])
    _print_notes(dataset)
    answer(f"{dataset.name}: complete, {counts['items']:,} items")
    return 0


def _check_raw(dataset: Dataset) -> dict[str, str]:
    """Compare the raw files that are still there with what the data set was built from."""
    from benchmark.files import file_digest

    states = {}
    for name, expected in dataset.about.get("raw", {}).items():
        path = dataset.folder.parent / "raw" / name
        if not path.is_file():
            states[name] = "no longer there"
        elif file_digest(path) != expected:
            raise DataError(f"{path}: not the file that {dataset.name} was built from (sha256:{expected})")
        else:
            states[name] = "unchanged"
    return states


def _statistics(dataset: Dataset, *, as_json: bool) -> int:
    from benchmark.data.statistics import statistics

    groups = statistics(dataset)
    if as_json:
        content = {**_facts(dataset), "statistics": groups, "warnings": dataset.warnings}
        answer_json(content)
        return 0
    lines = [[name, str(text)] for name, text in _facts(dataset).items()]
    for group, values in groups.items():
        lines.append([group, ", ".join(f"{name} {value:,}" for name, value in values.items())])
    print_table(lines)
    _print_notes(dataset)
    return 0


def _print_notes(dataset: Dataset) -> None:
    for note in [*dataset.about.get("notes", []), *dataset.warnings]:
        answer(f"note: {note}")
