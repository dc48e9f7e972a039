"""The network of FDSA. Shapes: items int64 [b, l], n_items pads; features int64 [n_items, m]; states [b, l, dim]."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmark.methods.sequential.config import FDSAConfig
from benchmark.methods.sequential.networks import INIT, SequenceNetwork, Transformer, embedding, initialise, positions
from benchmark.types.arrays import Int64


class FDSANetwork(SequenceNetwork):
    """Two causal transformers, of items and of features, that share positions and the inputs' normalisation."""

    features: Tensor

    def __init__(self, features: Int64, n_features: int, config: FDSAConfig) -> None:
        """`features` [n_items, m] are rows of the feature table, n_features pads."""
        super().__init__(len(features))
        dim = config.embedding_size
        self.config, self.n_features = config, n_features
        nothing = np.full((1, features.shape[1]), n_features)  # the features of the padding
        self.register_buffer("features", torch.from_numpy(np.concatenate([features, nothing])), persistent=False)
        self.items = embedding(self.n_items + 1, dim, INIT, padding=self.n_items)
        self.feature_table = embedding(n_features + 1, dim, INIT, padding=n_features)
        self.positions = embedding(config.max_length, dim, INIT)
        self.norm, self.dropout = nn.LayerNorm(dim, eps=1e-12), nn.Dropout(config.dropout)
        self.item_transformer, self.feature_transformer = Transformer(config), Transformer(config)
        self.output, self.output_norm = nn.Linear(2 * dim, dim), nn.LayerNorm(dim, eps=1e-12)
        self.output.apply(initialise)

    def states(self, items: Tensor, users: Tensor) -> Tensor:
        """Return the joint output at every position; users play no part."""
        places = self.positions(positions(items, self.n_items, self.config))
        bags = self.features[items.flatten()]
        features = functional.embedding_bag(
            bags, self.feature_table.weight, mode="mean", padding_idx=self.n_features
        ).view_as(places)
        outputs = [
            transformer(self.dropout(self.norm(vectors + places)))
            for transformer, vectors in (
                (self.item_transformer, self.items(items)),
                (self.feature_transformer, features),
            )
        ]
        states: Tensor = self.dropout(self.output_norm(self.output(torch.cat(outputs, dim=-1))))
        return states

    def table(self) -> tuple[Tensor, Tensor]:
        """Return the input's item table; there are no biases."""
        return self.items.weight[: self.n_items], torch.zeros(self.n_items, device=self.items.weight.device)
