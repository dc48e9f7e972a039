"""The reconstructor: every token of a document from its ID and hints (section 3.2; the released code's layer).

    z_i = sum_s Block(query = v_s, keys = values = [v_1 .. v_S ; hints of i]),   logits_i = z_i W

The v_s are the ID's vectors (slots). A block is a T5 encoder layer with two differences: the query is the slot's vector
at every token (only the relative position bias tells tokens apart), and the residual is added to the query, not to
the hints, so that nothing of the document bypasses the ID. The hints of token i are the document's other tokens, each
hidden with probability `mask_ratio`, drawn anew for every i; no mask token exists, hidden means not attended to.

Shapes: n documents, L tokens, S slots, R scored tokens of each document, D model width.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Block(nn.Module):
    """One layer: attention from slot queries to slots and tokens, then a feed-forward network; pre-norm, RMS."""

    def __init__(self, width: int, heads: int, d_ff: int, dropout: float) -> None:
        super().__init__()
        from transformers.models.t5.modeling_t5 import T5LayerNorm

        self.heads, self.head_width = heads, width // heads
        self.q, self.k, self.v, self.o = (nn.Linear(width, width, bias=False) for _ in range(4))
        self.wi, self.wo = nn.Linear(width, d_ff, bias=False), nn.Linear(d_ff, width, bias=False)
        self.norm, self.ff_norm = T5LayerNorm(width), T5LayerNorm(width)
        self.dropout = dropout
        for layer, fan in ((self.q, width * self.head_width), (self.k, width), (self.v, width), (self.o, width)):
            nn.init.normal_(layer.weight, std=fan**-0.5)  # T5's initial scales; its attention has no 1/sqrt(d)
        nn.init.normal_(self.wi.weight, std=width**-0.5)
        nn.init.normal_(self.wo.weight, std=d_ff**-0.5)

    def forward(self, query: Tensor, context: Tensor, bias: Tensor) -> Tensor:
        """Return [n, S, R, D] from query [n, S, 1 or R, D], context [n, S or 1, M, D] and bias [n, heads, R, M].

        The bias is minus infinity where a row may not look.
        """
        n, slots, rows = query.shape[0], query.shape[1], bias.shape[2]
        q = self._split(self.q(self.norm(query)))  # [n, S, heads, 1 or R, d]
        normed = self.norm(context)
        k, v = self._split(self.k(normed)), self._split(self.v(normed))  # [n, S or 1, heads, M, d]
        weights = torch.softmax((q @ k.transpose(-1, -2) + bias[:, None]).float(), dim=-1).to(v.dtype)
        weights = F.dropout(weights, self.dropout, self.training)
        mixed = (weights @ v).transpose(2, 3).reshape(n, slots, rows, -1)
        z = query + F.dropout(self.o(mixed), self.dropout, self.training)
        inner = F.dropout(F.relu(self.wi(self.ff_norm(z))), self.dropout, self.training)
        return z + F.dropout(self.wo(inner), self.dropout, self.training)

    def _split(self, x: Tensor) -> Tensor:
        return x.reshape(*x.shape[:-1], self.heads, self.head_width).transpose(-2, -3)


class Reconstructor(nn.Module):
    """Blocks, relative position bias and the final norm; the network owns the token vectors."""

    def __init__(
        self, width: int, *, layers: int = 1, heads: int = 0, d_ff: int = 0, dropout: float = 0.1,
        open_hints: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        from transformers.models.t5.modeling_t5 import T5LayerNorm

        heads = heads or next(n for n in range(max(1, width // 64), 0, -1) if width % n == 0)
        self.blocks = nn.ModuleList(Block(width, heads, d_ff or 4 * width, dropout) for _ in range(layers))
        self.position_bias = nn.Embedding(32, heads)
        nn.init.normal_(self.position_bias.weight, std=width**-0.5)
        self.norm = T5LayerNorm(width)
        self.dropout, self.open_hints = dropout, open_hints

    def forward(self, slots: Tensor, queries: Tensor, tokens: Tensor, visible: Tensor, rows: Tensor) -> Tensor:
        """Return z [n, R, D]: the queries' outputs after the final norm, summed over the slots.

        slots, queries [n, S, D]; tokens [n, L, D]; visible bool [n, L, L]: may the prediction of token i (first axis)
        read token j; rows int64 [n, R]: the tokens to predict.
        """
        size = slots.shape[1]
        context = torch.cat([slots, tokens], dim=1)
        bias = self._bias(context.shape[1])  # [heads, M, M]
        # a slot's own row, needed only where deeper layers read it, sees what token 0 sees (the released code)
        everything = torch.cat([visible[:, :1].expand(-1, size, -1), visible], dim=1)
        everything = torch.cat([everything.new_ones(*everything.shape[:2], size), everything], dim=2)  # [n, M, M]
        last = len(self.blocks) - 1
        query, source = queries[:, :, None], context[:, None]
        for depth, block in enumerate(self.blocks):
            if self.open_hints and depth < last:
                source = block(queries[:, :, None], source, _masked(bias[None], everything))
                continue
            at = rows + size
            allowed = everything.gather(1, at[:, :, None].expand(-1, -1, everything.shape[2]))  # [n, R, M]
            # not bias[:, at]: summing that gradient takes 30 times as long
            of_rows = bias.index_select(1, at.flatten()).reshape(len(bias), *at.shape, -1)  # [heads, n, R, M]
            mask = _masked(of_rows.transpose(0, 1), allowed)
            query = block(query, source, mask)
        return F.dropout(self.norm(query), self.dropout, self.training).sum(dim=1)

    def _bias(self, length: int) -> Tensor:
        from transformers.models.t5.modeling_t5 import T5Attention

        at = torch.arange(length, device=self.position_bias.weight.device)
        bucket = T5Attention._relative_position_bucket(at[None] - at[:, None], bidirectional=True)
        bias: Tensor = self.position_bias(bucket).permute(2, 0, 1)
        return bias


def _masked(bias: Tensor, allowed: Tensor) -> Tensor:
    """Return the bias [n, heads, rows, M] with minus infinity where `allowed` bool [n, rows, M] is false."""
    return bias.masked_fill(~allowed[:, None], -math.inf)


def hint_mask(real: Tensor, mask_ratio: float, generator: torch.Generator | None = None) -> Tensor:
    """Return bool [n, L, L]: which tokens (last axis) the prediction of each token may read.

    `real` bool [n, L] marks the document's own tokens: special tokens and padding are never hints, nor is the token
    itself; of the others each is hidden with probability `mask_ratio`, independently for every row.
    """
    n, length = real.shape
    kept = torch.rand(n, length, length, device=real.device, generator=generator) >= mask_ratio
    itself = torch.eye(length, dtype=torch.bool, device=real.device)
    return kept & real[:, None, :] & ~itself
