"""Which item a key of an ID file means, where its keys are row numbers or names of another toolkit.

    items         row numbers count the lines of items.jsonl
    first-seen    they count the items as they first appear in sequences.txt
    FILE          one item a line: they count its lines
                  item TAB key, or key TAB item: the keys are the file's own; JSON: {"item": key} or {"key": item}

A file cannot say which order its rows count in, and a wrong one gives every item the ID of another item: nothing
fails, and the numbers are those of random IDs. So it is asked for, `--ids-order`, and never guessed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.errors import ConfigError, UsageError, line_error
from benchmark.files import home_path
from benchmark.results.id_text import id_json, id_text
from benchmark.types.data import Histories

ITEMS, FIRST_SEEN = "items", "first-seen"
OPTION = "--ids-order"
HOW = (
    f"{OPTION} {ITEMS} (the lines of items.jsonl), {FIRST_SEEN} (first appearance in sequences.txt), or a FILE with "
    "one item a line or item TAB key"
)


@dataclass(frozen=True)
class IdOrder:
    """What the keys of an ID file mean: items by row number, or an item for each key."""

    said: str  # in words, for notes and errors
    items: Sequence[str] = ()
    keys: Mapping[str, str] | None = None


def first_seen(histories: Histories, ids: Sequence[str]) -> tuple[str, ...]:
    """Return the items of all histories in the order in which the file names them first."""
    rows, first = np.unique(np.asarray(histories.items), return_index=True)
    return tuple(ids[row] for row in rows[np.argsort(first)].tolist())


def id_order(order: str, ids: Sequence[str], seen: Sequence[str] = ()) -> IdOrder | None:
    """Return what an order means for these items, None for ''; `seen` are the items as they are first seen."""
    if not order:
        return None
    if order == ITEMS:
        return IdOrder("the lines of items.jsonl", ids)
    if order == FIRST_SEEN:
        if not seen:
            raise ConfigError(f"the order '{FIRST_SEEN}' needs the histories of a data set: say it with {OPTION}")
        return IdOrder("the items as sequences.txt first names them", seen)
    return _order_of_file(home_path(order), frozenset(ids))


def keyed_by_item(
    path: Path, found: Sequence[str], ids: Sequence[str], order: IdOrder | None
) -> tuple[Sequence[str], str]:
    """Return the item that each key of an ID file means, and a note where the keys are not item ids.

    Keys that are not row numbers are item ids, whatever the order. Raises ConfigError where the keys are row numbers
    and no order is given, or where they do not fit it.
    """
    if order is not None and order.keys is not None:
        if unknown := [key for key in found if key not in order.keys]:
            raise ConfigError(f"{path}: {len(unknown):,} keys are not in {order.said}, e.g. '{unknown[0]}'")
        return [order.keys[key] for key in found], f"its keys are those of {order.said}"
    base = _counted_from(found)
    if base is None:
        return found, ""
    if order is not None and len(order.items) != len(found):
        raise ConfigError(f"{path}: has {len(found):,} row numbers, but {order.said} are {len(order.items):,} items")
    if order is not None:
        note = f"its keys are row numbers from {base} on; they count {order.said}"
        return [order.items[int(key) - base] for key in found], note
    if len(found) == len(ids) and not frozenset(found) <= frozenset(ids):
        raise ConfigError(
            f"{path}: its keys are row numbers from {base} on, and which item has which number is not in the file. "
            f"Say in which order they count: {HOW}"
        )
    return found, ""


def _counted_from(keys: Sequence[str]) -> int | None:
    """Return 0 or 1 where the keys are the row numbers 0 .. n-1 or 1 .. n, in any order; None where they are not."""
    numbers = frozenset(keys)
    return next((base for base in (0, 1) if numbers == {str(row + base) for row in range(len(keys))}), None)


def _order_of_file(path: Path, ids: frozenset[str]) -> IdOrder:
    rows = list(_json_rows(path) if path.suffix == ".json" else _text_rows(path))
    columns = list(zip(*(names for _, names in rows), strict=False)) if len({len(n) for _, n in rows}) == 1 else []
    if not columns:
        raise UsageError(f"{OPTION} {path}: expected one item in every line, or an item and a key in every line")
    of_items = max(columns, key=lambda column: sum(name in ids for name in column))
    if ids.isdisjoint(of_items):
        raise UsageError(f"{OPTION} {path}: names none of the data set's items (e.g. '{min(ids)}')")
    if len(columns) == 1:
        return IdOrder(f"the lines of {path.name}", of_items)
    of_keys = columns[0] if of_items is columns[1] else columns[1]
    keys: dict[str, str] = {}
    for (number, _), key, item in zip(rows, of_keys, of_items, strict=True):
        if key in keys:
            raise line_error(path, number, f"the key '{key}' was already given, for '{keys[key]}'")
        keys[key] = item
    return IdOrder(path.name, keys=keys)


def _text_rows(path: Path) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Yield (line number, its one or two columns)."""
    for number, line in enumerate(id_text(path, OPTION).splitlines(), 1):
        columns = tuple(column.strip() for column in (line.split("\t") if "\t" in line else line.split()))
        if not any(columns):
            continue
        if len(columns) > 2 or not all(columns):
            raise line_error(path, number, f"expected an item, or item TAB key; got {line[:60]!r}")
        yield number, columns


def _json_rows(path: Path) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Yield (place in the list or object, item or the pair of item and key)."""
    content = id_json(path, OPTION)
    names = content if isinstance(content, list) else []
    rows: list[tuple[Any, ...]] = list(content.items()) if isinstance(content, dict) else [(name,) for name in names]
    if not rows or any(isinstance(name, list | dict) for row in rows for name in row):
        raise UsageError(f'{OPTION} {path}: expected {{"item": key, ...}} or ["item", ...]')
    for number, row in enumerate(rows, 1):
        yield number, tuple(map(str, row))
