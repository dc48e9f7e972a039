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

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from benchmark.config import EncoderConfig, MethodConfig
from benchmark.errors import require
from benchmark.learning.kmeans import kmeans
from benchmark.types.arrays import Float32, Int32
from benchmark.types.codes import Codes
from benchmark.types.data import Corpus
from benchmark.types.method import Context, Indexer


class HierarchicalClusteringConfig(MethodConfig):
    """Shape of the tree and effort of the k-means."""

    children: int = Field(50, ge=2, description="clusters per split, hence codes per position")
    leaf_factor: int = Field(512, ge=2, description="a node with fewer docs is a leaf")
    n_init: int = Field(10, ge=1, description="k-means starts per node; the best is kept")
    max_iter: int = Field(3000, ge=1, description="Lloyd steps per start at most")
    encoder: EncoderConfig = EncoderConfig()


class HierarchicalClustering(Indexer[HierarchicalClusteringConfig]):
    """IDs by recursive k-means of text embeddings: the path from the root to the leaf."""

    at_most_items = ("children",)

    def fit(self, corpus: Corpus, context: Context) -> Codes:
        """Return int32 codes [n_items, depth], each position in [0, children), -1 after a shorter path.

        Raises ConfigError when a split has more children than the corpus has items.
        """
        children = self.config.children
        require(children <= len(corpus), "children", f"the corpus has only {len(corpus)} items")
        values = self._paths(context.embed(corpus, self.config.encoder), context.seed)
        return Codes(values, sizes=(children,) * values.shape[1])

    def _paths(self, points: Float32, seed: int) -> Int32:
        """Return the branch numbers of every point [n_points, depth]."""
        levels: list[Int32] = []
        nodes = [np.arange(len(points))]  # the nodes of one level that must be split
        while nodes:
            branches = np.full(len(points), -1, np.int32)
            next_nodes = []
            for rows in nodes:
                _, codes = kmeans(
                    points[rows],
                    self.config.children,
                    seed=seed,
                    n_init=self.config.n_init,
                    max_iter=self.config.max_iter,
                )
                branches[rows] = codes
                groups = np.split(rows[np.argsort(codes, kind="stable")], np.bincount(codes).cumsum()[:-1])
                next_nodes += [group for group in groups if self._splits(points, group)]
            levels.append(branches)
            nodes = next_nodes
        return np.stack(levels, axis=1)

    def _splits(self, points: Float32, rows: NDArray[np.integer]) -> bool:
        """Whether a node has docs enough for a split, and two different ones among them."""
        return len(rows) >= self.config.leaf_factor and bool((points[rows] != points[rows[0]]).any())
