"""The network of BERT4Rec. Shapes: items int64 [b, l], n_items pads, n_items + 1 is [MASK]; states [b, l, dim]."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmark.methods.sequential.config import BERT4RecConfig
from benchmark.methods.sequential.networks import INIT, SequenceNetwork, Transformer, embedding, initialise, positions


class BERT4RecNetwork(SequenceNetwork):
    """Items, [MASK] and positions through a transformer without a causal mask."""

    overlap = 0  # every item of a window can be a target

    def __init__(self, n_items: int, config: BERT4RecConfig) -> None:
        super().__init__(n_items)
        dim = config.embedding_size
        self.config = config
        self.by_prefix = config.examples == "prefixes"
        self.items = embedding(n_items + 2, dim, INIT, padding=n_items)
        self.positions = embedding(config.max_length, dim, INIT)
        self.norm, self.dropout = nn.LayerNorm(dim, eps=1e-12), nn.Dropout(config.dropout)
        self.transformer = Transformer(config)
        self.head = nn.Sequential(nn.Linear(dim, dim), nn.GELU(), nn.LayerNorm(dim, eps=1e-12)).apply(initialise)
        self.bias = nn.Parameter(torch.zeros(n_items))

    def states(self, items: Tensor, users: Tensor) -> Tensor:
        """Return the output at every position, which sees all others; users play no part."""
        places = self.positions(positions(items, self.n_items, self.config))
        x = self.dropout(self.norm(self.items(items) + places))
        states: Tensor = self.head(self.transformer(x, items != self.n_items))
        return states

    def table(self) -> tuple[Tensor, Tensor]:
        """Return the input's item table and the output's biases."""
        return self.items.weight[: self.n_items], self.bias

    def hidden(self, items: Tensor) -> Tensor:
        """Draw which items are hidden, bool [b, l]: only the last ones, or each by chance but one at least."""
        real = items != self.n_items
        draws = torch.rand(items.shape, device=items.device).masked_fill(~real, 2.0)
        by_chance = (draws < self.config.mask_ratio) | (draws == draws.amin(1, keepdim=True))
        last = torch.arange(items.shape[1], device=items.device) == real.sum(1, keepdim=True) - 1
        return torch.where(torch.rand((), device=items.device) < self.config.last_ratio, last, by_chance & real)

    def learned(self, items: Tensor, users: Tensor) -> tuple[Tensor, Tensor]:
        """Return the states at hidden items, and these items."""
        hidden = self.hidden(items)
        return self.states(items.masked_fill(hidden, self.n_items + 1), users)[hidden], items[hidden]

    def last_states(self, items: Tensor, users: Tensor) -> Tensor:
        """Return the state of a [MASK] behind the last item; the oldest of max_length items makes room for it."""
        lengths = (items != self.n_items).sum(1, keepdim=True)
        full = lengths == self.config.max_length
        items = functional.pad(items, (0, 1), value=self.n_items).scatter(1, lengths, self.n_items + 1)
        items = torch.where(full, items.roll(-1, 1), items)[:, : self.config.max_length]
        masks = items == self.n_items + 1
        return self.states(items, users)[masks]
