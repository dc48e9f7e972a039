"""From a hidden state to a code and back (section 3.1 and 3.2).

    P_s(c = j | h) = softmax_j(h . e_j),   c = argmax_j h . e_j

Forward the vector of the chosen code, backward the softmax's expectation: soft + stop_gradient(hard - soft).
Raw dot products: no bias, no norm, no Gumbel noise (the released code's flag `gumbel_softmax` adds none).
"""

from __future__ import annotations

import torch
from torch import Tensor


def straight_through(hidden: Tensor, codebook: Tensor, temperature: float = 1.0) -> tuple[Tensor, Tensor]:
    """Return the code's vector [n, width] with the softmax's gradient, and the codes int64 [n]."""
    logits = hidden.float() @ codebook.float().T
    soft = torch.softmax(logits / temperature, dim=-1) @ codebook.float()
    codes = logits.argmax(dim=-1)
    hard = codebook.float()[codes]
    return soft + (hard - soft).detach(), codes
