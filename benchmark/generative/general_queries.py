"""General training queries: words that an item shares with the items most like it.

    P(t | i)  is in proportion to  n_i(t) log(N / df(t)),    for words t that at least `shared` neighbours of i hold

n_i(t) counts the neighbours of item i that hold word t (i is one of them where it is its own nearest), df(t) the items.
A known-item query (`benchmark.data.simulate`) tells one item from all others; who looks for a kind of item asks with
words that many items have. Such queries ask for their item like any other, and `sentence.neighbours` makes the items
that are like the query's own words their targets. They are drawn from items' texts alone, never from categories.

Shapes: N items, k neighbours of each.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from benchmark.data.simulate import TermCounts
from benchmark.generative.config import GeneralQueriesConfig
from benchmark.types.arrays import Int32, Int64


def general_queries(
    counts: TermCounts, neighbours: Int32, config: GeneralQueriesConfig, seed: int
) -> tuple[list[str], Int64]:
    """Return `per_item` queries for every item with a shared word, and the item of each.

    `neighbours` [N, k] are the items most like each item. A query has 1 + Poisson(`mean_length` - 1) different words,
    fewer where its item shares fewer.
    """
    n, k = neighbours.shape
    having = sparse.csr_matrix((np.ones(len(counts.terms)), counts.terms, counts.offsets), (n, len(counts.words)))
    near = sparse.csr_matrix((np.ones(n * k), neighbours.reshape(-1), np.arange(n + 1) * k), (n, n))
    shared = (near @ having).tocsr()
    shared.sort_indices()
    rarity = np.log(n / np.asarray(having.sum(0))[0].clip(1))
    words, random = np.array(counts.words, object), np.random.default_rng([seed, n])
    texts, items = [], []
    for item in range(n):
        held = slice(*shared.indptr[item : item + 2])
        terms, times = shared.indices[held], shared.data[held]
        weights = times * rarity[terms]
        kept = (times >= config.shared) & (weights > 0)
        if not kept.any():
            continue
        # The smallest of exponential variables with rates w are a weighted draw without replacement.
        waiting = random.exponential(size=(config.per_item, int(kept.sum()))) / weights[kept]
        order = terms[kept][np.argsort(waiting, axis=1, kind="stable")]
        lengths = 1 + random.poisson(config.mean_length - 1, config.per_item)
        texts += [" ".join(words[row[:length]]) for row, length in zip(order, lengths, strict=True)]
        items += [item] * config.per_item
    return texts, np.array(items, np.int64)
