"""From a hidden state to a code and back (section 3.1 and 3.2).

    P_s(c = j | h) = softmax_j(h . e_j),   c = argmax_j h . e_j

Forward the vector of the chosen code, backward the softmax's expectation: soft + stop_gradient(hard - soft).
Raw dot products: no bias, no norm, no Gumbel noise (the released code's flag `gumbel_softmax` adds none).
"""

from __future__ import annotations

import torch
from torch import Tensor


def straight_through(hidden: Tensor, codebook: Tensor, temperature: float = 1.0) -> tuple[Tensor, Tensor]:
    """Return the code's vector [n, width] with the softmax's gradient, and the codes int64 [n].

    In float32 under mixed precision too, or training would choose other codes than the export.
    """
    with torch.autocast(hidden.device.type, enabled=False):
        codebook = codebook.float()
        logits = hidden.float() @ codebook.T
        soft = torch.softmax(logits / temperature, dim=-1) @ codebook
        codes = logits.argmax(dim=-1)
        return soft + (codebook[codes] - soft).detach(), codes
