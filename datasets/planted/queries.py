"""Queries of the planted data sets: a shopper's other words for a leaf, with attributes of the wanted items.

The words for leaf and category occur in no item text; the attributes (finish, colour) do. Relevant are all items of
the leaf with the attributes. A query uses no attribute, one or both, so that only some items of a leaf remain.

Texts that were drawn before do not count again: asked for 500,000 queries, a million items give about 200,000.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmark.datasets.planted.catalogue import Catalogue
from benchmark.errors import ConfigError
from benchmark.types.arrays import Int32, Int64

FEW = 50  # aim at no more relevant items than this
FINISH, COLOUR = 1, 2  # bits of the attributes that a query names


def write(catalogue: Catalogue, folder: Path) -> int:
    """Write queries*.tsv and qrels*.txt for test, dev and train; no text occurs twice. Return the number for train."""
    config = catalogue.config
    texts, leaf, asked, seeds = draw(catalogue, 2 * config.queries + config.train_queries)
    if len(texts) <= 2 * config.queries:
        raise ConfigError(
            f"planted.queries: only {len(texts)} different queries can be made for these items, "
            f"{config.queries} for the test and as many for development leave none for training"
        )
    starts = (0, config.queries, 2 * config.queries, len(texts))
    for part, prefix, start, end in zip(("", ".dev", ".train"), "sdt", starts[:-1], starts[1:], strict=True):
        rows, offsets = relevant(catalogue, leaf[start:end], asked[start:end], seeds[start:end])
        with (folder / f"queries{part}.tsv").open("w", encoding="utf-8") as file:
            file.writelines(f"{prefix}{number}\t{text}\n" for number, text in enumerate(texts[start:end]))
        query = np.repeat(np.arange(end - start), np.diff(offsets)).tolist()
        with (folder / f"qrels{part}.txt").open("w", encoding="utf-8") as file:
            file.writelines(
                f"{prefix}{number} 0 {catalogue.ids[row]} 1\n" for number, row in zip(query, rows.tolist(), strict=True)
            )
    return len(texts) - 2 * config.queries


def draw(catalogue: Catalogue, n: int) -> tuple[list[str], Int32, Int64, Int64]:
    """Return at most n different texts with the leaf, the attributes asked for and the item that each came from."""
    random = catalogue.random("queries")
    seeds = random.integers(catalogue.config.items, size=2 * n)
    leaf = catalogue.leaf[seeds]
    asked = random.choice(_kinds(catalogue), size=len(seeds))
    dice = random.integers(1 << 16, size=(len(seeds), 2)).tolist()
    columns = (leaf, asked, catalogue.finish[seeds], catalogue.colour[seeds])
    first: dict[str, int] = {}
    for row, (which, kind, finish, colour, (a, b)) in enumerate(
        zip(*(column.tolist() for column in columns), dice, strict=True)
    ):
        own = catalogue.leaves[which]
        words = [catalogue.colours[colour]] if kind & COLOUR else []
        words += [own.finishes[finish]] if kind & FINISH else []
        names, wider = own.also
        words += [names[a % 3]] if a % 6 < 3 else [names[a % 3], names[(a + 1) % 3]]
        words += [wider[b % 2]] if b % 6 < 2 else []
        first.setdefault(" ".join(words), row)
        if len(first) == n:
            break
    chosen = np.fromiter(first.values(), np.int64, len(first))
    return list(first), leaf[chosen], asked[chosen], seeds[chosen]


def _kinds(catalogue: Catalogue) -> list[int]:
    """Return the kinds of queries, by how many items a leaf has."""
    items = catalogue.config.items / len(catalogue.leaves)
    if items <= FEW:
        return [0, FINISH, FINISH, COLOUR, COLOUR]
    return [FINISH, COLOUR, FINISH | COLOUR] if items <= 8 * FEW else [FINISH | COLOUR]


def relevant(catalogue: Catalogue, leaf: Int32, asked: Int64, seeds: Int64) -> tuple[Int32, Int64]:
    """Return the relevant items of query q as rows[offsets[q]:offsets[q + 1]]."""
    parts: list[Int32] = [np.empty(0, np.int32)] * len(leaf)
    for kind in np.unique(asked).tolist():
        key = catalogue.leaf.astype(np.int64)
        for bit, values in ((FINISH, catalogue.finish), (COLOUR, catalogue.colour)):
            key = key * 16 + (values if kind & bit else 0)
        order = np.argsort(key, kind="stable").astype(np.int32)
        queries = np.flatnonzero(asked == kind)
        starts = np.searchsorted(key[order], key[seeds[queries]], "left")
        ends = np.searchsorted(key[order], key[seeds[queries]], "right")
        for query, start, end in zip(queries.tolist(), starts.tolist(), ends.tolist(), strict=True):
            parts[query] = order[start:end]
    offsets = np.r_[0, np.cumsum([len(part) for part in parts])].astype(np.int64)
    return np.concatenate(parts) if parts else np.empty(0, np.int32), offsets
