"""One or several tries on a device, walked for all rows of a batch at once.

The arrays of all trees stand one behind the other. Edges are in the order of (node, token), so one binary search over
the keys node * stride + token takes every row a step down. One node more, the sink, stands for what begins no ID; its
only child is the padding token, which is also all that may follow a whole ID. So every row has a token that may follow.

Shapes: N rows, T tokens behind the prompt, F the most children of any row's node. Tensors are int64 but `offsets`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from benchmark.generative.trie import Trie
from benchmark.types.arrays import Int64


@dataclass(frozen=True)
class TrieForest:
    """Tries side by side: edge e of tree t, counted over all trees, leads to node e + 1 + t."""

    keys: Tensor  # [n_edges + 1] ascending, the sink's edge last
    offsets: Tensor  # int32 [n_nodes + 2]: node n has the edges offsets[n] .. offsets[n + 1] - 1
    roots: Tensor  # [n_trees]
    items: Int64  # [n_nodes + 1] the item of a leaf, -1 elsewhere; in memory, as it is read only at the end
    stride: int  # greater than every token by 2 or more, so that no key stands for two edges
    depth: int  # tokens of the longest ID, the end-of-sequence token among them

    @classmethod
    def of(cls, tries: Sequence[Trie], pad: int, device: torch.device) -> TrieForest:
        """Copy the tries to a device; `pad` is the token that may follow a whole ID."""
        stride = max(pad, *(int(trie.child_tokens.max()) for trie in tries)) + 2
        nodes = np.cumsum([0, *(trie.n_nodes for trie in tries)])
        edges = nodes - np.arange(len(nodes))  # a tree has one node more than edges
        keys = [np.repeat(np.arange(a, b), np.diff(t.child_offsets)) * stride + t.child_tokens
                for a, b, t in zip(nodes[:-1], nodes[1:], tries, strict=True)]  # fmt: skip
        starts = [trie.child_offsets[:-1] + first for first, trie in zip(edges[:-1], tries, strict=True)]
        ends = np.array([edges[-1], edges[-1] + 1])
        return cls(
            keys=torch.from_numpy(np.concatenate([*keys, [nodes[-1] * stride + pad]])).to(device),
            offsets=torch.from_numpy(np.concatenate([*starts, ends]).astype(np.int32)).to(device),
            roots=torch.from_numpy(nodes[:-1].copy()).to(device),
            items=np.concatenate([*(trie.node_items for trie in tries), [-1]]).astype(np.int64),
            stride=stride,
            depth=max(trie.depth for trie in tries),
        )

    @property
    def sink(self) -> int:
        """The node of what begins no ID."""
        return len(self.offsets) - 2

    def walk(self, tokens: Tensor, trees: Tensor) -> Tensor:
        """Return the nodes [N] that tokens [N, T] lead to in each row's tree [N]; a leaf stays whatever follows it."""
        nodes, shift = self.roots[trees], trees + 1
        for column in tokens.clamp(-1, self.stride - 1).T[: self.depth + 1]:
            keys = nodes * self.stride + column
            edges = torch.searchsorted(self.keys, keys).clamp_(max=len(self.keys) - 1)
            found = (self.keys[edges] == keys) & (nodes != self.sink)
            nodes = torch.where(found, edges + shift, torch.where(self.is_leaf(nodes), nodes, self.sink))
        return nodes

    def is_leaf(self, nodes: Tensor) -> Tensor:
        """Tell which nodes [N] are whole IDs, the end-of-sequence token among them: bool [N]."""
        return self.offsets[nodes] == self.offsets[nodes + 1]

    def allowed(self, nodes: Tensor) -> Tensor:
        """Return the tokens [N, F] that may follow the nodes [N]; a row with fewer than F repeats its last one."""
        nodes = nodes.masked_fill(self.is_leaf(nodes), self.sink)
        starts, stops = self.offsets[nodes, None], self.offsets[nodes + 1, None]
        widest = int((stops - starts).max())
        edges = torch.minimum(starts + torch.arange(widest, device=nodes.device, dtype=torch.int32), stops - 1)
        return self.keys[edges] - nodes[:, None] * self.stride
