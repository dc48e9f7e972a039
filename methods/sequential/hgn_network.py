"""The network of HGN.

Shapes: items int64 [b, l], n_items pads; users int64 [b], n_users is anyone unknown; states [b, l, dim]. Padding
stands behind the items, so that no running sum at an item contains any.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from benchmark.methods.sequential.config import HGNConfig
from benchmark.methods.sequential.networks import SequenceNetwork, embedding


class HGNNetwork(SequenceNetwork):
    """Feature gate, instance gate, and the plain sum of the items."""

    def __init__(self, n_items: int, n_users: int, config: HGNConfig) -> None:
        super().__init__(n_items)
        dim = config.embedding_size
        self.items = embedding(n_items + 1, dim, 1 / dim, padding=n_items)
        self.users = embedding(n_users + 1, dim, 1 / dim, padding=n_users)
        self.output = embedding(n_items, dim, 1 / dim)
        self.feature_item, self.feature_user = nn.Linear(dim, dim), nn.Linear(dim, dim, bias=False)
        self.instance_item = nn.Linear(dim, 1, bias=False)
        self.instance_user = nn.Linear(dim, config.max_length, bias=False)
        for layer in (self.feature_item, self.feature_user, self.instance_item, self.instance_user):
            nn.init.xavier_uniform_(layer.weight)
        nn.init.zeros_(self.feature_item.bias)

    def states(self, items: Tensor, users: Tensor) -> Tensor:
        """Return x_t for every t; place t counts from the oldest item of the window."""
        vectors, user = self.items(items), self.users(users)[:, None]
        gated = vectors * torch.sigmoid(self.feature_item(vectors) + self.feature_user(user))
        places = self.instance_user(user).transpose(1, 2)[:, : items.shape[1]]
        gate = torch.sigmoid(self.instance_item(gated) + places).float()
        pooled = (gate * gated).cumsum(1) / gate.cumsum(1)
        states: Tensor = user + pooled + vectors.cumsum(1)
        return states

    def table(self) -> tuple[Tensor, Tensor]:
        """Return the output's own item table; there are no biases."""
        return self.output.weight, torch.zeros(self.n_items, device=self.output.weight.device)
