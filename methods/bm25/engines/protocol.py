"""What an engine is: an index over term numbers that ranks documents by BM25 in Lucene's variant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from benchmark.types.rankings import Rankings

Terms = Sequence[int]


class Engine(Protocol):
    """An index of documents, given in descending order of their item ids, so that ties are broken by row.

    Only terms that at least one document has may be asked for.
    """

    index_bytes: int

    def search(self, queries: Sequence[Terms], k: int) -> Rankings:
        """Return the k best rows per query [n_queries, k]; ties by row, ascending; no row without a common term."""
