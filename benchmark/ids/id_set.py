"""A set of IDs, wherever it comes from: a finished cell, a file, a pushed folder or the Hugging Face Hub."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from benchmark.errors import BenchmarkError, UsageError, line_error
from benchmark.fetching.hub import HUB, local_ids
from benchmark.files import home_path
from benchmark.ids.card import read_about
from benchmark.ids.counters import read_counted
from benchmark.ids.learned import cell_result, stage_folder
from benchmark.results.id_files import label_of
from benchmark.results.id_records import ids_in
from benchmark.results.result_files import Result
from benchmark.results.row_folder import result_folder
from benchmark.running.steps.ids import read_codes
from benchmark.types.arrays import Int32, Int64
from benchmark.types.codes import Codes
from benchmark.types.data import Corpus


@dataclass(frozen=True)
class About:
    """What people see of an item."""

    title: str
    path: tuple[str, ...] = ()  # categories, general to special


@dataclass(frozen=True)
class IdSet:
    """IDs before the dedup counter, in the order of their file, with what is known of their items."""

    name: str
    items: tuple[str, ...]
    codes: Codes
    result: Result | None = None  # of a finished cell
    about: Mapping[str, About] = field(default_factory=dict)  # by item; {} where nothing is known
    known_counters: Int32 | None = None  # dedup counters [n_items]; None where the source has none
    shared: Mapping[str, Any] = field(default_factory=dict)  # ids.json of a pushed folder; {} of other sources

    @cached_property
    def counters(self) -> Int32:
        """The dedup counters [n_items]: those it came with, else counted in the order of the file."""
        return self.codes.counter() if self.known_counters is None else self.known_counters

    @cached_property
    def row_of(self) -> Mapping[str, int]:
        """Item -> row."""
        return MappingProxyType({item: row for row, item in enumerate(self.items)})

    def id_of(self, row: int) -> tuple[int, ...]:
        """Return the codes of one item, without padding."""
        return tuple(code for code in self.codes.values[row].tolist() if code >= 0)

    def below(self, prefix: Sequence[int]) -> Int64:
        """Return the rows of the items whose ID begins with these codes."""
        if len(prefix) > self.codes.length:
            return np.empty(0, np.int64)
        return np.flatnonzero((self.codes.values[:, : len(prefix)] == list(prefix)).all(axis=1))


def open_ids(source: str, items: Corpus | None = None) -> IdSet:
    """Return the IDs of a cell's folder, a file, a pushed folder or `hub:org/name`.

    `items` tell titles and categories where the source does not have them. Raises UsageError or DataError.
    """
    if not source.strip():
        raise UsageError("an empty name of IDs; give a finished cell, a file, a pushed folder or hub:org/name")
    path = result_folder(home_path(local_ids(source)))
    if not ids_in(path).exists():
        missing = "holds no IDs and no finished cell" if path.is_dir() else "no such file or folder"
        raise UsageError(f"{source}: {missing}")
    result = cell_result(path) if (path / "result.json").is_file() else None
    keys, codes, counters = read_counted(path)
    shared = read_about(path) if result is None else {}
    codes = Codes(codes.values, _sizes(result, shared, codes.sizes))
    about = _of_corpus(items) if items is not None else _of_result(result) if result else {}
    if items is not None and not set(about) & set(keys):
        raise UsageError(f"{source}: none of its {len(keys):,} IDs is of an item in --items (e.g. '{keys[0]}')")
    name = result.label if result else label_of(Path(source.removeprefix(HUB)))
    return IdSet(name, tuple(keys), codes, result, about, counters, shared)


def _sizes(result: Result | None, shared: Mapping[str, Any], found: tuple[int, ...]) -> tuple[int, ...]:
    """Return the codebooks' sizes as they were learned where that is known, else as the codes tell."""
    said = _learned_sizes(result) if result is not None else shared.get("codebooks", ())
    if not isinstance(said, list | tuple) or len(said) != len(found) or any(type(size) is not int for size in said):
        return found
    return tuple(map(max, said, found))


def _learned_sizes(result: Result) -> tuple[int, ...]:
    """Return the sizes that a cell's ID quality counts, else those of its stage `ids`; () where neither is there."""
    counts = result.counts.get("id-quality", {})
    if counted := [counts[name] for position in range(len(counts)) if (name := f"codebook@{position + 1}") in counts]:
        return tuple(counted)
    try:
        return read_codes(stage_folder(result, "ids")).sizes
    except (BenchmarkError, IndexError):  # not kept, or the cell lies outside of a folder of results
        return ()


def _of_corpus(items: Corpus) -> dict[str, About]:
    titles = items.field("title")
    texts = items.texts() if not all(titles) else titles
    return {
        item: About(title or text, path)
        for item, title, text, path in zip(items.ids, titles, texts, items.paths, strict=True)
    }


def _of_result(result: Result) -> dict[str, About]:
    """Read the listing of items beside the results; {} where it is not there."""
    path = result.items_file
    if not path.is_file():
        return {}
    found: dict[str, About] = {}
    for number, line in enumerate(path.read_text("utf-8").split("\n"), 1):
        if not line:
            continue
        try:
            item = json.loads(line)
            found[str(item["id"])] = About(str(item["title"]), tuple(map(str, item.get("categories") or ())))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise line_error(path, number, f"not an item with id and title ({error!r})") from None
    return found
