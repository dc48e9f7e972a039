"""The network of SASRec. Shapes: items int64 [b, l], n_items pads; states [b, l, dim]."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from benchmark.methods.sequential.config import SASRecConfig
from benchmark.methods.sequential.networks import INIT, SequenceNetwork, Transformer, embedding, positions


class SASRecNetwork(SequenceNetwork):
    """Items and positions through a causal transformer; the item table is also the output's."""

    def __init__(self, n_items: int, config: SASRecConfig) -> None:
        super().__init__(n_items)
        dim = config.embedding_size
        self.config = config
        self.items = embedding(n_items + 1, dim, INIT, padding=n_items)
        self.positions = embedding(config.max_length, dim, INIT)
        self.norm, self.dropout = nn.LayerNorm(dim, eps=1e-12), nn.Dropout(config.dropout)
        self.transformer = Transformer(config)

    def states(self, items: Tensor, users: Tensor) -> Tensor:
        """Return the last layer's output at every position; users play no part."""
        places = self.positions(positions(items, self.n_items, self.config))
        states: Tensor = self.transformer(self.dropout(self.norm(self.items(items) + places)))
        return states

    def table(self) -> tuple[Tensor, Tensor]:
        """Return the input's item table; there are no biases."""
        return self.items.weight[: self.n_items], torch.zeros(self.n_items, device=self.items.weight.device)
