"""Dropout with one random byte per element: on a CPU several times faster than a Bernoulli draw of each.

The rate is rounded to a multiple of 1/256, and what is kept is scaled by that rate, so the expectation is exact.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Dropout(nn.Module):
    """Sets elements to 0 with probability `rate` in training, from torch's global generator."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        """Return x with a share of its elements 0 and the others scaled up."""
        if not self.training or not self.rate:
            return x
        if x.device.type != "cpu":
            return nn.functional.dropout(x, self.rate)
        threshold = min(round(self.rate * 256), 255)
        return x * (random_bytes(x) >= threshold).to(x.dtype).mul_(256 / (256 - threshold))


def random_bytes(x: Tensor) -> Tensor:
    """Return uniform random bytes of the shape of x: eight of every 64-bit draw."""
    draws = torch.empty((x.numel() + 7) // 8, dtype=torch.int64).random_(-(2**63), None)
    return draws.view(torch.uint8)[: x.numel()].view(x.shape)
