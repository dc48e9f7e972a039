"""Items as interactions name them: in the order of their numbers, and those that the item file does not describe.

The latter are kept and counted; an item file that describes none of the items is refused.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

from benchmark.data.writing import FolderWriter
from benchmark.errors import DataError

Record = tuple[str, dict[str, Any]]  # place, item


def by_number(item: str) -> tuple[bool, int, str]:
    """Return a sorting key: whole numbers by their value, then everything else as text."""
    return (False, int(item), item) if item.isascii() and item.isdigit() and len(item) < 20 else (True, 0, item)


def without_item_file(items: Iterable[str], writer: FolderWriter, why: str) -> Iterator[Record]:
    """Yield items whose title is their id: a data set for recommendation."""
    writer.tasks = ("recommendation",)
    writer.notes.append(f"{why}: an item's title is its id, and methods that read texts see nothing")
    yield from ((f"item {item}", {"id": item, "title": item}) for item in items)


def without_line(
    used: Collection[str], described: Collection[str], path: Path, writer: FolderWriter
) -> Iterator[Record]:
    """Yield the used items that the item file lacks, as ids alone. Raises DataError when it describes none of them."""
    missing = [item for item in used if item not in described]
    check_described(len(used) - len(missing), used, described, path)
    writer.note_counts({f"items have events but no line in {path.name}; kept without text, at the end": len(missing)})
    yield from ((f"{path}: item '{item}'", {"id": item}) for item in missing)


def check_described(found: int, used: Collection[str], described: Iterable[str], path: Path) -> None:
    """Raise DataError when not one of the used items was found in an item file."""
    if used and not found:
        example = next(iter(described), None)
        its = f", its own are e.g. '{example}'" if example is not None else ""
        raise DataError(
            f"{path}: describes not one of the {len(used):,} items with events (e.g. '{next(iter(used))}'{its}); "
            "is it the file of another data set?"
        )
