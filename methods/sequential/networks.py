"""What the networks of all sequential recommenders share: the base class, positions and transformer layers.

Items are rows of the corpus, n_items stands for padding, on the right. Shapes: items int64 [b, l], users int64 [b],
states float [b, l, dim]: state t is compared with the item table to predict what follows item t.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmark.errors import require
from benchmark.methods.sequential.config import TransformerConfig

INIT = 0.02  # standard deviation of all weights of the transformers, as in BERT, S3-Rec and RecBole


class SequenceNetwork(nn.Module, ABC):
    """Reads item sequences; one pass gives the loss of every position."""

    overlap = 1  # items that two windows of one history share: a window's first item is no target
    by_prefix = False  # whether every beginning of a window is an example of its own

    def __init__(self, n_items: int) -> None:
        super().__init__()
        self.n_items = n_items

    @abstractmethod
    def states(self, items: Tensor, users: Tensor) -> Tensor:
        """Return a state for every position, which must depend on the items up to it alone."""

    @abstractmethod
    def table(self) -> tuple[Tensor, Tensor]:
        """Return the vectors [n_items, dim] and biases [n_items] that states are compared with."""

    def learned(self, items: Tensor, users: Tensor) -> tuple[Tensor, Tensor]:
        """Return the states [n, dim] and targets [n] that a batch of windows teaches: each item from those before."""
        targets = items[:, 1:]
        real = targets != self.n_items
        inputs = items[:, :-1].masked_fill(~real, self.n_items)  # a window's last item is no input, or all move a place
        return self.states(inputs, users)[real], targets[real]

    def last_states(self, items: Tensor, users: Tensor) -> Tensor:
        """Return the state [b, dim] behind the last item of every sequence, none of which may be empty."""
        states = self.states(items, users)
        last = (items != self.n_items).sum(1) - 1
        return states[torch.arange(len(items), device=items.device), last]


def embedding(rows: int, dim: int, std: float, padding: int | None = None) -> nn.Embedding:
    """Return a table drawn from N(0, std^2); the row `padding` is 0 and stays 0."""
    table = nn.Embedding(rows, dim, padding_idx=padding)
    nn.init.normal_(table.weight, 0.0, std)
    if padding is not None:
        with torch.no_grad():
            table.weight[padding] = 0
    return table


def positions(items: Tensor, padding: int, config: TransformerConfig) -> Tensor:
    """Return each item's row of the position table [b, l]: 0, 1, .. or .., max_length - 2, max_length - 1."""
    places = torch.arange(items.shape[1], device=items.device)
    if config.positions == "from-start":
        return places.expand_as(items)
    lengths = (items != padding).sum(1, keepdim=True)
    return (config.max_length - lengths + places).clamp(max=config.max_length - 1)


class Transformer(nn.Module):
    """Layers of self-attention and feed-forward, normalised behind each (Vaswani et al., 2017; GELU as in BERT)."""

    def __init__(self, config: TransformerConfig) -> None:
        """Raises ConfigError when the heads do not divide the embedding."""
        require(config.embedding_size % config.heads == 0, "heads", "must divide embedding_size")
        super().__init__()
        self.layers = nn.ModuleList(_Layer(config) for _ in range(config.layers))
        self.apply(initialise)

    def forward(self, x: Tensor, real: Tensor | None = None) -> Tensor:
        """Return [b, l, dim]; causal, or with `real` bool [b, l] every position sees all real ones."""
        mask = None if real is None else real[:, None, None, :]
        for layer in self.layers:
            x = layer(x, mask)
        return x


class _Layer(nn.Module):
    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        dim = config.embedding_size
        self.heads, self.rate = config.heads, config.dropout
        self.query_key_value = nn.Linear(dim, 3 * dim)
        self.output = nn.Linear(dim, dim)
        self.inner, self.outer = nn.Linear(dim, config.inner_size), nn.Linear(config.inner_size, dim)
        self.norms = nn.ModuleList(nn.LayerNorm(dim, eps=1e-12) for _ in range(2))
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        batch, length, _ = x.shape
        query, key, value = self.query_key_value(x).view(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        attended = functional.scaled_dot_product_attention(
            query, key, value, mask, self.rate if self.training else 0.0, is_causal=mask is None
        )
        x = self.norms[0](x + self.dropout(self.output(attended.transpose(1, 2).reshape(x.shape))))
        out: Tensor = self.norms[1](x + self.dropout(self.outer(functional.gelu(self.inner(x)))))
        return out


def initialise(module: nn.Module) -> None:
    """Draw the weights of a linear layer from N(0, 0.02^2); its bias is 0."""
    if isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, 0.0, INIT)
        nn.init.zeros_(module.bias)
