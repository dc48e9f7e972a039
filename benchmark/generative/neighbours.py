"""Soft targets of search: a training text also stands for the items whose own texts mean nearly the same.

    P(d | q) = (1 - s) [d = the item of q]  +  s  exp(v_q . v_d / T) / sum over the nearest items d'

v are the frozen encoder's vectors. A known-item query alone says that all items but one are wrong; learning from it, a
decoder learns the queries by heart. With neighbours it also learns which items are alike, which is what short and
general queries ask for: the encoder's ranking is distilled into the decoder (Hinton, Vinyals and Dean, Distilling the
Knowledge in a Neural Network, 2015), one drawn target at a time.

Shapes: n texts, k neighbours of each.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from benchmark.contracts import Float32, Int32, Int64
from benchmark.dense import DenseIndex, IndexConfig
from benchmark.generative.config import NeighboursConfig


@dataclass(frozen=True)
class Neighbours:
    """The nearest items [n, k] of every text, and the cumulative probabilities [n, k] to draw them with."""

    items: Int32
    cumulative: Float32
    share: float

    @classmethod
    def of(cls, texts: Float32, items: Float32, ids: list[str], config: NeighboursConfig) -> Neighbours:
        """Find the neighbours of texts [n, F] among items [n_items, F]."""
        index = DenseIndex(items, ids, IndexConfig(), sample=texts[:1], seed=0, gpu=False)
        found = index.search(texts, min(config.count, len(items)))
        scores = found.scores.astype(np.float64) / config.temperature
        weights = np.exp(scores - scores[:, :1])
        cumulative = np.cumsum(weights / weights.sum(1, keepdims=True), axis=1)
        return cls(found.items, cumulative.astype(np.float32), config.share)

    def draw(self, rows: Int64, own: Int64) -> Int64:
        """Return a target for each of some texts: its own item or, with probability `share`, a neighbour.

        The random numbers come from torch's generator.
        """
        drawn, place = torch.rand(2, len(rows)).numpy()
        # the last bound is 1 but for rounding: whatever lies above it is the last neighbour
        column = (self.cumulative[rows, :-1] <= place[:, None]).sum(1)
        return np.where(drawn < self.share, self.items[rows, column], own).astype(np.int64)
