"""Scores of documents from keys: how much more probable a key is for the language model than its frequency says.

    p0 = (count + 5) / (tokens + 5),   w = max(0, log[p (1 - p0)] - log[p0 (1 - p)]) ^ 2,   unigrams: ^ 1

Source: Bevilacqua et al., NeurIPS 2022, section 3.2 (LM+FM and intersective scoring) and the released code.

1. The best unigrams, as many as there are n-grams, join them.
2. N-grams with at most 1,500 hits, best first, look up their occurrences. One that overlaps no better occurrence
   counts, once per document. The 1,500 best documents go on.
3. In each of them, occurrences of all n-grams, best first, from left to right, take their tokens if all are free.
   Each n-gram counts once; what is left free counts by the unigrams' weights, each token once.

In 2 and 3 a weight counts w * (1 - beta + beta * share of the n-gram's different tokens that no better one in this
document has). Equal weights are ordered by the n-grams' tokens. The loops are compiled by numba.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmark.methods.seal.config import ScoringConfig
from benchmark.methods.seal.fm_index import FMIndex
from benchmark.types.arrays import Int32, Int64

Float64 = NDArray[np.float64]
Keys = dict[tuple[int, ...], float]  # n-gram -> log-probability
SURE = -1e-10  # a key of probability 1 would have an infinite weight


@dataclass(frozen=True)
class Weighted:
    """Keys of one query, best first."""

    patterns: list[tuple[int, ...]]
    weights: Float64  # [K]
    low: Int64  # [K] ranges in the FM-index
    high: Int64
    first: Float64  # [alphabet] weights of the unigrams that are no key, 0: none

    def table(self) -> tuple[Int32, Int32]:
        """Return the patterns [K, longest], -1 behind each one's end, and their lengths [K]."""
        lengths = np.array([len(pattern) for pattern in self.patterns], np.int32)
        table = np.full((len(lengths), int(lengths.max(initial=1))), -1, np.int32)
        for row, pattern in enumerate(self.patterns):
            table[row, : len(pattern)] = pattern
        return table, lengths


class Scorer:
    """Scores the documents of an index; `special` are tokens that are no unigram keys."""

    def __init__(self, index: FMIndex, config: ScoringConfig, unigrams: int, special: frozenset[int]) -> None:
        self.index, self.config, self.unigrams = index, config, unigrams
        self.counts = np.bincount(index.tokens, minlength=index.alphabet)
        self.special = np.array(sorted(special), np.int64)
        self.covered = np.zeros(len(index), np.bool_)

    def weigh(self, ngrams: Keys, first: NDArray[Any]) -> Weighted:
        """Return the weights of keys from their log-probabilities and those of the first tokens [alphabet]."""
        patterns = list(ngrams)
        low, high = self.index.ranges(patterns)
        log_probs = np.fromiter(ngrams.values(), np.float64, len(ngrams))
        weights = self._weights(log_probs, high - low) ** self.config.exponent

        unigram = np.zeros(len(first))
        best = np.argsort(-first, kind="stable")[: self.unigrams]
        unigram[best] = self._weights(first[best].astype(np.float64), self.counts[best])
        unigram[[*self.special, *(pattern[0] for pattern in patterns if len(pattern) == 1)]] = 0
        joining = np.argsort(-unigram, kind="stable")[: len(patterns)]
        joining = joining[unigram[joining] > 0]
        ends = np.cumsum(self.counts) + 1
        patterns += [(token,) for token in joining.tolist()]
        weights = np.concatenate([weights, unigram[joining]])
        low = np.concatenate([low, ends[joining] - self.counts[joining]])
        high = np.concatenate([high, ends[joining]])
        unigram[joining] = 0

        kept = np.flatnonzero(weights > 0).tolist()
        order = np.array(sorted(kept, key=lambda row: (-weights[row], patterns[row])), np.int64)
        return Weighted([patterns[row] for row in order], weights[order], low[order], high[order], unigram)

    def _weights(self, log_probs: Float64, counts: Int64) -> Float64:
        """The formula without its power; 0 for what does not occur."""
        log_p = np.minimum(log_probs, SURE)
        log_p0 = np.log((counts + self.config.smoothing) / (len(self.index) + self.config.smoothing))
        log_p0 = np.minimum(log_p0, SURE)
        odds = (log_p + np.log(-np.expm1(log_p0))) - (log_p0 + np.log(-np.expm1(log_p)))
        return np.where(counts > 0, np.maximum(odds, 0.0), 0.0)

    def candidates(self, keys: Weighted) -> Int64:
        """Return the documents that the rare keys choose, best first."""
        rare = np.flatnonzero(keys.high - keys.low <= self.config.frequent)
        which, ends = self.index.locate(keys.low[rare], keys.high[rare])
        order = np.lexsort((ends, which))
        which, ends = rare[which[order]], ends[order]
        documents = self.index.documents(ends - 1)
        from benchmark.methods.seal.kernels import choose

        table, lengths = keys.table()
        scores = choose(
            which, ends, documents, table, lengths, keys.weights, self.covered, self.index.alphabet,
            len(self.index.starts) - 1, self.config.repetition,
        )  # fmt: skip
        best: Int64 = np.argsort(-scores, kind="stable")[: self.config.scored_documents]
        return best[scores[best] > 0]

    def score(self, keys: Weighted, documents: Int64) -> Float64:
        """Return the full scores of these documents."""
        from benchmark.methods.seal.kernels import score

        table, lengths = keys.table()
        order = np.lexsort(table.T[::-1])  # by tokens, shorter first
        return score(
            np.asarray(self.index.tokens), np.asarray(self.index.starts), documents, table[order], lengths[order],
            order, table, lengths, keys.weights, keys.first, self.config.repetition,
        )  # fmt: skip
