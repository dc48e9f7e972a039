"""Item k-nearest-neighbours (`item-knn`): what was taken by the same people; no model, no order, seconds to build.

    sim(i, j) = |U_i and U_j| / sqrt(|U_i| |U_j|)        U_i: the users whose training history holds i; the cosine
    s(j | H)  = sum_{i in H, j in N(i)} sim(i, j)        N(i): the `neighbours` items most similar to i, i itself not

Source: Sarwar et al., Item-based Collaborative Filtering Recommendation Algorithms, WWW 2001, section 3, with the
cosine of Deshpande and Karypis, ACM TOIS 2004, section 4.1.1, over binary data. 100 neighbours as in RecBole.

Only items with a score above 0 are ranked, so that `history = zero` is `exclude` here. Ties among neighbours and in
rankings are broken by item id, descending. Everything is sparse and done in chunks of rows.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from pydantic import Field

from benchmark.config import MethodConfig
from benchmark.learning.topk import HistoryRule, events
from benchmark.types.arrays import Int32, Int64
from benchmark.types.data import Corpus, Histories
from benchmark.types.method import Context, Recommender
from benchmark.types.rankings import Rankings
from benchmark.types.ties import id_ranks

PRODUCTS = 2**25  # multiplications of a sparse product that are done at once


class ItemKNNConfig(MethodConfig):
    """How many neighbours, and what may be recommended."""

    neighbours: int = Field(100, ge=1, description="most similar items that each item of the history speaks for")
    history: HistoryRule = Field("keep", description="items the user already has: keep, exclude, or score zero")


class ItemKNN(Recommender[ItemKNNConfig]):
    """Recommends items that the same people took (cosine neighbours)."""

    def fit(self, corpus: Corpus, histories: Histories, validation: Int32, context: Context) -> None:
        """Compute the neighbours from the training histories; the validation items are not used."""
        from scipy import sparse

        self._ranks = id_ranks(corpus.ids)
        taken = _binary(histories, len(corpus))  # [n_users, n_items]
        users = np.asarray(taken.sum(0)).ravel()
        inverse = sparse.diags_array(1 / np.sqrt(np.maximum(users, 1)))
        left, right = (taken @ inverse).T.tocsr(), (taken @ inverse).tocsr()
        parts = []
        for rows in _chunks(left, right):
            similar = (left[rows] @ right).tocoo()
            row, item = similar.coords
            kept = item != row + rows.start
            values = similar.data[kept].astype(np.float32)
            row, item, values, _ = _best(row[kept], item[kept], values, self._ranks, self.config.neighbours)
            shape = (rows.stop - rows.start, len(corpus))
            parts.append(sparse.csr_array((values, (row, item)), shape=shape))
        self._neighbours = sparse.vstack(parts, format="csr")  # float32 [n_items, n_items], row i: N(i)
        matrix = self._neighbours
        context.facts["index_bytes"] = int(matrix.data.nbytes + matrix.indices.nbytes + matrix.indptr.nbytes)

    def recommend(self, histories: Histories, k: int) -> Rankings:
        """Return the items with the best scores of every history, int32 [n, k]; -1 where fewer have one."""
        n_items = len(self._ranks)
        items = np.full((len(histories), min(k, n_items)), -1, np.int32)
        scores = np.zeros(items.shape, np.float32)
        taken = _binary(histories, n_items)
        for rows in _chunks(taken, self._neighbours):
            found = (taken[rows] @ self._neighbours).tocoo()
            (row, item), values = found.coords, found.data.astype(np.float32)
            if self.config.history != "keep":
                owned = taken[rows].tocoo()
                pairs = (part[0].astype(np.int64) * n_items + part[1] for part in (found.coords, owned.coords))
                new = ~np.isin(*pairs)
                row, item, values = row[new], item[new], values[new]
            row, item, values, place = _best(row, item, values, self._ranks, items.shape[1])
            items[rows.start + row, place], scores[rows.start + row, place] = item, values
        return Rankings(items, scores)


def _binary(histories: Histories, n_items: int) -> Any:
    """Return the matrix [n_histories, n_items] that is 1 where a history holds an item."""
    from scipy import sparse

    user, item = events(histories)
    matrix = sparse.csr_array((np.ones(len(item)), (user, item)), shape=(len(histories), n_items))
    matrix.data[:] = 1
    return matrix


def _chunks(left: Any, right: Any) -> list[slice]:
    """Cut the rows of `left` so that `left[rows] @ right` takes a bounded number of multiplications, or is one row."""
    work = left.astype(bool) @ np.diff(right.indptr).astype(np.float64)
    chunk = (np.cumsum(work) // PRODUCTS).astype(np.int64)
    edges = [0, *(np.flatnonzero(np.diff(chunk)) + 1).tolist(), left.shape[0]]
    return [slice(first, last) for first, last in pairwise(edges) if last > first]


def _best(row: Int64, item: Int64, values: np.ndarray, ranks: Int64, k: int) -> tuple[Int64, Int64, np.ndarray, Int64]:
    """Return the k best entries of every row of a sparse matrix, in order, and their places from 0."""
    order = np.lexsort((ranks[item], -values, row))
    row, item, values = row[order], item[order], values[order]
    starts = np.flatnonzero(np.r_[True, row[1:] != row[:-1]])[: len(row)]
    place = np.arange(len(row)) - np.repeat(starts, np.diff(np.r_[starts, len(row)]))
    kept = place < k
    return row[kept], item[kept], values[kept], place[kept]
