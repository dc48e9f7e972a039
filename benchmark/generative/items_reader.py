"""The reader `items`: a causal Transformer over the items of a history, one state behind each item.

An item's vector comes from the codes of its ID (c^1 .. c^T, the dedup counter among them), from its text embedding, or
from both:

    x = sum_t W_t E^t[c^t]   and / or   W t,   then LN(x) + p, p learned for the distance from the newest item

A state depends on the items up to it alone, so one pass over a history is an example for every item behind the first.
Its architecture is the sequential recommenders' (SASRec) without a table of items: what has no ID of its own and no
text of its own cannot be told apart. `table` is that table, as a control. Relatives: MARIUS (arXiv 2508.14910).

Shapes: items int64 [b, l], padded on the right with n_items; T code positions, D width, F embedding size.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from benchmark.generative.config import ItemsConfig
from benchmark.generative.dropout import Dropout
from benchmark.generative.reading import HistoryBatch
from benchmark.generative.start import Start
from benchmark.types.arrays import Float32, Int32

CODE_STD = 0.05
TEXT_SCALE = 10.0  # an embedding of unit length has components of some 0.05, far below the codes' sum


class Spots(NamedTuple):
    """Where the real items of b padded sequences of length l stand among their b * l places, ascending."""

    flat: Tensor
    sequences: int
    length: int


class ItemsReader(nn.Module):
    """Gives the states [n, D] of the n real items of padded sequences."""

    def __init__(
        self, codes: Int32, sizes: tuple[int, ...], vectors: Float32 | None, config: ItemsConfig, width: int,
        start: Start | None = None,
    ) -> None:  # fmt: skip
        """codes [n_items, T] with -1 for padding, vectors [n_items, F] where the configuration reads texts.

        `start` holds learned code vectors of the first positions, which become initial weights.
        """
        super().__init__()
        self.config, self.n_items = config, len(codes)
        kinds = ("ids", "text") if config.vectors == "both" else (config.vectors,)
        self.text = self.table = self.codes = None
        if "ids" in kinds:
            self.codes = _CodeVectors(codes, sizes, width, start)
        if "text" in kinds:
            assert vectors is not None
            self.register_buffer("vectors", torch.from_numpy(np.asarray(vectors, np.float32)), persistent=False)
            self.text = nn.Linear(vectors.shape[1], width)
        if "table" in kinds:
            self.table = nn.Embedding(len(codes), width)
            nn.init.normal_(self.table.weight, 0.0, CODE_STD)
        self.positions = nn.Embedding(config.max_length, width)
        nn.init.normal_(self.positions.weight, 0.0, 0.02)
        self.norm, self.last_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.dropout = Dropout(config.dropout)
        self.layers = nn.ModuleList(_Layer(width, config.heads, config.dropout) for _ in range(config.layers))

    vectors: Tensor

    def forward(self, groups: Sequence[Tensor]) -> Tensor:
        """Return the states [n, D] behind all real items of all groups of sequences [b, l], row by row.

        Padding is computed in the attention alone.
        """
        real = [items != self.n_items for items in groups]
        spots = [Spots(torch.nonzero(mask.flatten())[:, 0], *mask.shape) for mask in real]
        places = [mask.sum(1, keepdim=True) - 1 - torch.arange(mask.shape[1], device=mask.device) for mask in real]
        items = torch.cat([part.flatten()[at.flat] for part, at in zip(groups, spots, strict=True)])
        place = torch.cat([part.flatten()[at.flat] for part, at in zip(places, spots, strict=True)])
        distinct, row = torch.unique(items, return_inverse=True)
        x = nn.functional.embedding(row, self.norm(self.item_vectors(distinct)))
        x = self.dropout(x + self.positions(place.clamp(max=self.config.max_length - 1)))
        for layer in self.layers:
            x = layer(x, spots)
        states: Tensor = self.last_norm(x)
        return states

    def learned(self, batch: HistoryBatch) -> tuple[Tensor, Tensor]:
        """Return the states [n, D] and targets [n] of all windows of a batch: every item from those before it."""
        inputs, targets = [], []
        for items in batch.windows:
            following = items[:, 1:]
            real = following != self.n_items
            inputs.append(items[:, :-1].masked_fill(~real, self.n_items))  # a window's last item is a target alone
            targets.append(following[real])
        return self(inputs), torch.cat(targets)

    def item_vectors(self, items: Tensor) -> Tensor:
        """Return the vectors of items [n] before normalisation: [n, D]."""
        parts = []
        if self.codes is not None:
            parts.append(self.codes(items))
        if self.text is not None:
            parts.append(self.text(self.vectors.index_select(0, items) * TEXT_SCALE))
        if self.table is not None:
            parts.append(self.table(items))
        return torch.stack(parts).sum(0)

    def last_states(self, items: Tensor) -> Tensor:
        """Return the state behind the newest item of every sequence [b, D]; none may be empty."""
        last = (items != self.n_items).sum(1).cumsum(0) - 1
        states: Tensor = self([items])
        return states.index_select(0, last)


class _CodeVectors(nn.Module):
    """x = sum_t W_t E^t[c^t]; padding adds nothing."""

    def __init__(self, codes: Int32, sizes: tuple[int, ...], width: int, start: Start | None) -> None:
        super().__init__()
        offsets = np.concatenate([[0], np.cumsum(sizes)])
        rows = np.where(codes >= 0, codes + offsets[:-1], offsets[-1])  # the last row is that of padding
        self.register_buffer("rows", torch.from_numpy(rows.astype(np.int64)), persistent=False)
        self.sizes = list(sizes)
        self.table = nn.Parameter(torch.randn(int(offsets[-1]), width) * CODE_STD)
        self.weights = nn.Linear(len(sizes) * width, width, bias=False)  # [W_1 .. W_T]
        if start is not None:
            with torch.no_grad():
                self.table[: len(start.rows)] = fitted(torch.from_numpy(start.rows), width)

    rows: Tensor

    def forward(self, items: Tensor) -> Tensor:
        """Return the vectors of items [n]: [n, D]. Every code is projected once, not once per item."""
        tables = torch.split(self.table, self.sizes)
        maps = torch.split(self.weights.weight, self.table.shape[1], dim=1)
        parts = [nn.functional.linear(part, w) for part, w in zip(tables, maps, strict=True)]
        projected = torch.cat([*parts, parts[0].new_zeros(1, parts[0].shape[1])]).float()
        return nn.functional.embedding(self.rows.index_select(0, items), projected).sum(1)


def fitted(rows: Tensor, width: int) -> Tensor:
    """Return learned vectors [n, F] on their first principal axes [n, width], scaled like random initial ones."""
    centred = rows - rows.mean(0)
    _, _, axes = torch.linalg.svd(centred, full_matrices=False)
    found = centred @ axes[:width].T
    found = nn.functional.pad(found, (0, width - found.shape[1]))
    return found * (CODE_STD / found.std().clamp(min=1e-12))


class _Layer(nn.Module):
    """Causal self-attention and a feed-forward layer, each behind a layer norm."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.norm, self.inner_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query_key_value, self.output = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.inner, self.outer = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor, spots: list[Spots]) -> Tensor:
        heads = torch.split(self.query_key_value(self.norm(x)), [len(at.flat) for at in spots])
        attended = torch.cat([self._attention(part, at) for part, at in zip(heads, spots, strict=True)])
        x = x + self.dropout(self.output(attended))
        out: Tensor = x + self.dropout(self.outer(nn.functional.gelu(self.inner(self.inner_norm(x)))))
        return out

    def _attention(self, heads: Tensor, at: Spots) -> Tensor:
        """Return what every real item attends to [n, D], from its query, key and value [n, 3 D]."""
        on_cpu = heads.device.type == "cpu"  # where attention in bfloat16 is slow
        with torch.autocast("cpu", enabled=False) if on_cpu else nullcontext():
            heads = heads.float() if on_cpu else heads
            places = heads.new_zeros(at.sequences * at.length, heads.shape[1]).index_copy(0, at.flat, heads)
            query, key, value = places.view(at.sequences, at.length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
            attended = nn.functional.scaled_dot_product_attention(query, key, value, is_causal=True)
            return attended.transpose(1, 2).reshape(len(places), -1).index_select(0, at.flat)
