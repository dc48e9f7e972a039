"""The engine `bm25s` (default): bm25s builds the matrix of scores by term, a compiled search of ours ranks.

The search is not that of bm25s, because an item that shares no word with the query must not be returned, and ties must
be broken by item id, not by chance.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np

from benchmark.methods.bm25.config import BM25Config
from benchmark.methods.bm25.engines.protocol import Terms
from benchmark.threads import threads
from benchmark.types.arrays import Float32, Int32, Int64
from benchmark.types.rankings import Rankings

BLOCK = 256  # queries that one thread takes at a time


class BM25S:
    """Columns of scores: term t has rows[starts[t]:starts[t + 1]] with the scores data[...]."""

    def __init__(self, documents: Sequence[Terms], n_terms: int, config: BM25Config) -> None:
        self.n_items = len(documents)
        self.index = _matrix(documents, n_terms, config)
        self.index_bytes = sum(int(array.nbytes) for array in self.index)
        self.search([[]], 1)  # compiles the search now, so that it does not count as search time

    def search(self, queries: Sequence[Terms], k: int) -> Rankings:
        """Rank blocks of queries, on as many threads as libraries are asked to use."""
        starts = np.cumsum([0, *map(len, queries)], dtype=np.int64)
        flat = np.fromiter((term for query in queries for term in query), np.int64, int(starts[-1]))
        items = np.full((len(queries), k), -1, np.int32)
        scores = np.zeros((len(queries), k), np.float32)

        def search_block(bounds: tuple[int, int]) -> None:
            first, last = bounds
            kernel()(*self.index, self.n_items, flat, starts[first : last + 1], items[first:last], scores[first:last])

        blocks = list(pairwise([*range(0, len(queries), BLOCK), len(queries)]))
        kernel()
        with ThreadPoolExecutor(threads()) as pool:
            list(pool.map(search_block, blocks))
        return Rankings(items, scores)


def _matrix(documents: Sequence[Terms], n_terms: int, config: BM25Config) -> tuple[Float32, Int32, Int64]:
    """Return bm25s's matrix of scores by term: (scores, documents, where each term's begin)."""
    if not n_terms:  # no document has a word
        return np.empty(0, np.float32), np.empty(0, np.int32), np.zeros(1, np.int64)
    import bm25s

    model = bm25s.BM25(k1=config.k1, b=config.b, method="lucene", csc_backend="numpy")
    terms = {str(term): term for term in range(n_terms)}
    model.index((documents, terms), create_empty_token=False, show_progress=False)
    data, rows, starts = (model.scores[name] for name in ("data", "indices", "indptr"))
    return data.astype(np.float32), rows.astype(np.int32), starts.astype(np.int64)


@cache
def kernel() -> Callable[..., None]:
    """Compile the search once; the machine code is kept on disk where numba finds a place for it."""
    from numba import njit

    try:
        compiled: Any = njit(nogil=True, cache=True)(_search)
    except RuntimeError:  # no writable folder for numba's cache
        compiled = njit(nogil=True)(_search)
    return compiled  # type: ignore[no-any-return]


def _search(
    data: Float32, rows: Int32, term_starts: Int64, n_items: int, terms: Int64, query_starts: Int64, items: Int32,
    scores: Float32,
) -> None:  # fmt: skip
    """Fill items and scores [n_queries, k]: best score first, ties by row (rows stand in descending id order).

    Each query adds up its terms' columns; then one pass over the rows keeps the k best by insertion, where a later
    row must be strictly better to pass an earlier one.
    """
    k = items.shape[1]
    total = np.zeros(n_items, np.float32)
    for query in range(len(query_starts) - 1):
        for position in range(query_starts[query], query_starts[query + 1]):
            for entry in range(term_starts[terms[position]], term_starts[terms[position] + 1]):
                total[rows[entry]] += data[entry]
        best, best_scores = items[query], scores[query]
        kept = 0
        to_beat = np.float32(0)
        for row in range(n_items):
            score = total[row]
            if score > to_beat:
                slot = min(kept, k - 1)
                while slot > 0 and best_scores[slot - 1] < score:
                    best[slot], best_scores[slot] = best[slot - 1], best_scores[slot - 1]
                    slot -= 1
                best[slot], best_scores[slot] = row, score
                kept = min(kept + 1, k)
                if kept == k:
                    to_beat = best_scores[k - 1]
        total[:] = 0
