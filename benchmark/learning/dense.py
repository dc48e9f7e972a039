"""Dense retrieval: the items whose vectors have the largest inner products with a query's vector, found by faiss.

    score(q, d) = q . d        the cosine, where both have unit length

`exact` compares the query with every item. `ivf` looks into the k-means cells nearest to it (Jegou, Douze and Schmid,
PAMI 2011, section IV, without the codes), `hnsw` walks a graph of neighbours (Malkov and Yashunin, PAMI 2020). These
two get as many cells, or as long a list of open nodes, as finds the asked share of the exact top 100 of sample queries.

faiss finds the candidates; their scores are then computed again, each from its two vectors alone. So equal vectors
have equal scores, whatever the index, the batch and the device, and ties can be broken by item id (descending, as
trec_eval does): not by chance, and also where they straddle the last rank.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from pydantic import Field, model_validator

from benchmark.config import MethodConfig
from benchmark.errors import require
from benchmark.learning.kmeans import kmeans
from benchmark.types.arrays import Float32, Int64
from benchmark.types.rankings import Rankings
from benchmark.types.ties import rows_by_id

DEPTH = 100  # ranks that recall is measured at
SPARE = 8  # candidates beyond the last rank, to see whether ties straddle it
TOLERANCE = 1e-5  # of |q| |d|: above the rounding error of one inner product in float32
CANDIDATES = 2**24  # held at once, over all queries of a block
GPU_DEPTH = 2048  # faiss on a GPU returns no more
CELLS_PER_ROOT = 4  # ivf: cells = 4 sqrt(n), in the range that faiss' guidelines give for up to a million vectors
LINKS, BUILD_LIST = 32, 200  # hnsw: M and efConstruction


class IndexConfig(MethodConfig):
    """Which index; a bare string stands for `name`."""

    name: Literal["exact", "ivf", "hnsw"] = Field("exact", description="exact, or approximate for large corpora")
    recall: float = Field(
        0.99, gt=0, le=1, description="share of the exact top 100 that ivf and hnsw must find for sample queries"
    )

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value


class DenseIndex:
    """Vectors float32 [n_items, dim] under item ids, searched by inner product.

    `recall` is the share of the exact top 100 that the index finds for the sample queries, and `effort` the number of
    cells (ivf) or the length of the list (hnsw) that it took; 1 and 0 for `exact`.
    """

    def __init__(
        self, vectors: Float32, ids: Sequence[str], config: IndexConfig, *, sample: Float32, seed: int, gpu: bool
    ) -> None:
        """Build the index; `sample` float32 [n, dim] are queries like those to come, `gpu` uses one if faiss can."""
        import faiss

        self.row_of = rows_by_id(ids)
        self.vectors = np.ascontiguousarray(vectors[self.row_of], np.float32)
        self.norm = float(np.linalg.norm(self.vectors, axis=1).max(initial=0))
        self.gpu = gpu and config.name != "hnsw" and getattr(faiss, "get_num_gpus", int)() > 0
        self.index = self._build(config.name, seed)
        self.bytes = int(self.vectors.nbytes)
        self.recall, self.effort = 1.0, 0
        if self.index is not None:
            self.bytes += int(faiss.serialize_index(self.index).nbytes)
        if config.name != "exact":
            self._tune(config, np.ascontiguousarray(sample, np.float32))
        if self.gpu:
            self.index = self._on_gpu()

    def _build(self, name: str, seed: int) -> Any:
        import faiss

        n, dim = self.vectors.shape
        index: Any = None  # exact: the vectors are all that it takes
        match name:
            case "ivf":
                cells = max(1, int(CELLS_PER_ROOT * n**0.5))
                centroids, _ = kmeans(self.vectors, min(cells, n), seed=seed, max_iter=10, init="random")
                # scaled to one length, or long centroids would draw items and queries that are nearer to others
                centroids = centroids / np.maximum(np.linalg.norm(centroids, axis=1, keepdims=True), 1e-12)
                quantizer = faiss.IndexFlatIP(dim)
                quantizer.add(centroids)
                index = faiss.IndexIVFFlat(quantizer, dim, len(centroids), faiss.METRIC_INNER_PRODUCT)
                index.add(self.vectors)
            case "hnsw":
                index = faiss.IndexHNSWFlat(dim, LINKS, faiss.METRIC_INNER_PRODUCT)
                index.hnsw.efConstruction = BUILD_LIST
                threads = faiss.omp_get_max_threads()
                faiss.omp_set_num_threads(1)  # with more the graph depends on which thread comes first
                try:
                    index.add(self.vectors)
                finally:
                    faiss.omp_set_num_threads(threads)
        return index

    def _tune(self, config: IndexConfig, sample: Float32) -> None:
        """Raise the effort by half until the sample's recall is reached; the most effort there is ends it."""
        import faiss

        depth = min(DEPTH, len(self.vectors))
        exact = faiss.knn(sample, self.vectors, depth, metric=faiss.METRIC_INNER_PRODUCT)[1]
        most = self.index.nlist if config.name == "ivf" else len(self.vectors)
        self.effort, self.recall = 1 if config.name == "ivf" else depth, -1.0
        while True:
            self._set_effort(self.effort)
            found = self.index.search(sample, depth)[1]
            shares = [len(np.intersect1d(*pair)) / depth for pair in zip(exact, found, strict=True)]
            self.recall = float(np.mean(shares))
            if self.recall >= config.recall or self.effort >= most:
                return
            self.effort = min(most, self.effort + (self.effort + 1) // 2)

    def _set_effort(self, effort: int) -> None:
        if hasattr(self.index, "hnsw"):
            self.index.hnsw.efSearch = effort
        else:
            self.index.nprobe = effort

    def _on_gpu(self) -> Any:
        import faiss

        index = self.index
        if index is None:
            index = faiss.IndexFlatIP(self.vectors.shape[1])
            index.add(self.vectors)
        moved: Any = faiss.index_cpu_to_gpu(faiss.StandardGpuResources(), 0, index)
        if self.effort:
            moved.nprobe = self.effort
        return moved

    def search(self, queries: Float32, k: int) -> Rankings:
        """Return the k best items of each query vector [n_queries, dim], best first, ties by item id descending.

        -1 pads where k is above the number of items, and where `ivf` finds fewer in the cells it looks into.
        """
        require(k >= 1, "k", "at least one item must be asked for")
        queries = np.ascontiguousarray(queries, np.float32)
        kept = min(k, len(self.row_of))
        rows, scores = self._best(queries, kept, min(len(self.row_of), kept + SPARE))
        items = np.full((len(queries), k), -1, np.int32)
        best = np.zeros((len(queries), k), np.float32)
        found = rows >= 0
        items[:, :kept][found], best[:, :kept][found] = self.row_of[rows[found]], scores[found]
        return Rankings(items, best)

    def _best(self, queries: Float32, kept: int, fetch: int) -> tuple[Int64, Float32]:
        """Return the best rows and their scores [n_queries, kept], looking at `fetch` candidates or more."""
        rows = np.empty((len(queries), kept), np.int64)
        scores = np.empty((len(queries), kept), np.float32)
        size = max(1, CANDIDATES // fetch)
        for start in range(0, len(queries), size):
            block = slice(start, start + size)
            found, similarity = self._ordered(queries[block], self._candidates(queries[block], fetch))
            rows[block], scores[block] = found[:, :kept], similarity[:, :kept]
            if fetch == len(self.row_of):
                continue
            gap = similarity[:, kept - 1] - similarity[:, -1]  # nan and inf where the index has no more candidates
            open_ = start + np.flatnonzero(gap <= TOLERANCE * self.norm * np.linalg.norm(queries[block], axis=1))
            if len(open_):
                rows[open_], scores[open_] = self._best(queries[open_], kept, min(len(self.row_of), 4 * fetch))
        return rows, scores

    def _candidates(self, queries: Float32, fetch: int) -> Int64:
        """Return the rows of the `fetch` nearest items by faiss [n_queries, fetch], -1 where there are no more."""
        import faiss

        if self.index is None or (self.gpu and fetch > GPU_DEPTH):
            rows: Int64 = faiss.knn(queries, self.vectors, fetch, metric=faiss.METRIC_INNER_PRODUCT)[1]
        else:
            rows = self.index.search(queries, fetch)[1]
        return np.ascontiguousarray(rows)

    def _ordered(self, queries: Float32, rows: Int64) -> tuple[Int64, Float32]:
        """Return rows and scores with the best first; rows stand in descending order of their items' ids."""
        import faiss

        scores = np.empty(rows.shape, np.float32)
        pointers = (faiss.swig_ptr(array) for array in (scores, queries, self.vectors, rows))
        faiss.fvec_inner_products_by_idx(*pointers, queries.shape[1], *rows.shape)  # type: ignore[attr-defined]
        scores[rows < 0] = -np.inf
        order = np.lexsort((rows, -scores), axis=-1)
        return np.take_along_axis(rows, order, -1), np.take_along_axis(scores, order, -1)
