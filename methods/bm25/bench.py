"""BM25 against rank-bm25: queries per second on the same documents, with a check that both rank alike.

Documents and queries are drawn from a Zipf distribution of made-up words. rank-bm25 runs as the engine of that name,
with Lucene's IDF (its own differs for words that more than half of the documents have). Both get text, so that the
time includes the analysis of the query, and both run in this process, the default engine on all cores that it may use.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmark.methods.bm25.config import BM25Config
from benchmark.methods.bm25.retriever import BM25
from benchmark.types.arrays import Float32, Int32
from benchmark.types.data import Corpus
from benchmark.types.method import Context

DEPTH = 10
WORDS_PER_DOCUMENT = 60
WORDS_PER_QUERY = 4
VOCABULARY = 50_000


def run(small: bool) -> Iterator[str]:
    """Yield one line per contender, then the ratio and the check. Raises MissingDependency without rank-bm25."""
    import pyarrow as pa

    n_documents, n_queries, n_reference = (5_000, 2_000, 50) if small else (100_000, 2_000, 20)
    rng = np.random.default_rng(0)
    documents = [_words(rng, WORDS_PER_DOCUMENT) for _ in range(n_documents)]
    queries = [_words(rng, WORDS_PER_QUERY) for _ in range(n_queries)]
    ids = [f"{row:07d}" for row in range(n_documents)]
    corpus = Corpus(pa.table({"id": ids, "title": documents}), fields=("title",))
    context = Context(seed=0, work=Path())

    reference = BM25(BM25Config(engine="rank-bm25"))
    reference.fit(corpus, None, context)
    ours = BM25()
    started = time.perf_counter()
    ours.fit(corpus, None, context)
    yield f"{n_documents:,} documents, index built in {time.perf_counter() - started:.1f} s"
    seconds = []
    for _ in range(3):
        started = time.perf_counter()
        rankings = ours.search(queries, DEPTH)
        seconds.append(time.perf_counter() - started)
    speed = n_queries / float(np.median(seconds))
    how = f"{n_queries:,} queries, {os.cpu_count()} threads, median of 3"
    yield f"bm25        {speed:12,.1f} queries/s  ({how})"

    started = time.perf_counter()
    expected = reference.search(queries[:n_reference], DEPTH)
    reference_speed = n_reference / (time.perf_counter() - started)
    yield f"rank-bm25   {reference_speed:12,.1f} queries/s  ({n_reference} queries)"
    yield f"ratio       {speed / reference_speed:12,.1f}"

    every = reference.search(queries[:n_reference], n_documents)
    rows = zip(rankings.items, rankings.scores, expected.scores, every.items, every.scores, strict=False)
    same = sum(_alike(*row) for row in rows)
    yield f"same top {DEPTH} in {same} of {n_reference} queries"


def _alike(items: Int32, scores: Float32, best: Float32, every_item: Int32, every_score: Float32) -> bool:
    """Return whether the scores are the best ones and the items have them; rounding may swap items that are level."""
    score_of = dict(zip(every_item.tolist(), every_score.tolist(), strict=True))
    theirs = [score_of.get(item, 0.0) for item in items.tolist()]
    return bool(np.allclose(scores, best, rtol=1e-4) and np.allclose(theirs, best, rtol=1e-4))


def _words(rng: np.random.Generator, n: int) -> str:
    """Draw n words from the Zipf distribution (exponent 1.2, cut at the vocabulary)."""
    return " ".join(f"w{rank % VOCABULARY}" for rank in rng.zipf(1.2, n).tolist())


if __name__ == "__main__":
    for line in run(small=False):
        print(line, flush=True)
