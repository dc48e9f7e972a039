"""Ties: of equal scores the greater item id comes first, compared as strings, as trec_eval does.

`benchmark.verification` has the rule a second time, as a check on this one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from benchmark.types.arrays import Int32, Int64


def rows_by_id(ids: Sequence[str]) -> Int32:
    """Return the rows of the items [n_items] by id, descending: of equal scores, the first in this order comes first.

    An index that keeps its documents in this order breaks ties by their place in it.
    """
    return np.array(sorted(range(len(ids)), key=ids.__getitem__, reverse=True), np.int32)


def id_ranks(ids: Sequence[str]) -> Int64:
    """Return the place of every item [n_items] in the order of `rows_by_id`: of equal scores, 0 is first."""
    ranks = np.empty(len(ids), np.int64)
    ranks[rows_by_id(ids)] = np.arange(len(ids))
    return ranks


def places_of_ids(ids: Sequence[str]) -> Int64:
    """Return the place of every item [n_items] in the ascending order of ids: as numbers where all are, else strings.

    This is no tie-break: it is the order in which upstream's files list the events of a day.
    """
    numbers = all(name.isascii() and name.isdigit() for name in ids)
    rows = sorted(range(len(ids)), key=(lambda row: int(ids[row])) if numbers else ids.__getitem__)
    places = np.empty(len(ids), np.int64)
    places[rows] = np.arange(len(ids))
    return places


def in_order(pairs: Iterable[tuple[str, float]]) -> list[tuple[str, float]]:
    """Return (item id, score) pairs in trec_eval's order: by score, then by item id, both descending."""
    return sorted(pairs, key=lambda pair: (pair[1], pair[0]), reverse=True)
