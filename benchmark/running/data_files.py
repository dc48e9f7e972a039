"""What all results of a data set share, written once beside the folders of its methods.

    items-<fingerprint>.jsonl       {"id", "title", "categories"} of every item, in row order
    histories-<fingerprint>.txt     user item item ...: the training part of the histories, oldest item first
    inputs-<fingerprint>.txt        user item: each user's last item before the test item
    withheld-<fingerprint>-...txt   item: those that a split withholds from learning, one a line

The fingerprint decides their bytes, so that results of many versions can name one digest of them. Whoever changes a
line of these files gives the files another name.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from benchmark.files import bytes_digest, file_digest, write_lines
from benchmark.sealing import note_damage
from benchmark.types.data import Corpus, Histories
from benchmark.types.item_text import fallback_fields

TITLE = 200  # characters of a title that reports get to see

_kept: dict[tuple[Path, int, int], str] = {}  # path, size and time of a file that this process has compared -> digest


def write_items(path: Path, corpus: Corpus) -> str:
    """Write what a report shows of an item: its title (or else its first text field, cut) and its category path.

    Returns the digest of the file.
    """
    titles = [" ".join(title.split())[:TITLE] for title in _titles(corpus)]

    def lines() -> Iterator[str]:
        for item, title, categories in zip(corpus.ids, titles, corpus.paths, strict=True):
            yield json.dumps({"id": item, "title": title, "categories": list(categories)}, ensure_ascii=False) + "\n"

    return _keep(path, lines)


def write_histories(path: Path, ids: Sequence[str], histories: Histories) -> str:
    """Write the items of each user; returns the digest of the file."""

    def lines() -> Iterator[str]:
        for row, user in enumerate(histories.users):
            yield " ".join((user, *(ids[item] for item in histories[row].tolist()))) + "\n"

    return _keep(path, lines)


def write_ids(path: Path, ids: Sequence[str]) -> str:
    """Write item ids, one a line; returns the digest of the file."""
    return _keep(path, lambda: (f"{item}\n" for item in ids))


def _keep(path: Path, lines: Callable[[], Iterable[str]]) -> str:
    """Write a file unless it is there with these very bytes; return their digest.

    The lines are made once in a process, not for every result of the data set, unless the file changes.
    """
    state = _state(path)
    if state is not None and state in _kept:
        return _kept[state]
    due = bytes_digest(line.encode("utf-8") for line in lines())
    if state is None or file_digest(path) != due:
        if state is not None:
            note_damage(path.resolve(), "it is not what the data set gives")
        write_lines(path, lines())
        state = _state(path)
    if state is not None:
        _kept[state] = due
    return due


def _state(path: Path) -> tuple[Path, int, int] | None:
    """Return what changes with a file; None where there is none."""
    if not path.is_file():
        return None
    found = path.stat()
    return path.resolve(), found.st_size, found.st_mtime_ns


def _titles(corpus: Corpus) -> list[str]:
    titles = corpus.field("title")
    for name in fallback_fields(corpus.table, ("title",)):
        if all(titles):
            break
        titles = [title or other for title, other in zip(titles, corpus.field(name), strict=True)]
    return titles
