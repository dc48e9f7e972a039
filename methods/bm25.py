"""BM25: classical word matching, the baseline that every retriever is measured against.

    score(q, d) = sum_{t in q}  ln(1 + (N - df_t + 0.5) / (df_t + 0.5)) * tf / (tf + k1 * (1 - b + b * |d| / avg |d|))

Source: Robertson and Zaragoza, The Probabilistic Relevance Framework (2009), in the variant that Lucene 8 and later
use (Kamphuis et al., ECIR 2020), with Lucene's own defaults k1 = 1.2, b = 0.75. LMIndexer states neither its toolkit
nor its parameters; the preset `paper` takes Pyserini's k1 = 0.9, b = 0.4. Lucene's pair was preferred after both had
been tried on five development sets (nDCG@10 0.359 against 0.342 on Cranfield, 0.293 against 0.274 on Beauty, within
0.001 on three others), so on those sets the default row is not untuned.

Text: lower case, runs of word characters, Lucene's 33 English stop words, Snowball English stems. A document is the
values of the text fields without the field names, so that a query with the word "title" does not match everything.
bm25s builds the index; the search over it is ours, because an item that shares no word with the query must not be
returned, and ties must be broken by item id (descending, as trec_eval does), not by chance.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
from pydantic import Field

from benchmark.config import MethodConfig
from benchmark.contracts import Context, Corpus, Float32, Int32, Int64, QuerySet, Rankings, Retriever
from benchmark.errors import BenchmarkError, require
from benchmark.text import fallback_fields

WORD = re.compile(r"\w+")
BLOCK = 256  # queries that one thread takes at a time


class BM25Config(MethodConfig):
    """Settings of BM25."""

    k1: float = Field(1.2, ge=0, description="how slowly repeated words saturate")
    b: float = Field(0.75, ge=0, le=1, description="how much long documents are discounted")
    stop_words: bool = Field(True, description="drop Lucene's 33 English stop words")
    stem: bool = Field(True, description="reduce words to Snowball English stems")


class Analyser:
    """Turns text into term numbers; every distinct word is looked up and stemmed once."""

    def __init__(self, config: BM25Config) -> None:
        import Stemmer
        from bm25s.stopwords import STOPWORDS_EN

        self.stem: Callable[[str], str] = Stemmer.Stemmer("english").stemWord if config.stem else str
        self.terms: dict[str, int] = {}  # stem -> term number
        self.words: dict[str, int] = dict.fromkeys(STOPWORDS_EN, -1) if config.stop_words else {}  # -1: dropped

    def learn(self, text: str) -> list[int]:
        """Return the terms of a document; new words get numbers."""
        found = []
        for word in WORD.findall(text.lower()):
            term = self.words.get(word)
            if term is None:
                term = self.words[word] = self.terms.setdefault(self.stem(word), len(self.terms))
            if term >= 0:
                found.append(term)
        return found

    def known(self, text: str) -> list[int]:
        """Return the terms of a query that the index knows."""
        words = WORD.findall(text.lower())
        terms = (self.words[word] if word in self.words else self.terms.get(self.stem(word), -1) for word in words)
        return [term for term in terms if term >= 0]


class BM25(Retriever[BM25Config]):
    """Word matching with BM25 (Lucene's variant), the classical retrieval baseline."""

    def fit(self, corpus: Corpus, queries: QuerySet | None, context: Context) -> None:
        """Index the corpus; `queries` are not used, BM25 learns nothing from judgments."""
        self.row_of = np.array(sorted(range(len(corpus)), key=corpus.ids.__getitem__, reverse=True), np.int32)
        texts = document_texts(corpus)
        self.analyser = Analyser(self.config)
        documents = [self.analyser.learn(texts[row]) for row in context.progress(self.row_of.tolist(), "BM25 terms")]
        self.index = self._index(documents)
        context.facts["index_bytes"] = sum(int(array.nbytes) for array in self.index)
        self.search([""], 1)  # compiles the search now, so that it does not count as search time

    def _index(self, documents: list[list[int]]) -> tuple[Float32, Int32, Int64]:
        """Return bm25s's matrix of scores by term: (scores, documents, where each term's begin)."""
        if not self.analyser.terms:  # no document has a word
            return np.empty(0, np.float32), np.empty(0, np.int32), np.zeros(1, np.int64)
        import bm25s

        model = bm25s.BM25(k1=self.config.k1, b=self.config.b, method="lucene", csc_backend="numpy")
        model.index((documents, self.analyser.terms), create_empty_token=False, show_progress=False)
        data, rows, starts = (model.scores[name] for name in ("data", "indices", "indptr"))
        return data.astype(np.float32), rows.astype(np.int32), starts.astype(np.int64)

    def search(self, queries: Sequence[str], k: int) -> Rankings:
        """Return the k best items per query, none without a common word; ties by item id, descending."""
        require(k >= 1, "k", "at least one item must be asked for")
        if not hasattr(self, "index"):
            raise BenchmarkError("bm25: search was called before fit")
        terms = [self.analyser.known(query) for query in queries]
        starts = np.cumsum([0, *map(len, terms)], dtype=np.int64)
        flat = np.fromiter((term for query in terms for term in query), np.int64, int(starts[-1]))
        items = np.full((len(queries), k), -1, np.int32)
        scores = np.zeros((len(queries), k), np.float32)

        def search_block(bounds: tuple[int, int]) -> None:
            first, last = bounds
            kernel()(*self.index, len(self.row_of), flat, starts[first : last + 1], items[first:last],
                     scores[first:last])  # fmt: skip

        blocks = list(pairwise([*range(0, len(queries), BLOCK), len(queries)]))
        kernel()
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(search_block, blocks))
        items[items >= 0] = self.row_of[items[items >= 0]]
        return Rankings(items, scores)


def document_texts(corpus: Corpus) -> list[str]:
    """Return the values of the text fields, joined with spaces; an item that has none gives its first other field."""
    columns = ["categories" if name == "category" else name for name in corpus.fields]
    texts = [" ".join(filter(None, values)) for values in _rows(corpus, columns)]
    empty = [row for row, text in enumerate(texts) if not text.strip()]
    if empty:
        others = _rows(corpus, fallback_fields(corpus.table, corpus.fields))
        for row in empty:
            texts[row] = next((value for value in others[row] if value.strip()), "")
    return texts


def _rows(corpus: Corpus, columns: Sequence[str]) -> list[tuple[str, ...]]:
    """Return each item's values of the columns that exist, lists joined with spaces."""
    present = [corpus.table.column(name).to_pylist() for name in columns if name in corpus.table.column_names]
    texts = [[value if isinstance(value, str) else " ".join(value or ()) for value in column] for column in present]
    return list(zip(*texts, strict=True)) if texts else [()] * len(corpus)


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
