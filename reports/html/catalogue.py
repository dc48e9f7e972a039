"""What the ID explorer walks: the items of a data set and the codes that each indexer gave them, packed small.

Titles stand in the page once, codes as bytes, one seed per indexer. A catalogue that would take more than its share of
the page is shown by a seeded sample of its items; the counts of the first levels of codes stay those of all items.

    items     ids, titles, categories: distinct paths, and for each item the number of its path
    methods   codes [n_shown, levels] (`embedding.packed`; none: 255, 65535, ..), counts {'61-8': items} where sampled
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmark.errors import DataError
from benchmark.reports.html.embedding import packed, width
from benchmark.reports.listing import read_listing
from benchmark.reports.tables.captions import data_set, protocol
from benchmark.reports.tables.labels import row_labels
from benchmark.results.id_table import codes_of_items
from benchmark.results.result_files import Result

BUDGET = 3_000_000  # bytes of the page for all catalogues
ITEM_BYTES = 140  # of id, title and category in the page, as a rule
COUNTED = 4096  # prefixes whose exact counts a sampled catalogue keeps, for each method

Int64 = NDArray[np.int64]


@dataclass
class Indexer:
    """The IDs of one configuration: of its first seed that has them."""

    result: Result
    codes: Int64  # [n_items, levels] in the order of the listing; -1 pads
    seeds: tuple[int, ...]
    also: list[str] = field(default_factory=list)  # keys of configurations of this label with the same IDs

    @property
    def bytes_(self) -> int:
        return width(int(self.codes.max(initial=0)))


def catalogues(groups: Sequence[Sequence[Result]], number: Mapping[Path, int]) -> list[dict[str, Any]]:
    """Return a catalogue for each data set that has an indexer; `problem` in it says what is missing."""
    sets: dict[str, list[Sequence[Result]]] = {}
    for seeds in groups:
        if seeds[0].kind == "indexer":
            sets.setdefault(str(seeds[0].items_file), []).append(seeds)
    return [_catalogue(Path(path), own, number, BUDGET // len(sets)) for path, own in sets.items()]


def _catalogue(
    path: Path, groups: Sequence[Sequence[Result]], number: Mapping[Path, int], budget: int
) -> dict[str, Any]:
    about = {"title": data_set(groups[0][0])}
    try:
        lines = _lines(path)
        ids = read_listing(path).items
        if len(ids) != len(lines):
            raise DataError(f"{path.name} is damaged: {len(lines):,} lines list {len(ids):,} items.")
        indexers, problems = _indexers(groups, ids)
        if not indexers:
            return {**about, "problem": " ".join(problems)}
        per_item = ITEM_BYTES + sum(indexer.codes.shape[1] * indexer.bytes_ * 4 // 3 for indexer in indexers)
        rows = _sample(len(lines), budget // per_item)
        items = _items(path, [lines[row] for row in rows.tolist()])
    except DataError as error:
        return {**about, "problem": str(error).replace(f"{path.parent}/", "")}
    sampled, labels = len(rows) < len(lines), row_labels([indexer.result for indexer in indexers])
    methods = [_method(i, label, rows, number, sampled) for i, label in zip(indexers, labels, strict=True)]
    return {
        **about, "total": len(lines), "shown": len(rows), "remarks": problems, **items, "methods": methods,
    }  # fmt: skip


def _lines(path: Path) -> list[str]:
    if not path.is_file():
        raise DataError(
            f"No items to show: {path.name} is not beside the methods' folders. An archive of results leaves items "
            "out, whose licence may forbid to publish them; results of an older version lack them."
        )
    try:
        lines = path.read_text("utf-8").rstrip("\n").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path.name}: {error}") from None
    return lines


def _items(path: Path, lines: Sequence[str]) -> dict[str, Any]:
    items = [json.loads(line) for line in lines]
    try:
        paths = [tuple(map(str, item.get("categories") or ())) for item in items]
        titles = [str(item["title"]) for item in items]
    except (KeyError, TypeError, AttributeError):
        raise DataError(f"{path.name} is damaged: an item has no title, or no list of categories.") from None
    number = {categories: n for n, categories in enumerate(dict.fromkeys(paths))}
    bytes_ = width(len(number))
    of_items = np.array([number[categories] for categories in paths], np.int64)
    return {
        "ids": [str(item["id"]) for item in items], "titles": titles,
        "paths": list(number), "categories": {"bytes": bytes_, "data": packed(of_items, bytes_)},
    }  # fmt: skip


def _indexers(groups: Sequence[Sequence[Result]], items: Sequence[str]) -> tuple[list[Indexer], list[str]]:
    """Return the distinct IDs of every label, controls last, and what could not be read."""
    found: list[Indexer] = []
    problems = []
    for seeds in sorted(groups, key=lambda seeds: (seeds[0].control, seeds[0].label)):
        result = next((each for each in seeds if (each.folder / "ids.tsv").is_file()), None)
        if result is None:
            problems.append(f"{seeds[0].label}: no ids.tsv beside its result.")
            continue
        try:
            codes = _codes(result.folder / "ids.tsv", items)
        except DataError as error:
            inside = str(error).replace(str(result.folder), "/".join(result.folder.parts[-4:]))
            problems.append(f"{result.label} is left out. {inside.rstrip('.')}.")
            continue
        same = next((i for i in found if i.result.label == result.label and np.array_equal(i.codes, codes)), None)
        if same is None:
            found.append(Indexer(result, codes, tuple(each.seed for each in seeds)))
        else:
            same.also.append(result.key)
    return found, problems


def _codes(path: Path, items: Sequence[str]) -> Int64:
    """Return the codes of these items in their order [n_items, levels]. Raises DataError where an item has none."""
    codes = codes_of_items(path, items)
    if lacking := np.flatnonzero(codes[:, 0] < 0).tolist():
        raise DataError(f"{path}: the item {items[lacking[0]]!r} has no ID.")
    return codes


def _sample(n_items: int, room: int) -> Int64:
    """Return the rows to show, in order: all, or a seeded sample."""
    if n_items <= room:
        return np.arange(n_items)
    return np.sort(np.random.default_rng(0).choice(n_items, room, replace=False))


def _method(indexer: Indexer, label: str, rows: Int64, number: Mapping[Path, int], sampled: bool) -> dict[str, Any]:
    result, bytes_ = indexer.result, indexer.bytes_
    return {
        "label": label, "control": result.control, "run": number[result.folder], "seed": result.seed,
        "seeds": indexer.seeds, "also": indexer.also, "protocol": "; ".join(protocol(result, search=False)),
        "levels": indexer.codes.shape[1], "bytes": bytes_, "codes": packed(indexer.codes[rows], bytes_),
        "counts": _counts(indexer.codes) if sampled else {},
    }  # fmt: skip


def _counts(codes: Int64) -> dict[str, int]:
    """Return prefix -> number of items, level by level while there are few enough prefixes."""
    found: dict[str, int] = {}
    prefix = np.zeros(len(codes), np.int64)  # the number of each item's first codes, among those items that have them
    for depth in range(1, codes.shape[1] + 1):
        there = codes[:, depth - 1] >= 0
        codes, prefix = codes[there], prefix[there]
        keys = prefix * (int(codes[:, depth - 1].max(initial=0)) + 1) + codes[:, depth - 1]
        _, first, prefix, counts = np.unique(keys, return_index=True, return_inverse=True, return_counts=True)
        if len(found) + len(counts) > COUNTED:
            break
        names = ("-".join(map(str, begin)) for begin in codes[first, :depth].tolist())
        found |= dict(zip(names, counts.tolist(), strict=True))
    return found
