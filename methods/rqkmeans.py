"""Residual k-means IDs (`rqkmeans`): the training-free cousin of the RQ-VAE.

Level t clusters what levels 1..t-1 left over:

    r_0 = x,   c_t = argmin_k ||r_{t-1} - E_t[k]||^2,   r_t = r_{t-1} - E_t[c_t]

Source: Lee et al., Autoregressive Image Generation using Residual Quantization, CVPR 2022, section 3.1,
without the autoencoder. Compared with the RQ-VAE there is nothing to collapse: every level is a k-means.

Defaults: 3 x 256 is the shape of TIGER's and the paper's rq-VAE, so the two rows differ in the autoencoder alone.
Ten k-means++ starts (scikit-learn's classic setting) pay at every level: on Amazon Beauty one start gives 86.6%
different IDs, ten give 87.3% (three seeds each), for the same AMI of the first code, 0.425. `init=random` gives a
higher AMI (0.433) but 85.7% different IDs: it follows the dense regions, as the labels do, at a higher inertia.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field

from benchmark.config import EncoderConfig, IndexerConfig
from benchmark.errors import require
from benchmark.learning.kmeans import kmeans, nearest, squared_distances
from benchmark.types.arrays import Float32, Int32, Int64
from benchmark.types.codes import Codes
from benchmark.types.data import Corpus
from benchmark.types.method import Context, Indexer

CHUNK = 65_536  # items


class ResidualKMeansConfig(IndexerConfig):
    """Shape of the IDs and effort of the k-means."""

    levels: int = Field(3, ge=1, le=64, description="codes per item, before the dedup counter")
    codebook_size: int = Field(256, ge=2, description="codes per level")
    n_init: int = Field(10, ge=1, description="k-means starts per level; the best is kept")
    max_iter: int = Field(100, ge=1, description="Lloyd steps per start at most")
    init: Literal["k-means++", "random"] = Field("k-means++", description="how a start chooses its centroids")
    encoder: EncoderConfig = EncoderConfig()


class ResidualKMeans(Indexer[ResidualKMeansConfig]):
    """IDs by k-means on the residuals of text embeddings."""

    at_most_items = ("codebook_size",)

    def fit(self, corpus: Corpus, context: Context) -> Codes:
        """Return int32 codes [n_items, levels], level t in [0, codebook_size).

        Raises ConfigError when the codebook is larger than the corpus.
        """
        config = self.config
        require(config.codebook_size <= len(corpus), "codebook_size", f"the corpus has only {len(corpus)} items")
        residual = context.embed(corpus, config.encoder).copy()  # float32 [n_items, dim]
        codes = np.empty((len(corpus), config.levels), np.int32)
        self._context, self._centroids = context, list[Float32]()
        for level in context.progress(range(config.levels), "levels"):
            centroids, codes[:, level] = kmeans(
                residual,
                config.codebook_size,
                seed=context.seed * config.levels + level,
                n_init=config.n_init,
                max_iter=config.max_iter,
                init=config.init,
            )
            self._centroids.append(centroids)
            _subtract(residual, centroids, codes[:, level])
        return Codes(codes, sizes=(config.codebook_size,) * config.levels)

    def assign(self, corpus: Corpus) -> Codes:
        """Return the nearest centroid of each level in turn [n_items, levels], as `fit` does for its own items."""
        residual = self._context.embed_new(corpus, self.config.encoder).copy()
        codes = np.empty((len(corpus), self.config.levels), np.int32)
        for level, centroids in enumerate(self._centroids):
            codes[:, level] = nearest(residual, centroids)[1]
            _subtract(residual, centroids, codes[:, level])
        return Codes(codes, sizes=(self.config.codebook_size,) * self.config.levels)

    def code_distances(self, corpus: Corpus, codes: Codes, rows: Int64) -> Float32:
        """Return the squared distances of the last residuals to the last centroids [len(rows), codebook_size].

        Codes that k-means did not need, because there were fewer distinct items, have no place: infinite.
        """
        residual = self._context.embed(corpus, self.config.encoder)[rows]
        for level, centroids in enumerate(self._centroids[:-1]):
            residual = residual - centroids[codes.values[rows, level]]
        distances = np.full((len(rows), self.config.codebook_size), np.inf, np.float32)
        distances[:, : len(self._centroids[-1])] = squared_distances(residual, self._centroids[-1])
        return distances


def _subtract(residual: Float32, centroids: Float32, codes: Int32) -> None:
    """Take each item's centroid off its residual [n_items, dim], in place: copies of large catalogues take GB."""
    for start in range(0, len(residual), CHUNK):
        residual[start : start + CHUNK] -= centroids[codes[start : start + CHUNK]]
