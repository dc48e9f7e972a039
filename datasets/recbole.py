"""RecBole's atomic files: tab-separated with typed headers such as `user_id:token` or `title:token_seq`.

    NAME.inter   user, item, and where there is one a time stamp
    NAME.item    item features, texts among them; its title and categories are found by the usual names, or --column
    NAME.user    user features: no method of the suite reads them, so they are left out

Events are sorted by time, stably, and nothing is filtered: RecBole's filters (`user_inter_num_interval`) belong to its
configuration, not to its files. Types: token and float are one value, token_seq and float_seq are separated by spaces;
a sequence of words becomes text, except for the categories; sequences of numbers (float_seq) are left out.

Source: Zhao et al., RecBole, CIKM 2021; atomic files of RecBole 1.2.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

from benchmark.data.importing import Argument, Importer
from benchmark.data.interactions import Interactions
from benchmark.data.layout import find_part
from benchmark.data.writing import FolderWriter, one_word
from benchmark.datasets.delimited import read_delimited, time_of
from benchmark.datasets.mapping import column_argument, parse_mapping
from benchmark.errors import DataError, UsageError, did_you_mean, line_error

TYPES = ("token", "float", "token_seq", "float_seq")
USUAL = {  # our names for the field names of the data sets that RecBole hosts
    "title": ("title", "movie_title", "item_name", "name"),
    "categories": ("categories", "class", "genre", "genres", "category"),
}


class RecBole(Importer):
    """RecBole's atomic files: NAME.inter and NAME.item (tab-separated, typed headers)."""

    title: ClassVar[str] = "RecBole"
    example: ClassVar[str] = "recbole dataset/ml-100k data/ml-100k"
    arguments = (
        Argument("source", "the folder with NAME.inter (NAME is the folder's), or that file", type=Path),
        column_argument("items: title, categories, ...; events.user, events.item, events.time"),
        Argument("--category-separator", "between the categories of an item (default a space)", default=" "),
    )

    def write(self, arguments: SimpleNamespace, writer: FolderWriter) -> str:
        """Write items and sequences."""
        inter = _inter_file(arguments.source)
        stem = inter.name.removesuffix(".gz").removesuffix(".inter")
        mapping = parse_mapping(arguments.column)
        names = {"user": "user_id", "item": "item_id", "time": "timestamp"} | mapping.get("events", {})
        events = self._events(inter, names, writer)
        features = find_part(inter.parent, f"{stem}.item")
        writer.items(_items(features, names["item"], mapping.get("items", {}), arguments, events, writer))
        writer.interactions(events)
        if find_part(inter.parent, f"{stem}.user"):
            writer.notes.append(f"{stem}.user: user features are left out")
        return f"RecBole atomic files {stem}"

    def _events(self, path: Path, names: dict[str, str], writer: FolderWriter) -> Interactions:
        fields = _fields(path)
        for what in ("user", "item"):
            if names[what] not in fields:
                raise line_error(
                    path, 1, f"no field '{names[what]}' (name the {what}'s with --column events.{what}=FIELD); "
                    f"it has: {', '.join(fields)}"
                )  # fmt: skip
            if fields[names[what]] != "token":
                raise line_error(path, 1, f"the field '{names[what]}' is a {fields[names[what]]}, not a token")
        timed = names["time"] in fields
        if not timed:
            writer.notes.append(f"{path.name} has no field '{names['time']}': the order of its lines is trusted")
        events = Interactions()
        rows = read_delimited(path, "\t", quoted=False)
        for place, row in self.progress(((place, _plain(row)) for place, row in rows), "events"):
            user = one_word(row[names["user"]], "a user id", place)
            item = one_word(row[names["item"]], "an item id", place)
            events.add(user, item, time_of(row[names["time"]], place) if timed else 0.0)
        if not len(events):
            raise DataError(f"{path}: holds not one event")
        return events


def _inter_file(source: Path) -> Path:
    if source.is_file():
        if not source.name.removesuffix(".gz").endswith(".inter"):
            raise UsageError(f"import recbole: {source} is no .inter file")
        return source
    found = find_part(source, f"{source.resolve().name}.inter")
    others = sorted([*source.glob("*.inter"), *source.glob("*.inter.gz")]) if source.is_dir() else []
    if found is None and len(others) == 1:
        return others[0]
    if found is None:
        there = f"; it holds {', '.join(path.name for path in others)}: name one" if others else ""
        raise DataError(f"{source}: holds no {source.resolve().name}.inter{there}")
    return found


def _fields(path: Path) -> dict[str, str]:
    """Return field -> type of the header."""
    header = next((list(row) for _, row in read_delimited(path, "\t", quoted=False)), None)
    if header is None:
        raise DataError(f"{path}: holds a header at most")
    fields = {}
    for column in header:
        name, colon, kind = column.rpartition(":")
        if not colon or kind not in TYPES:
            raise line_error(path, 1, f"'{column[:40]}' is not a field of an atomic file (NAME:{'|'.join(TYPES)})")
        fields[name] = kind
    return fields


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {column.rpartition(":")[0]: value for column, value in row.items()}


def _items(
    path: Path | None,
    item_field: str,
    columns: dict[str, str],
    arguments: SimpleNamespace,
    events: Interactions,
    writer: FolderWriter,
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the items of the .item file in its order, then those that only have events, by their id."""
    if path is None:
        if columns:
            raise UsageError("import recbole: --column names item fields, but there is no .item file")
        writer.tasks = ("recommendation",)
        writer.notes.append("no .item file: an item's title is its id, and methods that read texts see nothing")
        yield from ((item, {"id": item, "title": item}) for item in events.items)
        return
    fields = _fields(path)
    if item_field not in fields:
        raise line_error(path, 1, f"no field '{item_field}'; it has: {', '.join(fields)}")
    name_of = _names(path, fields, columns, item_field)
    writer.notes += [f"{path.name}: {name} is taken for {ours}" for name, ours in name_of.items() if name != ours]
    left_out = [name for name in fields if name not in name_of and name != item_field]
    writer.notes += [f"{path.name}: {', '.join(left_out)} left out"] if left_out else []
    seen = set()
    for place, row in read_delimited(path, "\t", quoted=False):
        values = _plain(row)
        item: dict[str, Any] = {"id": values[item_field]}
        for name, ours in name_of.items():
            text = values[name].strip()
            item[ours] = _path(text, arguments.category_separator) if ours == "categories" else text
        seen.add(item["id"])
        yield place, item
    without = [item for item in events.items if item not in seen]
    writer.note_counts({f"items have events but no line in {path.name}; kept without text, at the end": len(without)})
    yield from ((f"{path}: item '{item}'", {"id": item}) for item in without)


def _names(path: Path, fields: dict[str, str], columns: dict[str, str], item_field: str) -> dict[str, str]:
    """Return field -> our name of every field but the item's."""
    for name in columns.values():
        if name not in fields:
            raise UsageError(f"--column: {path.name} has no field '{name}'.{did_you_mean(name, fields)}")
    chosen = {name: ours for ours, name in columns.items()}
    for ours, usual in USUAL.items():
        found = next((name for name in usual if name in fields and name not in chosen), None)
        if ours not in columns and found is not None:
            chosen[found] = ours
    taken = {"id", item_field, *chosen.values()}
    kept = [name for name, kind in fields.items() if name in chosen or (name not in taken and kind != "float_seq")]
    return {name: chosen.get(name, name) for name in kept if name != item_field}


def _path(text: str, separator: str) -> list[str]:
    return [part.strip() for part in text.split(separator) if part.strip()]
