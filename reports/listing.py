"""The listing of a data set's items beside its results: ids and category paths, parsed once for page and figures."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import Any

from benchmark.errors import DataError, line_error
from benchmark.results.once import read_once

BATCH = 10_000  # lines parsed at once
Categories = tuple[str, ...]  # a category path, general to special


def read_paths(path: Path) -> Mapping[str, Categories]:
    """Return item -> category path, read once while the file stays. Raises DataError naming file and line."""
    return read_once(_read_paths, path)


def _read_paths(path: Path) -> Mapping[str, Categories]:
    paths: dict[str, Categories] = {}
    known: dict[Categories, Categories] = {}
    lines, number = lines_of(path), 1
    while some := list(islice(lines, BATCH)):
        for line, item in enumerate(_items(path, some, number), number):
            try:
                categories = tuple(map(str, item.get("categories") or ()))
                paths[item["id"]] = known.setdefault(categories, categories)
            except (KeyError, TypeError, AttributeError) as error:
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


def lines_of(path: Path) -> Iterator[str]:
    """Lines end at a newline and nowhere else: item ids and titles may hold any other separator."""
    try:
        with path.open(encoding="utf-8", newline="\n") as file:
            for line in file:
                yield line.rstrip("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: {error}") from None
