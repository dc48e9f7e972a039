"""LETTER's data (and LC-Rec's and MiniOneRec's, which have the same files): JSON objects over numbered items.

    NAME.inter.json     {"user": [item, item, ...]}                    oldest first, all of a user's events
    NAME.item.json      {"item": {"title", "description", ...}}       optional: without it an item has no text
    NAME.index.json     {"item": ["<a_12>", "<b_7>", ...]}            semantic IDs, read here for its keys only

The ids of the data set are the items' numbers as the files write them, in the order of the numbers, so that
`--ids NAME.index.json` scores the published IDs on their own data. An item that only NAME.index.json or NAME.item.json
names has no events and is kept.

Source: Wang et al., LETTER, CIKM 2024, and its released data.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

from benchmark.data.importing import Argument, Importer, existing
from benchmark.data.layout import find_part
from benchmark.data.writing import FolderWriter, one_word
from benchmark.datasets.categories import SIGNS, find_separator, separator_argument
from benchmark.datasets.named_items import by_number, check_described, without_item_file
from benchmark.errors import DataError, UsageError
from benchmark.fetching.lines import json_file

ENDING = ".inter.json"
Content = dict[str, Any]


class LETTER(Importer):
    """LETTER's data: NAME.inter.json, with NAME.item.json and NAME.index.json beside it where there are any."""

    title: ClassVar[str] = "LETTER"
    example: ClassVar[str] = "letter data/Beauty data/beauty-letter"
    arguments = (
        Argument("source", "the folder with NAME.inter.json, or that file", type=Path),
        separator_argument(", else commas"),
    )

    def write(self, arguments: SimpleNamespace, writer: FolderWriter) -> str:
        """Write items and sequences."""
        source = _inter_file(arguments.source)
        name = source.name.removesuffix(".gz").removesuffix(ENDING)
        histories = _histories(source)
        features, index = (find_part(source.parent, f"{name}.{part}.json") for part in ("item", "index"))
        texts = json_file(features) if features else {}
        used = dict.fromkeys(item for items in histories.values() for item in items)
        ids = _keys(index, used) if index else {}
        items = sorted({**used, **dict.fromkeys(texts), **ids}, key=by_number)
        if features is None:
            writer.items(without_item_file(items, writer, f"no {name}.item.json"))
        else:
            check_described(len(used.keys() & texts.keys()), used, texts, features)
            writer.items(_items(features, items, texts, arguments.category_separator, writer))
        writer.histories(histories.items())
        writer.notes.append("the files hold no times: the order of the items is trusted")
        without_events = len(items) - len(used)
        writer.note_counts({
            "items have no event": without_events,
            f"items are not in {name}.index.json, so --ids will refuse that file": len(items) - len(ids) if ids else 0,
        })  # fmt: skip
        return f"LETTER's files {name}"


def _inter_file(source: Path) -> Path:
    if not source.is_dir():
        if not source.name.removesuffix(".gz").endswith(ENDING):
            raise UsageError(f"import letter: {source} is not a {ENDING} file")
        return existing(source)
    found = sorted([*source.glob(f"*{ENDING}"), *source.glob(f"*{ENDING}.gz")])
    if len(found) != 1:
        there = f"{', '.join(path.name for path in found)}: name one" if found else f"no *{ENDING}"
        raise DataError(f"{source}: holds {there}")
    return found[0]


def _histories(path: Path) -> dict[str, list[str]]:
    histories: dict[str, list[str]] = {}
    for key, items in json_file(path).items():
        user = one_word(key, "a user id", str(path))
        place = f"{path}: user '{user}'"
        if not isinstance(items, list) or not items:
            raise DataError(f"{place}: expected a list of items, not {str(items)[:40]}")
        histories[user] = [one_word(item, "an item", place) for item in items]
    if not histories:
        raise DataError(f"{path}: empty: not one user")
    return histories


def _keys(path: Path, used: dict[str, None]) -> dict[str, None]:
    """Return the items of the ID file. Raises DataError where it numbers items in another way than the histories."""
    keys = dict.fromkeys(one_word(key, "an item", str(path)) for key in json_file(path))
    check_described(len(used.keys() & keys.keys()), used, keys, path)
    return keys


def _items(
    path: Path, items: list[str], texts: Content, given: str, writer: FolderWriter
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the items with their features; categories are one text, names separated by commas."""
    for item, record in texts.items():
        if not isinstance(record, dict):
            raise DataError(f"{path}: item '{item[:60]}': expected an object of texts, not {str(record)[:40]}")
    paths = (record.get("categories") for record in texts.values())
    separator = find_separator((text for text in paths if isinstance(text, str)), given, signs=(*SIGNS, ","))
    writer.notes += [f"{path.name}: {note}" for note in separator.notes]
    writer.note_counts({f"items are not in {path.name}; kept without text": sum(item not in texts for item in items)})
    for item in items:
        record = {"id": item, **{key: value for key, value in texts.get(item, {}).items() if key != "id"}}
        if isinstance(text := record.get("categories"), str):
            record["categories"] = separator.path(text)
        yield f"{path}: item '{item}'", record
