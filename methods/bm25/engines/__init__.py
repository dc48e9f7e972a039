"""What an engine is: an index over term numbers that ranks documents by BM25 in Lucene's variant."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from benchmark.methods.bm25.config import BM25Config
from benchmark.types.rankings import Rankings

Terms = Sequence[int]


class Engine(Protocol):
    """An index of documents, given in descending order of their item ids, so that ties are broken by row.

    Only terms that at least one document has may be asked for.
    """

    index_bytes: int

    def search(self, queries: Sequence[Terms], k: int) -> Rankings:
        """Return the k best rows per query [n_queries, k]; ties by row, ascending; no row without a common term."""


def build(documents: Sequence[Terms], n_terms: int, config: BM25Config, work: Path) -> Engine:
    """Index the documents with the configured engine; one that needs files keeps them in `work`.

    Raises MissingDependency when the engine is not installed.
    """
    match config.engine:
        case "rank-bm25":
            from benchmark.methods.bm25.engines.rank_bm25 import RankBM25

            return RankBM25(documents, config)
        case "lucene":
            from benchmark.methods.bm25.engines.lucene import Lucene

            return Lucene(documents, config, work)
        case _:
            from benchmark.methods.bm25.engines.bm25s import BM25S

            return BM25S(documents, n_terms, config)
