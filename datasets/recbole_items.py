"""Item features of RecBole's .item files: which field is which, and how categories are separated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from benchmark.data.writing import FolderWriter
from benchmark.datasets.atomic import AtomicFile
from benchmark.datasets.categories import SIGNS, CategorySeparator, find_separator
from benchmark.datasets.named_items import without_item_file, without_line
from benchmark.errors import UsageError, did_you_mean, line_error

USUAL = {  # our names for the field names of the data sets that RecBole hosts
    "title": ("title", "movie_title", "item_name", "name"),
    "categories": ("categories", "class", "genre", "genres", "category"),
}


def read_items(
    path: Path | None,
    item_field: str,
    columns: dict[str, str],
    arguments: SimpleNamespace,
    used: Mapping[str, None],
    writer: FolderWriter,
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the items of the .item file in its order, then those that only have events, by their id."""
    if path is None:
        if columns:
            raise UsageError("import recbole: --column names item fields, but there is no .item file")
        yield from without_item_file(used, writer, "no .item file")
        return
    file = AtomicFile(path)
    if item_field not in file.fields:
        raise line_error(path, 1, f"no field '{item_field}'; it has: {', '.join(file.fields)}")
    name_of = _names(file, columns, item_field)
    separator = _separator(file, name_of, arguments.category_separator)
    writer.notes += [*file.notes(), *(f"{path.name}: {note}" for note in separator.notes)]
    writer.notes += [f"{path.name}: {name} is taken for {ours}" for name, ours in name_of.items() if name != ours]
    writer.note_left_out(path.name, [name for name in file.fields if name not in (*name_of, item_field)])
    seen = set()
    for place, values in file.rows():
        item: dict[str, Any] = {"id": values[item_field]}
        for name, ours in name_of.items():
            text = values[name].strip()
            item[ours] = separator.path(text) if ours == "categories" else text
        seen.add(item["id"])
        yield place, item
    yield from without_line(used, seen, path, writer)


def _names(file: AtomicFile, columns: dict[str, str], item_field: str) -> dict[str, str]:
    """Return field -> our name of every field but the item's."""
    for name in columns.values():
        if name not in file.fields:
            raise UsageError(f"--column: {file.path.name} has no field '{name}'.{did_you_mean(name, file.fields)}")
    chosen = {name: ours for ours, name in columns.items()}
    for ours, usual in USUAL.items():
        found = next((name for name in usual if name in file.fields and name not in chosen), None)
        if ours not in columns and found is not None:
            chosen[found] = ours
    taken = {"id", item_field, *chosen.values()}
    kept = [name for name, kind in file.fields.items() if name in chosen or (name not in taken and kind != "float_seq")]
    return {name: chosen.get(name, name) for name in kept if name != item_field}


def _separator(file: AtomicFile, name_of: Mapping[str, str], given: str) -> CategorySeparator:
    """Return how the file separates its categories, which takes a pass over it."""
    name = next((name for name, ours in name_of.items() if ours == "categories"), None)
    if name is None:
        return CategorySeparator(given)
    texts = (values[name] for _, values in file.rows())
    if file.fields[name] == "token_seq":
        return find_separator(texts, given, signs=(*SIGNS, ","), otherwise=" ")
    return find_separator(texts, given)
