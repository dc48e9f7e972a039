"""Queries that are themselves items: ArguAna and Quora search a collection with texts that stand in it.

A query's best match is then the query itself, which no judgment calls relevant. BEIR leaves the item with the query's
id out of the ranking (`ignore_identical_ids`; Thakur et al., NeurIPS Datasets and Benchmarks 2021), and so do we:

    excluded   the item with the query's id is left out of that query's ranking, and the next best one moves up
    kept       it stays where the method ranks it

Ids also coincide by chance, where both are plain numbers (MS MARCO, Cranfield). So an item is the query only if it has
its id and its text: at least half of the words of the query and of one of the item's fields, or of all of them
together, are the same ones. An item that is judged relevant to the query of its own id is what is searched for, and
stays.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from benchmark.types.arrays import Int32
from benchmark.types.data import Corpus, QuerySet

VARIANTS = ("excluded", "kept")
EXCLUDED = VARIANTS[0]
ALIKE = 0.5  # shared words of all words that a query and the item of its id hold


def own_items(queries: QuerySet, corpus: Corpus) -> tuple[Int32, str]:
    """Return the row of the item that each query is [n_queries], -1 for none, and a note on ids that coincide."""
    own = np.array([corpus.row_of.get(name, -1) for name in queries.ids], np.int32)
    if queries.name == "simulated":  # their ids are made here
        own[:] = -1
    rows = np.flatnonzero(own >= 0)
    if not len(rows):
        return own, ""
    relevant = (own[queries.query_rows] == queries.item_rows) & (queries.grades > 0)
    wanted = set(queries.query_rows[relevant].tolist())
    texts = corpus.table.drop_columns(["id"]).take(own[rows]).to_pylist()
    others = [
        row for row, item in zip(rows.tolist(), texts, strict=True)
        if row in wanted or not _is_text_of(queries.texts[row], item)
    ]  # fmt: skip
    own[others] = -1
    note = (
        f"{len(others):,} queries have the id of an item that is not the query itself, by its text or its judgment; it "
        "stays in their rankings"
    )
    return own, note if others else ""


def _is_text_of(query: str, item: dict[str, Any]) -> bool:
    asked = _words(query)
    fields = [_words(value) for value in item.values() if isinstance(value, str)]
    return any(len(asked & words) >= ALIKE * max(1, len(asked | words)) for words in (*fields, set().union(*fields)))


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.lower()))
