"""Hard negatives: documents whose ID begins with the same codes (section 3.3), found by sorting, not by searching."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from benchmark.types.arrays import Int32


class PrefixGroups:
    """Documents grouped by prefix, in a seeded order inside each group."""

    def __init__(self, prefixes: Int32, seed: int, device: torch.device | str = "cpu") -> None:
        """Group the documents with equal rows of prefixes int32 [n, position - 1]."""
        n = len(prefixes)
        group = np.zeros(n, np.int64)
        if prefixes.shape[1]:
            group = np.unique(prefixes, axis=0, return_inverse=True)[1].reshape(-1)
        shuffled = np.random.default_rng([seed, 2023]).permutation(n)
        order = shuffled[np.argsort(group[shuffled], kind="stable")]
        counts = np.bincount(group)
        starts = np.cumsum(counts) - counts
        rank = np.empty(n, np.int64)
        rank[order] = np.arange(n) - starts[group[order]]
        self.order, self.start, self.count, self.rank = (
            torch.from_numpy(np.asarray(values, np.int64)).to(device)
            for values in (order, starts[group], counts[group], rank)
        )

    def sample(self, documents: Tensor, n: int, generator: torch.Generator | None = None) -> Tensor:
        """Return int64 [len(documents), n]: others of each document's group, the document itself where it is alone.

        The n are a window at a random place of the group's order, so they differ from each other unless the group
        has fewer than n others; then they repeat (the released code's rule).
        """
        others = self.count[documents] - 1
        at = (torch.rand(len(documents), device=documents.device, generator=generator) * others).long()
        window = torch.arange(n, device=documents.device)
        steps = 1 + (at[:, None] + window) % others.clamp(min=1)[:, None]
        steps = torch.where(others[:, None] > 0, steps, 0)
        ranks = (self.rank[documents][:, None] + steps) % self.count[documents][:, None]
        return self.order[self.start[documents][:, None] + ranks]
