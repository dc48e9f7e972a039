"""BM25: classical word matching, the baseline that every retriever is measured against.

    score(q, d) = sum_{t in q}  ln(1 + (N - df_t + 0.5) / (df_t + 0.5)) * tf / (tf + k1 * (1 - b + b * |d| / avg |d|))

Source: Robertson and Zaragoza, The Probabilistic Relevance Framework (2009), in the variant that Lucene 8 and later
use (Kamphuis et al., ECIR 2020), with Lucene's own defaults k1 = 1.2, b = 0.75; README.md says why these.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmark.errors import BenchmarkError, require
from benchmark.methods.bm25.analyser import Analyser
from benchmark.methods.bm25.config import BM25Config
from benchmark.methods.bm25.engines.protocol import Engine, Terms
from benchmark.types.data import Corpus, QuerySet
from benchmark.types.item_text import document_texts
from benchmark.types.method import Context, Retriever
from benchmark.types.rankings import Rankings
from benchmark.types.ties import rows_by_id


class BM25(Retriever[BM25Config]):
    """Word matching with BM25 (Lucene's variant), the classical retrieval baseline."""

    @classmethod
    def optional_parts(cls) -> dict[str, str]:
        """Say whether Lucene works, after starting it."""
        from benchmark.methods.bm25.engines.lucene import state

        return {"engine=lucene": state()}

    def fit(self, corpus: Corpus, queries: QuerySet | None, context: Context) -> None:
        """Index the corpus; `queries` are not used, BM25 learns nothing from judgments."""
        self._context = context
        self.extend(corpus)

    def extend(self, corpus: Corpus) -> None:
        """Index this corpus instead; an index with its counts of words is not learned."""
        context = self._context
        self.row_of = rows_by_id(corpus.ids)
        texts = document_texts(corpus.table, corpus.fields)
        self.analyser = Analyser(self.config)
        documents = [self.analyser.learn(texts[row]) for row in context.progress(self.row_of.tolist(), "BM25 terms")]
        self.engine = _engine(documents, len(self.analyser.terms), self.config, context.work)
        context.facts["index_bytes"] = self.engine.index_bytes

    def search(self, queries: Sequence[str], k: int) -> Rankings:
        """Return the k best items per query, none without a common word; ties by item id, descending."""
        require(k >= 1, "k", "at least one item must be asked for")
        if not hasattr(self, "engine"):
            raise BenchmarkError("bm25: search was called before fit")
        found = self.engine.search([self.analyser.known(query) for query in queries], k)
        items = found.items.copy()
        items[items >= 0] = self.row_of[items[items >= 0]]
        return Rankings(items, found.scores)


def _engine(documents: Sequence[Terms], n_terms: int, config: BM25Config, work: Path) -> Engine:
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
