"""The files beside a result that figures read: IDs, the items' category paths, the training log."""

from __future__ import annotations

import json
from collections.abc import Container, Iterator
from pathlib import Path
from typing import Any

from benchmark.errors import DataError, line_error
from benchmark.results.result_files import Result, read_id_lines

Code = tuple[int, ...]
Categories = tuple[str, ...]  # a category path, general to special


def ids_file(result: Result) -> Path:
    """Where an indexer's IDs lie."""
    return result.folder / "ids.tsv"


def read_known_ids(result: Result, known: Container[str]) -> dict[str, Code]:
    """Return an indexer's IDs. Raises DataError where an item is not known."""
    path = ids_file(result)
    ids = read_id_lines(path)
    stranger = next((item for item in ids if item not in known), None)
    if stranger is not None:
        raise DataError(f"{path}: the item {stranger!r} is not in {result.items_file}")
    return ids


def read_paths(path: Path) -> dict[str, Categories]:
    """Return item -> category path. Raises DataError naming file and line."""
    paths: dict[str, Categories] = {}
    for number, line in enumerate(_lines(path), 1):
        try:
            item = json.loads(line)
            paths[item["id"]] = tuple(map(str, item["categories"]))
        except (ValueError, KeyError, TypeError) as error:
            raise line_error(path, number, f"no item with id and categories ({error!r})") from None
    return paths


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
