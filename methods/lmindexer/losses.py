"""The contrastive and the commitment loss (section 3.3)."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F


def denominators(documents: Tensor, prefixes: Tensor, block: int) -> Tensor:
    """Return bool [n, n]: which documents of a batch are negatives of which.

    Another document with the same prefix (position 1 has the empty one) in the same block of `block` rows: so the
    size of the denominator, like the paper's 16 documents a GPU, depends on no number of devices.
    documents int64 [n]: their numbers (one may come twice); prefixes int64 [n, position - 1].
    """
    same = (prefixes[:, None] == prefixes[None]).all(dim=-1)
    blocks = torch.arange(len(documents), device=documents.device) // block
    return same & (documents[:, None] != documents[None]) & (blocks[:, None] == blocks[None])


def contrastive(hidden: Tensor, again: Tensor, negatives: Tensor, others: Tensor | None = None) -> Tensor:
    """Return -mean log exp(h.h') / (exp(h.h') + sum over negatives exp(h.h_j)), h' the second dropout pass.

    hidden [n, D]; again [b, D] belongs to the first b rows, which are the anchors; negatives bool [n, n] of `others`
    [n, D], which are `hidden` itself if not given. Anchors without a negative count for nothing; 0 when there is none.
    In float32 under mixed precision too: dot products of long vectors have few digits in bfloat16.
    """
    anchors = len(again)
    with torch.autocast(hidden.device.type, enabled=False):
        mine = hidden[:anchors].float()
        positive = (mine * again.float()).sum(-1, keepdim=True)
        scores = mine @ (hidden if others is None else others).float().T
        scores = scores.masked_fill(~negatives[:anchors], -math.inf)
        losses = torch.logsumexp(torch.cat([positive, scores], dim=1), dim=1) - positive[:, 0]
        counted = negatives[:anchors].any(dim=1)
        return (losses * counted).sum() / counted.sum().clamp(min=1)


def commitment(hidden: Tensor, codebooks: list[Tensor], codes: Tensor, *, scale: float, all_columns: bool) -> Tensor:
    """Return the mean cross-entropy of the earlier codes: hidden [n, t - 1, D], codes int64 [n, t - 1].

    Only ID columns compete: those of all earlier positions (`all_columns`) or of the code's own position.
    """
    with torch.autocast(hidden.device.type, enabled=False):
        hidden = hidden.float() * scale
        if all_columns:
            table = torch.cat(codebooks).float()
            sizes = torch.tensor([0, *(len(codebook) for codebook in codebooks[:-1])], device=codes.device)
            return F.cross_entropy((hidden @ table.T).flatten(0, 1), (codes + sizes.cumsum(0)).flatten())
        terms = [F.cross_entropy(hidden[:, j] @ c.float().T, codes[:, j]) for j, c in enumerate(codebooks)]
        return torch.stack(terms).mean()
