"""Hierarchical clustering IDs (`hc`): the path of an item in a tree of k-means clusters.

    node with docs D:  |D| < leaf_factor -> leaf;  else k-means of D's embeddings into `children` nodes, and again
    ID = branch numbers from the root to the leaf (the dedup counter then numbers the docs of a leaf)

IDs have variable length; -1 pads them at the end. There is no depth cap: a node is also a leaf when its docs have
one and the same embedding, because identical points cannot be split. The root is always split, so that every item
has a first code.

Source: Tay et al., Transformer Memory as a Differentiable Search Index, NeurIPS 2022, section 3.2 (semantically
structured identifiers), with the numbers of the LMIndexer code: 50 children; leaf_factor 512 for Amazon, 1,280 for
NQ, 12,800 for MS MARCO passages.

Defaults: the paper's tree for Amazon and its ten k-means starts. Its 3,000 steps per start are a limit that is
never met: a start ends when no code changes, or by the tolerance of `benchmark.learning.kmeans`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from benchmark.config import EncoderConfig, IndexerConfig
from benchmark.errors import require
from benchmark.learning.kmeans import kmeans, nearest
from benchmark.types.arrays import Float32, Int32
from benchmark.types.codes import Codes
from benchmark.types.data import Corpus
from benchmark.types.method import Context, Indexer
from benchmark.types.state import read_state, write_state


class HierarchicalClusteringConfig(IndexerConfig):
    """Shape of the tree and effort of the k-means."""

    children: int = Field(50, ge=2, description="clusters per split, hence codes per position")
    leaf_factor: int = Field(512, ge=2, description="a node with fewer docs is a leaf")
    n_init: int = Field(10, ge=1, description="k-means starts per node; the best is kept")
    max_iter: int = Field(3000, ge=1, description="Lloyd steps per start at most")
    encoder: EncoderConfig = EncoderConfig()


@dataclass(frozen=True)
class Node:
    """A node that was split: the centroids of its children [n_children, dim], and those children that were split."""

    centroids: Float32
    inner: dict[int, Node]  # by branch number

    def as_values(self) -> list[Any]:
        """Return the tree below as lists, dicts and arrays."""
        return [self.centroids, {branch: node.as_values() for branch, node in self.inner.items()}]

    @classmethod
    def of_values(cls, values: list[Any]) -> Node:
        """Return the tree that `as_values` has written."""
        centroids, inner = values
        return cls(centroids, {branch: cls.of_values(below) for branch, below in inner.items()})


class HierarchicalClustering(Indexer[HierarchicalClusteringConfig]):
    """IDs by recursive k-means of text embeddings: the path from the root to the leaf."""

    at_most_items = ("children",)

    def fit(self, corpus: Corpus, context: Context) -> Codes:
        """Return int32 codes [n_items, depth], each position in [0, children), -1 after a shorter path.

        Raises ConfigError when a split has more children than the corpus has items.
        """
        children = self.config.children
        require(children <= len(corpus), "children", f"the corpus has only {len(corpus)} items")
        self._context = context
        values, self._root = self._paths(context.embed(corpus, self.config.encoder), context.seed)
        self._depth = values.shape[1]
        return Codes(values, sizes=(children,) * self._depth)

    def assign(self, corpus: Corpus) -> Codes:
        """Return the paths of the items down the tree of `fit`, to the nearest child of each node [n_items, depth].

        A leaf stays a leaf, however many new items reach it.
        """
        points = self._context.embed_new(corpus, self.config.encoder)
        values = np.full((len(points), self._depth), -1, np.int32)
        waiting = [(self._root, np.arange(len(points)), 0)]
        while waiting:
            node, rows, depth = waiting.pop()
            branches = values[rows, depth] = nearest(points[rows], node.centroids)[1]
            reached = ((child, rows[branches == branch], depth + 1) for branch, child in node.inner.items())
            waiting += [(child, own, deeper) for child, own, deeper in reached if len(own)]
        return Codes(values, sizes=(self.config.children,) * self._depth)

    def save(self, folder: Path) -> None:
        """Write the tree of centroids."""
        write_state(folder, {"root": self._root.as_values(), "depth": self._depth})

    def load(self, folder: Path, context: Context) -> None:
        """Read the tree of centroids."""
        values = read_state(folder)
        self._context, self._root, self._depth = context, Node.of_values(values["root"]), values["depth"]

    def _paths(self, points: Float32, seed: int) -> tuple[Int32, Node]:
        """Return the branch numbers of every point [n_points, depth], and the root of the tree."""
        levels: list[Int32] = []
        root: dict[int, Node] = {}
        nodes = [(np.arange(len(points)), root, 0)]  # of one level: the points to split, where the node goes
        while nodes:
            branches = np.full(len(points), -1, np.int32)
            next_nodes = []
            for rows, siblings, branch in nodes:
                centroids, codes = kmeans(
                    points if len(rows) == len(points) else points[rows],
                    self.config.children,
                    seed=seed,
                    n_init=self.config.n_init,
                    max_iter=self.config.max_iter,
                )
                branches[rows] = codes
                node = siblings[branch] = Node(centroids, {})
                groups = np.split(rows[np.argsort(codes, kind="stable")], np.bincount(codes).cumsum()[:-1])
                split = ((group, number) for number, group in enumerate(groups) if self._splits(points, group))
                next_nodes += [(group, node.inner, number) for group, number in split]
            levels.append(branches)
            nodes = next_nodes
        return np.stack(levels, axis=1), root[0]

    def _splits(self, points: Float32, rows: NDArray[np.integer]) -> bool:
        """Whether a node has docs enough for a split, and two different ones among them."""
        return len(rows) >= self.config.leaf_factor and bool((points[rows] != points[rows[0]]).any())
