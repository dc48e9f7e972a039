"""One or several tries on a device, walked for all rows of a batch at once.

The arrays of all trees stand one behind the other. Edges are in the order of (node, token), so one binary search over
the keys node * stride + token takes every row a step down. One node more, the sink, stands for what begins no ID. All
that may follow there, and behind a whole ID, is the padding token, the last entry of `tokens`; so every row has a token
that may follow.

Shapes: E edges, N rows, T tokens behind the prompt, F the most children of any row's node.
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

    keys: Tensor  # int64 [E + 1] ascending; the last one is that of no edge
    tokens: Tensor  # int64 [E + 1] on each edge; padding is the last
    starts: Tensor  # int32 [n_nodes + 1]: below node n are the edges starts[n] .. stops[n] - 1, below a leaf edge E
    stops: Tensor  # int32 [n_nodes + 1]
    roots: Tensor  # int64 [n_trees]
    items: Int64  # [n_nodes + 1] the item of a leaf, -1 elsewhere; in memory, as it is read only at the end
    stride: int  # greater than every token by 2 or more, so that no key stands for two edges
    depth: int  # tokens of the longest ID, the end-of-sequence token among them

    @classmethod
    def of(cls, tries: Sequence[Trie], pad: int, device: torch.device) -> TrieForest:
        """Copy the tries to a device; `pad` is the token that may follow a whole ID."""
        stride = max(pad, *(int(trie.child_tokens.max()) for trie in tries)) + 2
        nodes = np.cumsum([0, *(trie.n_nodes for trie in tries)])
        edges = nodes - np.arange(len(nodes))  # a tree has one node more than edges
        tokens = np.concatenate([*(trie.child_tokens for trie in tries), [pad]]).astype(np.int64)
        counts = np.concatenate([*(np.diff(trie.child_offsets) for trie in tries), [0]])
        stops = np.cumsum(counts)
        leaf = counts == 0
        starts = np.where(leaf, edges[-1], stops - counts)
        stops = np.where(leaf, edges[-1] + 1, stops)
        keys = np.repeat(np.arange(len(counts)), counts) * stride + tokens[:-1]
        return cls(
            keys=torch.from_numpy(np.append(keys, np.iinfo(np.int64).max)).to(device),
            tokens=torch.from_numpy(tokens).to(device),
            starts=torch.from_numpy(starts.astype(np.int32)).to(device),
            stops=torch.from_numpy(stops.astype(np.int32)).to(device),
            roots=torch.from_numpy(nodes[:-1].copy()).to(device),
            items=np.concatenate([*(trie.node_items for trie in tries), [-1]]).astype(np.int64),
            stride=stride,
            depth=max(trie.depth for trie in tries),
        )

    @property
    def sink(self) -> int:
        """The node of what begins no ID."""
        return len(self.starts) - 1

    def walk(self, tokens: Tensor, trees: Tensor) -> Tensor:
        """Return the nodes [N] that tokens [N, T] lead to in each row's tree [N]; a leaf stays whatever follows it."""
        nodes, shift, end = self.roots[trees], trees + 1, len(self.keys) - 1
        for column in tokens.clamp(-1, self.stride - 1).T[: self.depth + 1]:
            keys = torch.add(column, nodes, alpha=self.stride)
            edges = torch.searchsorted(self.keys, keys)
            stay = torch.where(self.starts[nodes] == end, nodes, self.sink)
            nodes = torch.where(self.keys[edges] == keys, edges + shift, stay)
        return nodes

    def allowed(self, nodes: Tensor) -> Tensor:
        """Return the tokens [N, F] that may follow the nodes [N]; a row with fewer than F repeats its last one."""
        starts, stops = self.starts[nodes], self.stops[nodes]
        widest = int((stops - starts).max())
        edges = starts[:, None] + torch.arange(widest, device=nodes.device, dtype=torch.int32)
        return self.tokens[torch.minimum(edges, stops[:, None] - 1)]
