"""BM25 against rank-bm25: queries per second on the same documents, with a check that both rank alike.

Documents and queries are drawn from a Zipf distribution of made-up words. rank-bm25 gets ready token lists and
Lucene's IDF (its own differs for words that more than half of the documents have); ours gets text, so that its time
includes the analysis of the query. Both run in this process, ours on all cores that it may use.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.contracts import Context, Corpus
from benchmark.errors import MissingDependency
from benchmark.methods.bm25 import BM25

DEPTH = 10
WORDS_PER_DOCUMENT = 60
WORDS_PER_QUERY = 4
VOCABULARY = 50_000


def run(small: bool) -> Iterator[str]:
    """Yield one line per contender, then the ratio and the check."""
    okapi = _rank_bm25()
    import pyarrow as pa

    n_documents, n_queries, n_reference = (5_000, 2_000, 50) if small else (100_000, 2_000, 20)
    rng = np.random.default_rng(0)
    documents = [_words(rng, WORDS_PER_DOCUMENT) for _ in range(n_documents)]
    queries = [_words(rng, WORDS_PER_QUERY) for _ in range(n_queries)]
    ids = [f"{row:07d}" for row in range(n_documents)]
    corpus = Corpus(pa.table({"id": ids, "title": list(map(" ".join, documents))}), fields=("title",))

    ours = BM25()
    started = time.perf_counter()
    ours.fit(corpus, None, Context(seed=0, work=Path()))
    yield f"{n_documents:,} documents, index built in {time.perf_counter() - started:.1f} s"
    ours.search(["w1"], DEPTH)  # compiles
    texts = list(map(" ".join, queries))
    seconds = []
    for _ in range(3):
        started = time.perf_counter()
        rankings = ours.search(texts, DEPTH)
        seconds.append(time.perf_counter() - started)
    speed = n_queries / float(np.median(seconds))
    how = f"{n_queries:,} queries, {os.cpu_count()} threads, median of 3"
    yield f"bm25        {speed:12,.1f} queries/s  ({how})"

    reference = okapi(documents, k1=ours.config.k1, b=ours.config.b)
    reference.idf = _lucene_idf(documents)
    started = time.perf_counter()
    scores = [reference.get_scores(query) for query in queries[:n_reference]]
    reference_speed = n_reference / (time.perf_counter() - started)
    yield f"rank-bm25   {reference_speed:12,.1f} queries/s  ({n_reference} queries)"
    yield f"ratio       {speed / reference_speed:12,.1f}"

    same = 0
    for query, expected in enumerate(scores):
        best = np.sort(expected)[::-1][:DEPTH] / (ours.config.k1 + 1)  # Lucene leaves the constant k1 + 1 out
        found = rankings.scores[query]
        chosen = expected[rankings.items[query][: (best > 0).sum()]] / (ours.config.k1 + 1)
        same += bool(np.allclose(found, best, rtol=1e-4) and np.allclose(chosen, best[best > 0], rtol=1e-4))
    yield f"same top {DEPTH} in {same} of {n_reference} queries"


def _rank_bm25() -> Any:
    try:
        from rank_bm25 import BM25Okapi
    except ImportError:
        raise MissingDependency("the comparison needs rank-bm25: pip install rank-bm25") from None
    return BM25Okapi


def _words(rng: np.random.Generator, n: int) -> list[str]:
    """Draw n words from the Zipf distribution (exponent 1.2, cut at the vocabulary)."""
    return [f"w{rank % VOCABULARY}" for rank in rng.zipf(1.2, n).tolist()]


def _lucene_idf(documents: list[list[str]]) -> dict[str, float]:
    frequency: dict[str, int] = {}
    for document in documents:
        for word in set(document):
            frequency[word] = frequency.get(word, 0) + 1
    return {word: float(np.log(1 + (len(documents) - df + 0.5) / (df + 0.5))) for word, df in frequency.items()}


if __name__ == "__main__":
    for line in run(small=False):
        print(line, flush=True)
