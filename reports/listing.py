"""The listing of a data set's items beside its results: ids and category paths, parsed once for page and figures."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.errors import DataError, line_error
from benchmark.results.once import read_once
from benchmark.types.arrays import Int64

BATCH = 10_000  # lines parsed at once
Categories = tuple[str, ...]  # a category path, general to special


@dataclass(frozen=True)
class Listing:
    """The items of a data set, in their order, and where they stand in the tree of categories."""

    items: list[str]
    paths: tuple[Categories, ...]  # the distinct category paths, () for none
    of_items: Int64  # [n_items], number of each item's path

    def counts(self, rows: Any = slice(None)) -> Counter[Categories]:
        """Return category path -> number of these items (all by default) that have it."""
        numbers = np.bincount(self.of_items[rows], minlength=len(self.paths)).tolist()
        return Counter({path: number for path, number in zip(self.paths, numbers, strict=True) if number})


def read_listing(path: Path) -> Listing:
    """Return a data set's items, read once while the file stays. Raises DataError naming file and line."""
    return read_once(_read_listing, path)


def _read_listing(path: Path) -> Listing:
    items: dict[str, int] = {}  # item -> number of its path
    paths: dict[Categories, int] = {}
    lines, number = lines_of(path), 1
    while some := list(islice(lines, BATCH)):
        for line, item in enumerate(_items(path, some, number), number):
            try:
                categories = tuple(map(str, item.get("categories") or ()))
                items[item["id"]] = paths.setdefault(categories, len(paths))
            except (KeyError, TypeError, AttributeError) as error:
                raise line_error(path, line, f"no item with id and categories ({error!r})") from None
        number += len(some)
    return Listing(list(items), tuple(paths), np.fromiter(items.values(), np.int64, len(items)))


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
