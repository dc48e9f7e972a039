"""The network of GRU4Rec. Shapes: items int64 [b, l], n_items pads; states [b, l, dim]."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from benchmark.methods.sequential.config import GRU4RecConfig
from benchmark.methods.sequential.networks import SequenceNetwork, embedding


class GRU4RecNetwork(SequenceNetwork):
    """A GRU over item vectors; padding stands behind the items, where a recurrent state has passed already."""

    def __init__(self, n_items: int, config: GRU4RecConfig) -> None:
        super().__init__(n_items)
        dim = config.embedding_size
        xavier = (2 / (n_items + 1 + dim)) ** 0.5
        self.items = embedding(n_items + 1, dim, xavier, padding=n_items)
        self.dropout = nn.Dropout(config.dropout)
        self.gru = nn.GRU(dim, config.hidden_size, config.layers, bias=False, batch_first=True)
        self.output = nn.Linear(config.hidden_size, dim)
        for weight in self.gru.parameters():
            nn.init.xavier_uniform_(weight)

    def states(self, items: Tensor, users: Tensor) -> Tensor:
        """Return the recurrent state at every position, in the items' space; users play no part."""
        states: Tensor = self.output(self.gru(self.dropout(self.items(items)))[0])
        return states

    def table(self) -> tuple[Tensor, Tensor]:
        """Return the input's item table; there are no biases."""
        return self.items.weight[: self.n_items], torch.zeros(self.n_items, device=self.items.weight.device)
