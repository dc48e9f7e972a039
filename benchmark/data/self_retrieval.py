"""Queries that are themselves items: ArguAna and Quora search a collection with texts that stand in it.

A query's best match is then the query itself, which no judgment calls relevant. BEIR leaves the item with the query's
id out of the ranking (`ignore_identical_ids`; Thakur et al., NeurIPS Datasets and Benchmarks 2021), and so do we:

    excluded   the item with the query's id is left out of that query's ranking, and the next best one moves up
    kept       it stays where the method ranks it

Ids may also coincide because both are plain numbers. Where an item is judged relevant to the query of its own id, they
are taken to do so in the whole set, and nothing is left out.
"""

from __future__ import annotations

import numpy as np

from benchmark.types.arrays import Int32
from benchmark.types.data import Corpus, QuerySet

EXCLUDED, KEPT = READINGS = ("excluded", "kept")


def own_items(queries: QuerySet, corpus: Corpus) -> tuple[Int32, str]:
    """Return the row of the item that each query is [n_queries], -1 for none, and a note where ids mean nothing."""
    if queries.name == "simulated":  # their ids are made here
        return np.full(len(queries), -1, np.int32), ""
    own = np.array([corpus.row_of.get(name, -1) for name in queries.ids], np.int32)
    judged = own[queries.query_rows] == queries.item_rows
    if not (judged & (queries.grades > 0)).any():
        return own, ""
    note = (
        f"{int((own >= 0).sum())} queries have the id of an item, and some such item is judged relevant to the query "
        "of its id: queries and items are taken to be numbered apart, and no item is left out of a ranking"
    )
    return np.full(len(queries), -1, np.int32), note
