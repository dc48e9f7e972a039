"""The prefix tree of all items' IDs, as flat arrays: which tokens may follow which prefix.

Every ID ends with the end-of-sequence token, so an ID may be a prefix of another. Nodes and edges are numbered breadth
first, siblings by token: node 0 is the root, edge e leads to node e + 1, and node i's children are its edges
child_offsets[i] .. child_offsets[i + 1] - 1. The nodes of one depth, and the children of neighbouring nodes, are
therefore contiguous. Built by one lexicographic sort; a million IDs take seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from benchmark.errors import BenchmarkError
from benchmark.types.arrays import Int32


@dataclass(frozen=True, eq=False)
class Trie:
    """A prefix tree with one leaf per item, reached by the end-of-sequence token."""

    child_offsets: Int32  # [n_nodes + 1]
    child_tokens: Int32  # [n_edges] ascending inside a node
    node_items: Int32  # [n_nodes] the item of a leaf, -1 elsewhere
    items_below: Int32  # [n_nodes] how many items have this prefix
    levels: tuple[int, ...]  # nodes of depth d: levels[d] .. levels[d + 1] - 1
    eos: int

    @classmethod
    def build(cls, tokens: Int32, eos: int) -> Trie:
        """Build from token ids [n_items, length], -1 padding at the end, without the end-of-sequence token.

        Raises BenchmarkError when two items share an ID, an ID is empty or padding stands inside one.
        """
        _check(tokens, eos)
        paths = np.full((len(tokens), tokens.shape[1] + 1), -1, np.int32)
        paths[:, :-1] = tokens
        paths[np.arange(len(tokens)), (tokens >= 0).sum(1)] = eos
        paths = paths[:, : int((tokens >= 0).sum(1).max()) + 1]
        order = np.lexsort(paths.T[::-1])
        paths = paths[order]

        differs = np.ones(len(paths), bool)  # differs[i]: row i has left the prefix of row i - 1
        differs[1:] = False
        node = np.zeros(len(paths), np.int64)  # each row's node at the current depth, counted inside the level
        counts: list[Int32] = []
        labels: list[Int32] = []
        items: list[Int32] = [np.full(1, -1, np.int32)]
        below: list[Int32] = [np.full(1, len(paths), np.int32)]
        for depth in range(paths.shape[1]):
            column = paths[:, depth]
            differs[1:] |= column[1:] != column[:-1]
            alive = column >= 0
            first = np.flatnonzero(differs & alive)  # the first row of every node of the next level
            counts.append(np.bincount(node[first], minlength=len(items[-1])).astype(np.int32))
            labels.append(column[first])
            items.append(np.where(column[first] == eos, order[first], -1).astype(np.int32))
            node = np.cumsum(differs & alive) - 1
            below.append(np.bincount(node[alive], minlength=len(first)).astype(np.int32))
        if not differs.all():
            row = int(np.flatnonzero(~differs)[0])
            raise BenchmarkError(
                f"IDs must be unique, but items in rows {order[row - 1]} and {order[row]} share one "
                f"({(~differs).sum():,} items repeat an ID); append the dedup counter: codes.with_counter()"
            )
        counts.append(np.zeros(len(items[-1]), np.int32))
        return cls(
            child_offsets=np.concatenate([[0], np.cumsum(np.concatenate(counts))]).astype(np.int32),
            child_tokens=np.concatenate(labels).astype(np.int32),
            node_items=np.concatenate(items),
            items_below=np.concatenate(below),
            levels=(0, *np.cumsum([len(level) for level in items]).tolist()),
            eos=eos,
        )

    @property
    def n_items(self) -> int:
        """Number of items."""
        return int(self.items_below[0])

    @property
    def n_nodes(self) -> int:
        """Number of prefixes, the empty one and the finished IDs among them."""
        return len(self.node_items)

    @property
    def depth(self) -> int:
        """Tokens of the longest ID, the end-of-sequence token among them."""
        return len(self.levels) - 2

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays."""
        arrays = (self.child_offsets, self.child_tokens, self.node_items, self.items_below)
        return sum(array.nbytes for array in arrays)

    @cached_property
    def paths(self) -> Int32:
        """The nodes on every item's way from the root to its leaf [n_items, depth + 1], -1 behind the leaf."""
        parents = np.repeat(np.arange(self.n_nodes), np.diff(self.child_offsets))  # of node 1, 2, ..
        leaves = np.flatnonzero(self.node_items >= 0)
        paths = np.full((self.n_items, self.depth + 1), -1, np.int32)
        node = np.full(self.n_items, -1, np.int64)
        for depth in range(self.depth, 0, -1):
            ends = leaves[(leaves >= self.levels[depth]) & (leaves < self.levels[depth + 1])]
            node[self.node_items[ends]] = ends
            paths[:, depth] = node
            node = np.where(node >= 0, parents[node - 1], -1)
        paths[:, 0] = 0
        return paths

    @cached_property
    def fan_out(self) -> tuple[int, ...]:
        """Most children of any node, for every depth 0 .. depth - 1."""
        children = np.diff(self.child_offsets)
        return tuple(int(children[self.levels[d] : self.levels[d + 1]].max()) for d in range(self.depth))

    @cached_property
    def code_columns(self) -> tuple[tuple[int, int], ...]:
        """Smallest and largest + 1 code token on the edges that leave each depth; (0, 0) where only IDs end."""
        ranges = []
        for depth in range(self.depth):
            tokens = self.child_tokens[self.levels[depth + 1] - 1 : self.levels[depth + 2] - 1]
            tokens = tokens[tokens != self.eos]
            ranges.append((int(tokens.min()), int(tokens.max()) + 1) if len(tokens) else (0, 0))
        return tuple(ranges)

    def node(self, prefix: Sequence[int]) -> int:
        """Return the node of a token prefix, -1 where no ID begins with it."""
        node = 0
        for token in prefix:
            start, stop = self.child_offsets[node], self.child_offsets[node + 1]
            edge = start + np.searchsorted(self.child_tokens[start:stop], token)
            if edge == stop or self.child_tokens[edge] != token:
                return -1
            node = int(edge) + 1
        return node

    def allowed(self, prefix: Sequence[int]) -> list[int]:
        """Return the tokens that may follow a prefix (without the decoder's start token), none after a whole ID."""
        node = self.node(prefix)
        if node < 0:
            return []
        following: list[int] = self.child_tokens[self.child_offsets[node] : self.child_offsets[node + 1]].tolist()
        return following


def _check(tokens: Int32, eos: int) -> None:
    if tokens.ndim != 2 or not tokens.size:
        raise BenchmarkError(f"a trie needs the IDs of at least one item; got token ids of shape {tokens.shape}")
    if (tokens[:, 0] < 0).any():
        raise BenchmarkError(f"item in row {int(np.argmax(tokens[:, 0] < 0))} has an empty ID")
    if ((tokens[:, :-1] < 0) & (tokens[:, 1:] >= 0)).any():
        raise BenchmarkError("an ID has padding before its last token; CodeVocabulary.encode moves it to the end")
    if (tokens == eos).any():
        raise BenchmarkError(f"an ID contains the end-of-sequence token {eos}")
