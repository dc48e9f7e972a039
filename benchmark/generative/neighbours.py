"""Soft targets of search: a training text also stands for the items whose own texts are like it.

    P(d | q) = (1 - s) [d = the item of q]  +  s  exp(m(q, d) / T) / sum over the nearest items d' of exp(m(q, d') / T)
    m(q, d)  = cos(v_q, v_d) + a cos(t_q, t_d)

v are the frozen encoder's vectors, t tf-idf vectors of word pieces (a piece counts once), idf = log(1 + (N - n + .5) /
(n + .5)) over the items' texts, as in BM25. A known-item query says that all items but one are wrong; a decoder that
learns from such queries alone learns them by heart. Neighbours also teach it which items are alike, which is what
general queries ask for: a ranking by meaning and words is distilled into the decoder, one drawn target at a time
(Hinton, Vinyals and Dean, Distilling the Knowledge in a Neural Network, 2015).

Shapes: n texts, k neighbours of each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy import sparse

from benchmark.generative.config import NeighboursConfig
from benchmark.generative.tokens import Ragged
from benchmark.learning.topk import top_k
from benchmark.types.arrays import Float32, Int32, Int64
from benchmark.types.ties import id_ranks

BLOCK = 1024  # texts that are compared with all items at a time


@dataclass(frozen=True)
class Compared:
    """Texts as they are compared: vectors [n, F], and word pieces by the tokenizer's numbers."""

    vectors: Float32
    words: Ragged


@dataclass(frozen=True)
class Neighbours:
    """The nearest items [n, k] of every text, and the cumulative probabilities [n, k] to draw them with."""

    items: Int32
    cumulative: Float32
    share: float

    @classmethod
    def of(cls, texts: Compared, items: Compared, ids: Sequence[str], config: NeighboursConfig) -> Neighbours:
        """Find every text's neighbours among the items; of items that are equally near the greater id comes first."""
        pieces = 1 + max(int(part.words.values.max(initial=0)) for part in (texts, items))
        counted = _occurrences(items.words, pieces)
        having = np.asarray(counted.sum(0), np.float64)[0]
        idf = np.log(1 + (len(items.words) - having + 0.5) / (having + 0.5))
        own, others = (_unit(part @ sparse.diags(idf)) for part in (_occurrences(texts.words, pieces), counted))
        vectors = _normalized(items.vectors)
        ranks, count = torch.from_numpy(id_ranks(ids)), min(config.count, len(ids))
        found, scores = [], []
        for start in range(0, len(texts.words), BLOCK):
            rows = slice(start, start + BLOCK)
            likeness = _normalized(texts.vectors[rows]) @ vectors.T
            likeness += config.words * (own[rows] @ others.T).toarray().astype(np.float32)
            values, columns = top_k(torch.from_numpy(likeness), ranks, count)
            found.append(columns.numpy().astype(np.int32))
            scores.append(values.double().numpy())
        best = np.concatenate(scores) / config.temperature
        weights = np.exp(best - best[:, :1])
        cumulative = np.cumsum(weights / weights.sum(1, keepdims=True), axis=1)
        return cls(np.concatenate(found), cumulative.astype(np.float32), config.share)

    def draw(self, rows: Int64, own: Int64) -> Int64:
        """Return a target for each of some texts: its own item or, with probability `share`, a neighbour.

        The random numbers come from torch's generator.
        """
        drawn, place = torch.rand(2, len(rows)).numpy()
        # the last bound is 1 but for rounding: whatever lies above it is the last neighbour
        column = (self.cumulative[rows, :-1] <= place[:, None]).sum(1)
        return np.where(drawn < self.share, self.items[rows, column], own).astype(np.int64)


def _occurrences(words: Ragged, pieces: int) -> Any:
    """Return which pieces each text holds, a sparse 0/1 matrix [n, pieces]."""
    ones = np.ones(len(words.values), np.float64)
    matrix = sparse.csr_matrix((ones, words.values, words.offsets), shape=(len(words), pieces), copy=True)
    matrix.sum_duplicates()
    matrix.data[:] = 1
    return matrix


def _normalized(vectors: Float32) -> Float32:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), np.float32)


def _unit(rows: Any) -> Any:
    """Return sparse rows scaled to unit length; empty ones stay empty."""
    lengths = np.sqrt(np.asarray(rows.multiply(rows).sum(1), np.float64))[:, 0]
    return (sparse.diags(1 / np.maximum(lengths, 1e-12)) @ rows).tocsr()
