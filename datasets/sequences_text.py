"""Sequence files of S3-Rec, P5 and those that follow them: one user a line, items oldest first, everything a number.

    Beauty.txt, sequential_data.txt     user item item ...
    Beauty_item2attributes.json         {item: [attribute, ...]}
    datamaps.json                       {"id2user", "id2item", "id2attribute", ...}: numbers back to users, ASINs, words
    meta.json.gz                        item metadata of Amazon 2014 (P5's raw data), needs datamaps.json

The order is taken as it is: the files hold no times. Copies of them circulate that are sorted by item (OpenP5's Toys
and Sports); where nearly every history ascends, a note says so. Items stand in the order of their numbers.

Source: Zhou et al., S3-Rec, CIKM 2020; Geng et al., P5, RecSys 2022.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

from benchmark.data.importing import Argument, Importer, existing
from benchmark.data.writing import FolderWriter, one_word
from benchmark.datasets import amazon
from benchmark.datasets.named_items import by_number, check_described, without_item_file
from benchmark.errors import DataError, UsageError, at_line, line_error
from benchmark.fetching.lines import bounded_lines, json_file

Histories = dict[str, list[str]]
SORTED_SHARE = 0.9  # of the longer histories that ascend by item; chance is 1 in 120 at length 5
LONG = 5


class SequencesText(Importer):
    """Sequences of S3-Rec or P5 (Beauty.txt: user item item ...), with attributes and datamaps where there are any."""

    title: ClassVar[str] = "S3-Rec/P5 sequences"
    example: ClassVar[str] = "s3rec Beauty.txt data/beauty-s3rec --attributes Beauty_item2attributes.json"
    arguments = (
        Argument("source", "Beauty.txt of S3-Rec or sequential_data.txt of P5", type=Path),
        Argument("--attributes", "item2attributes.json", type=Path, metavar="JSON"),
        Argument("--datamaps", "datamaps.json: numbers to ids and words", type=Path, metavar="JSON"),
        Argument("--metadata", "item texts: Amazon 2014 metadata, by ASIN", type=Path, metavar="FILE"),
    )

    def write(self, arguments: SimpleNamespace, writer: FolderWriter) -> str:
        """Write items and sequences."""
        source = existing(arguments.source)
        if arguments.metadata and arguments.attributes:
            raise UsageError("import s3rec: give --metadata or --attributes, not both")
        maps = json_file(existing(arguments.datamaps)) if arguments.datamaps else {}
        histories = read_histories(source)
        numbers = sorted({item for items in histories.values() for item in items}, key=by_number)
        writer.notes += ["the files hold no times: the order of the items is trusted", *_suspicion(histories)]
        user_of, item_of = (_names(arguments.datamaps, maps, key) for key in ("id2user", "id2item"))
        ids = {number: _renamed(source, item_of, number, "item") for number in numbers}
        users = {number: _renamed(source, user_of, number, "user") for number in histories}
        for what, names in (("items", ids), ("users", users)):
            if len(set(names.values())) < len(names):
                raise DataError(f"{arguments.datamaps}: two {what} have one name")
        if arguments.metadata:
            _write_metadata(existing(arguments.metadata), ids, writer)
        else:
            words = _names(arguments.datamaps, maps, "id2attribute")
            writer.items(_items(ids, arguments.attributes, words, writer))
        writer.histories((users[user], [ids[item] for item in items]) for user, items in histories.items())
        return f"S3-Rec/P5 sequence file {source.name}"


def read_histories(path: Path) -> Histories:
    """Return user -> items as the file has them. Raises DataError with the line of a user who comes twice."""
    histories: Histories = {}
    for number, line in bounded_lines(path):
        if not histories and line.lstrip()[0] in "{[":
            letter = "LETTER's NAME.inter.json comes in with: benchmark import letter"
            raise line_error(path, number, f"this is JSON, not 'user item item ...': {line[:30]!r}. {letter}")
        user, *items = (one_word(word, "a user or item", at_line(path, number)) for word in line.split())
        if user in histories:
            raise line_error(path, number, f"user '{user}' was already listed")
        if not items:
            raise line_error(path, number, f"user '{user}' has no items: expected user item item ...")
        histories[user] = items
    if not histories:
        raise DataError(f"{path}: empty: not one user")
    return histories


def _suspicion(histories: Histories) -> list[str]:
    long = [[by_number(item) for item in items] for items in histories.values() if len(items) >= LONG]
    ascending = sum(items == sorted(items) for items in long)
    if len(long) < LONG or ascending < SORTED_SHARE * len(long):
        return []
    return [f"in {ascending:,} of {len(long):,} longer histories the items ascend: sorted by item, hardly by time"]


def _names(path: Path | None, maps: dict[str, Any], key: str) -> dict[str, str]:
    """Return number -> name of one of the datamaps; {} where there are none."""
    names = maps.get(key, {})
    if not isinstance(names, dict) or not all(isinstance(name, str | int) for name in names.values()):
        raise DataError(f"{path}: '{key}' must be an object of number and name")
    if maps and not names and key == "id2item":
        raise DataError(f"{path}: has no 'id2item' (its keys: {', '.join(maps)})")
    return {number: str(name) for number, name in names.items()}


def _renamed(path: Path, names: dict[str, str], number: str, what: str) -> str:
    if names and number not in names:
        raise DataError(f"{path}: the {what} {number} is not in the datamaps")
    return one_word(names.get(number, number), f"a {what}", f"datamaps, {what} {number}")


def _attributes(path: Path) -> dict[str, list[Any]]:
    content = json_file(existing(path))
    for item, values in content.items():
        if not isinstance(values, list):
            raise DataError(f"{path}: item '{item}': expected a list of attributes, not {type(values).__name__}")
    return content


def _items(
    ids: dict[str, str], path: Path | None, words: dict[str, str], writer: FolderWriter
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield items with their attributes as text; without any attributes, the id is the title."""
    if path is None:
        yield from without_item_file(ids.values(), writer, "no item texts")
        return
    attributes = _attributes(path)
    check_described(len(ids.keys() & attributes.keys()), ids, attributes, path)
    if not words:
        writer.notes.append("attributes are numbers (their words are in datamaps.json: --datamaps)")
    without_word = 0
    for number, name in ids.items():
        own = [str(value) for value in attributes.get(number, [])]
        without_word += sum(value not in words for value in own) if words else 0
        yield f"item {number}", {"id": name, "attributes": [words.get(value, value) for value in own]}
    writer.note_counts({"attributes have no word in the datamaps; kept as numbers": without_word})


def _write_metadata(path: Path, ids: dict[str, str], writer: FolderWriter) -> None:
    wanted = dict.fromkeys(ids.values())
    writer.notes += amazon.write_items(path, wanted, writer.folder / "items.jsonl")
    writer.ids = set(wanted)
    writer.counts["items"] = len(wanted)
