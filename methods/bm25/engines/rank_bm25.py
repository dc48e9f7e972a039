"""The engine `rank-bm25`: the plain formula over Python dictionaries, a reference for small corpora.

The package scores with another IDF and leaves the constant k1 + 1 in; Lucene's IDF over (k1 + 1) in its table of IDFs
makes its scores Lucene's.
"""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Sequence
from math import log

import numpy as np

from benchmark.errors import MissingDependency
from benchmark.methods.bm25.config import BM25Config
from benchmark.methods.bm25.engines.protocol import Terms
from benchmark.types.rankings import Rankings

TINY = 1e-9  # in place of k1 = 0, with which a word that a document lacks would count 0 / 0


class RankBM25:
    """BM25Okapi of rank-bm25 with Lucene's IDF; `index_bytes` is the size of the pickled index."""

    def __init__(self, documents: Sequence[Terms], config: BM25Config) -> None:
        try:
            from rank_bm25 import BM25Okapi
        except ImportError:
            message = "bm25.engine=rank-bm25 needs rank-bm25: pip install 'lmindexer-benchmark[rank-bm25]'"
            raise MissingDependency(message) from None
        self.index = None
        self.index_bytes = 0
        if not any(documents):  # BM25Okapi divides by the number of words
            return
        self.index = BM25Okapi(documents, k1=max(config.k1, TINY), b=config.b)
        frequencies = Counter(term for document in documents for term in set(document))
        self.index.idf = {
            term: log(1 + (len(documents) - df + 0.5) / (df + 0.5)) / (config.k1 + 1)
            for term, df in frequencies.items()
        }
        self.index_bytes = len(pickle.dumps(self.index))

    def search(self, queries: Sequence[Terms], k: int) -> Rankings:
        """Score every document, one query after the other."""
        items = np.full((len(queries), k), -1, np.int32)
        scores = np.zeros((len(queries), k), np.float32)
        for query, terms in enumerate(queries):
            if self.index is None or not terms:
                continue
            with np.errstate(invalid="ignore"):  # 0 / 0 for a document without a word, where b is 1
                every = np.nan_to_num(self.index.get_scores(terms)).astype(np.float32)
            least = np.partition(every, -k)[-k] if k < len(every) else 0.0
            found = np.flatnonzero((every > 0) & (every >= least))
            best = found[np.argsort(-every[found], kind="stable")][:k]
            items[query, : len(best)], scores[query, : len(best)] = best, every[best]
        return Rankings(items, scores)
