"""What the generative part learns search from, and the queries that its weights are chosen by.

    training      the data set's training queries, simulated ones (`simulated_per_item`), or judged and simulated ones
    development   the set's development queries; where it has none, a part of the training queries is held out.
                  Queries without a relevant item cannot tell good weights from bad: a set of these alone counts as none

Queries that are scored never choose weights: a set without its test part, whose development queries are scored, has no
development queries here.
"""

from __future__ import annotations

import numpy as np

from benchmark.data.cold_start import KnownItems
from benchmark.data.dataset import Dataset
from benchmark.data.simulate import joined
from benchmark.errors import BenchmarkError
from benchmark.generative.config import SearchConfig
from benchmark.types.arrays import Int64
from benchmark.types.data import Corpus, QuerySet

HELD_OUT = 20  # where a set has no development queries, every twentieth training query is one


def search_examples(
    queries_of: Dataset | KnownItems, name: str, config: SearchConfig
) -> tuple[QuerySet, QuerySet | None]:
    """Return the queries to learn from and those to choose weights by (None: none, or none is asked for).

    `name` is the query set to train on (`Dataset.training_queries`).
    """
    simulated = queries_of.simulated_training(config.simulated_per_item) if config.simulated_per_item else None
    if simulated is not None and name == "simulated":
        queries, simulated = simulated, None
    else:
        found = queries_of.queries(name, "train")
        if found is None:
            raise BenchmarkError(f"search: the data set has no training queries '{name}'")
        queries = found
    development = queries_of.queries(name, "dev") if config.evaluations else None
    if config.evaluations and not _has_relevant(development) and len(queries) >= HELD_OUT:
        queries, development = held_out(queries)
    development = development if _has_relevant(development) else None
    return queries if simulated is None else joined(queries, simulated), development


def _has_relevant(queries: QuerySet | None) -> bool:
    return queries is not None and bool((queries.grades > 0).any())


def text_pairs(queries: QuerySet, corpus: Corpus, config: SearchConfig) -> tuple[list[str], Int64, Int64]:
    """Return texts and the examples among them: example i is text rows[i] -> item items[i].

    One per positive judgment; with `item_texts` one more per item, whose text is its own.
    """
    positive = queries.grades > 0
    texts, rows = list(queries.texts), queries.query_rows[positive].astype(np.int64)
    items = queries.item_rows[positive].astype(np.int64)
    if config.item_texts:
        rows = np.concatenate([rows, len(texts) + np.arange(len(corpus))])
        items, texts = np.concatenate([items, np.arange(len(corpus))]), [*texts, *corpus.texts()]
    return texts, rows, items


def held_out(queries: QuerySet) -> tuple[QuerySet, QuerySet]:
    """Return the training queries without every twentieth one, and those as development queries."""
    chosen = np.arange(len(queries)) % HELD_OUT == HELD_OUT - 1
    return _part(queries, np.flatnonzero(~chosen)), _part(queries, np.flatnonzero(chosen))


def _part(queries: QuerySet, rows: np.ndarray) -> QuerySet:
    place = np.full(len(queries), -1, np.int32)
    place[rows] = np.arange(len(rows))
    kept = place[queries.query_rows] >= 0
    return QuerySet(
        queries.name, tuple(queries.ids[row] for row in rows), tuple(queries.texts[row] for row in rows),
        place[queries.query_rows[kept]], queries.item_rows[kept], queries.grades[kept],
    )  # fmt: skip
