"""The files beside a result that figures read: IDs, the items' category paths, the training log."""

from __future__ import annotations

import json
from collections.abc import Container, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import Any

from benchmark.errors import DataError, line_error
from benchmark.results.once import read_once
from benchmark.results.result_files import Result, read_id_lines

BATCH = 10_000  # lines parsed at once
Code = tuple[int, ...]
Categories = tuple[str, ...]  # a category path, general to special


def ids_file(result: Result) -> Path:
    """Where an indexer's IDs lie."""
    return result.folder / "ids.tsv"


def read_known_ids(result: Result, known: Container[str]) -> Mapping[str, Code]:
    """Return an indexer's IDs. Raises DataError where an item is not known."""
    path = ids_file(result)
    ids = read_id_lines(path)
    stranger = next((item for item in ids if item not in known), None)
    if stranger is not None:
        raise DataError(f"{path}: the item {stranger!r} is not in {result.items_file}")
    return ids


def read_paths(path: Path) -> Mapping[str, Categories]:
    """Return item -> category path, read once while the file stays. Raises DataError naming file and line."""
    return read_once(_read_paths, path)


def _read_paths(path: Path) -> Mapping[str, Categories]:
    paths: dict[str, Categories] = {}
    known: dict[Categories, Categories] = {}
    lines, number = _lines(path), 1
    while some := list(islice(lines, BATCH)):
        for line, item in enumerate(_items(path, some, number), number):
            try:
                categories = tuple(map(str, item["categories"]))
                paths[item["id"]] = known.setdefault(categories, categories)
            except (KeyError, TypeError) as error:
                raise line_error(path, line, f"no item with id and categories ({error!r})") from None
        number += len(some)
    return MappingProxyType(paths)


def _items(path: Path, lines: Sequence[str], first: int) -> list[Any]:
    """Parse lines of JSON at once, which takes half the time; where one is damaged, find it."""
    try:
        items: list[Any] = json.loads(f"[{','.join(lines)}]")
        if len(items) == len(lines):
            return items
    except ValueError:
        pass
    for number, line in enumerate(lines, first):
        try:
            json.loads(line)
        except ValueError as error:
            raise line_error(path, number, f"no item with id and categories ({error!r})") from None
    return [json.loads(line) for line in lines]


def read_log(result: Result) -> list[dict[str, Any]]:
    """Return the records of a training log, none where there is no log. Raises DataError naming file and line."""
    path = result.folder / "log.jsonl"
    records = []
    for number, line in enumerate(_lines(path) if path.is_file() else (), 1):
        try:
            record = json.loads(line)
            records.append({"stage": str(record["stage"]), "step": int(record["step"]), **record})
        except (ValueError, KeyError, TypeError) as error:
            raise line_error(path, number, f"no log record with stage and step ({error!r})") from None
    return records


def _lines(path: Path) -> Iterator[str]:
    """Lines end at a newline and nowhere else: item ids and titles may hold any other separator."""
    try:
        with path.open(encoding="utf-8", newline="\n") as file:
            for line in file:
                yield line.rstrip("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: {error}") from None
