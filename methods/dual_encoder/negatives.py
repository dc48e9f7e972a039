"""Hard negatives: documents that BM25 ranks high for a training query and nobody judged relevant to it.

Source: Karpukhin et al., Dense Passage Retrieval, EMNLP 2020, section 3.2 (one BM25 negative beside the negatives of
the batch); LMIndexer's dual encoder draws them from ranks 1 to 30.
"""

from __future__ import annotations

import numpy as np

from benchmark.methods.bm25.retriever import BM25
from benchmark.methods.dual_encoder.judged import Judged
from benchmark.types.arrays import Int64
from benchmark.types.data import Corpus
from benchmark.types.method import Context


def bm25_negatives(judged: Judged, corpus: Corpus, ranks: int, context: Context) -> Int64:
    """Return each query's negatives [n_queries, ranks], -1 pads at the end: BM25's first `ranks` less the relevant."""
    bm25 = BM25()
    bm25.fit(corpus, None, Context(seed=context.seed, work=context.work / "bm25", progress=context.progress))
    items = bm25.search(judged.queries, ranks).items
    found = np.where(items >= 0, judged.document_of[items], -1)
    queries = np.arange(len(found))[:, None]
    found[judged.known(queries, found)] = -1
    found = np.sort(found, axis=1)[:, ::-1]  # copies of a document side by side
    found[:, 1:][found[:, 1:] == found[:, :-1]] = -1
    return np.ascontiguousarray(np.sort(found, axis=1)[:, ::-1])


def draw_examples(judged: Judged, negatives: Int64, n_examples: int, per_example: int, seed: int) -> Int64:
    """Return training examples [n_examples, 2 + per_example]: query, relevant document, negatives (-1: none left).

    An endless chain of shuffled passes over the positives, cut after `n_examples`; each pass draws negatives anew, none
    twice for one example.
    """
    n_positives = len(judged.positives)
    parts = []
    for start in range(0, n_examples, n_positives):
        random = np.random.default_rng([seed, start // n_positives])
        pairs = judged.positives[random.permutation(n_positives)[: n_examples - start]]
        own = negatives[judged.asked[pairs]]
        order = np.argsort(np.where(own >= 0, random.random(own.shape), 2), axis=1)[:, :per_example]
        drawn = np.full((len(pairs), per_example), -1, np.int64)
        drawn[:, : order.shape[1]] = np.take_along_axis(own, order, axis=1)
        parts.append(np.column_stack([judged.asked[pairs], judged.relevant[pairs], drawn]))
    return np.concatenate(parts)
