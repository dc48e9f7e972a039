"""RecBole's atomic files: tab-separated with typed headers such as `user_id:token` or `title:token_seq`.

    NAME.inter                          user, item, and where there is one a time stamp
    NAME.train.inter, .valid.inter, .test.inter     the same in three parts, read together
    NAME.item                           item features; its title and categories go by the usual names, or --column
    NAME.user                           user features: no method of the suite reads them, so they are left out

Events are sorted by time, stably, and nothing is filtered: RecBole's filters (`user_inter_num_interval`) belong to its
configuration, not to its files. A file with `item_id_list` holds whole histories (`item_lists`). Types: token and float
are one value, token_seq and float_seq are separated by spaces; a sequence of words becomes text, except for the
categories, which real files also separate by commas; sequences of numbers (float_seq) are left out.

Source: Zhao et al., RecBole, CIKM 2021; atomic files of RecBole 1.2.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

from benchmark.data.importing import Argument, Importer
from benchmark.data.interactions import Interactions
from benchmark.data.layout import find_part
from benchmark.data.writing import FolderWriter, one_word
from benchmark.datasets.atomic import AtomicFile
from benchmark.datasets.categories import separator_argument
from benchmark.datasets.item_lists import ItemLists
from benchmark.datasets.mapping import column_argument, parse_mapping
from benchmark.datasets.recbole_items import read_items
from benchmark.datasets.times import TimeColumn
from benchmark.errors import DataError, UsageError, line_error

PARTS = ("train", "valid", "test")


class RecBole(Importer):
    """RecBole's atomic files: NAME.inter (or its train, valid and test parts) and NAME.item, with typed headers."""

    title: ClassVar[str] = "RecBole"
    example: ClassVar[str] = "recbole dataset/ml-100k data/ml-100k"
    arguments = (
        Argument("source", "the folder with NAME.inter (NAME is the folder's), or that file", type=Path),
        column_argument("items: title, categories, ...; events.user, events.item, events.time"),
        separator_argument(" in most texts, a comma in a token_seq, else its spaces"),
    )

    def write(self, arguments: SimpleNamespace, writer: FolderWriter) -> str:
        """Write items and sequences."""
        stem, files = _inter_files(arguments.source, writer)
        mapping = parse_mapping(arguments.column)
        names = {"user": "user_id", "item": "item_id", "time": "timestamp"} | mapping.get("events", {})
        names["list"] = f"{names['item']}_list"
        whole_histories = names["list"] in files[0].fields
        for file in files:
            _check_fields(file, names, whole_histories)
            used = [names[what] for what in (("user", "item", "list") if whole_histories else ("user", "item", "time"))]
            writer.notes += file.notes()
            writer.note_left_out(file.path.name, [name for name in file.fields if name not in used])
        features = find_part(files[0].path.parent, f"{stem}.item")
        if whole_histories:
            lists = ItemLists()
            for file in files:
                lists.add(file, self.progress(file.rows(), "lists"), names)
            histories = lists.histories(writer)
            writer.notes.append(f"histories are put together from {names['list']}: the order of its items is trusted")
            used_items = dict.fromkeys(item for items in histories.values() for item in items)
            writer.items(read_items(features, names["item"], mapping.get("items", {}), arguments, used_items, writer))
            writer.histories(histories.items())
        else:
            events = self._events(files, names, writer)
            writer.items(read_items(features, names["item"], mapping.get("items", {}), arguments, events.items, writer))
            writer.interactions(events)
        if find_part(files[0].path.parent, f"{stem}.user"):
            writer.notes.append(f"{stem}.user: user features are left out")
        return f"RecBole atomic files {stem}"

    def _events(self, files: Iterable[AtomicFile], names: Mapping[str, str], writer: FolderWriter) -> Interactions:
        events, times, files = Interactions(), TimeColumn(), list(files)
        have = [file.path.name for file in files if names["time"] in file.fields]
        lack = [file.path.name for file in files if names["time"] not in file.fields]
        if have and lack:
            raise DataError(
                f"{files[0].path.parent}: {', '.join(have)} has the field '{names['time']}' and {', '.join(lack)} has "
                "not, so the events cannot be sorted: give it to all parts or to none"
            )
        for file in files:
            timed, before = bool(have), len(events)
            if not timed:
                writer.notes.append(
                    f"{file.path.name} has no field '{names['time']}': the order of its lines is trusted"
                )
            for place, row in self.progress(file.rows(), "events"):
                user = one_word(row[names["user"]], "a user id", place)
                item = one_word(row[names["item"]], "an item id", place)
                events.add(user, item, *(times.read(row[names["time"]], place) if timed else (None,)))
            if len(events) == before:
                raise DataError(f"{file.path}: holds not one event")
        writer.notes += times.notes(names["time"])
        return events


def _inter_files(source: Path, writer: FolderWriter) -> tuple[str, list[AtomicFile]]:
    """Return NAME and its .inter file, or the parts of it that there are, in the order of PARTS."""
    if source.is_file():
        if not source.name.removesuffix(".gz").endswith(".inter"):
            raise UsageError(f"import recbole: {source} is not a .inter file")
        return _parts(source.parent, source, writer)
    found = find_part(source, f"{source.resolve().name}.inter")
    others = sorted([*source.glob("*.inter"), *source.glob("*.inter.gz")]) if source.is_dir() else []
    if found is None and len({_stem(path) for path in others}) == 1:
        found = others[0]
    if found is None:
        there = f"; it holds {', '.join(path.name for path in others)}: name one" if others else ""
        raise DataError(f"{source}: holds no {source.resolve().name}.inter{there}")
    return _parts(source, found, writer)


def _parts(folder: Path, path: Path, writer: FolderWriter) -> tuple[str, list[AtomicFile]]:
    stem = _stem(path)
    parts = {part: find_part(folder, f"{stem}.{part}.inter") for part in PARTS}
    if path not in parts.values():
        beside = [part.name for part in parts.values() if part]
        writer.notes += [f"not read beside {path.name}: {', '.join(beside)}"] if beside else []
        return stem, [AtomicFile(path)]
    writer.notes.append(f"read together: {', '.join(part.name for part in parts.values() if part)}")
    for part, there in parts.items():
        if there is None:
            writer.notes.append(f"there is no {stem}.{part}.inter: its events are not part of the histories")
    return stem, [AtomicFile(part) for part in parts.values() if part]


def _stem(path: Path) -> str:
    stem = path.name.removesuffix(".gz").removesuffix(".inter")
    return next((stem.removesuffix(f".{part}") for part in PARTS if stem.endswith(f".{part}")), stem)


def _check_fields(file: AtomicFile, names: Mapping[str, str], whole_histories: bool) -> None:
    kinds = {"user": "token", "item": "token"} | ({"list": "token_seq"} if whole_histories else {})
    for what, kind in kinds.items():
        if names[what] not in file.fields:
            raise line_error(
                file.path, 1, f"no field '{names[what]}' (name the {what}'s with --column events.{what}=FIELD); "
                f"it has: {', '.join(file.fields)}"
            )  # fmt: skip
        if file.fields[names[what]] != kind:
            raise line_error(file.path, 1, f"the field '{names[what]}' is a {file.fields[names[what]]}, not a {kind}")
    if not whole_histories and names["list"] in file.fields:
        raise line_error(file.path, 1, f"has '{names['list']}', which other parts of the data set do not have")
