"""The suite's one k-means: Lloyd's algorithm with faiss doing the nearest-centroid search.

    assign   c_i = argmin_k ||x_i - e_k||^2,      move   e_k = mean of {x_i : c_i = k}

Start: greedy k-means++ (Arthur & Vassilvitskii, SODA 2007; the best of 2 + ln K candidates per centroid, as in
scikit-learn). Equal rows are counted once with a weight, so equal points always share a code, and with at least as
many clusters as distinct points every distinct point is a cluster of its own: fewer codes in use, no empty cluster.
A cluster that runs empty on the way takes the point farthest from its centroid. Everything random comes from `seed`.

Of more than 256 distinct points per cluster a random sample decides the centroids, as in faiss' own k-means: starts are
made and compared on 32 points per cluster, the best one goes on with 256 (Bradley and Fayyad, ICML 1998), and one step
over all points moves each centroid to the mean of its own. So more points cost no more steps.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from benchmark.types.arrays import Float32, Int32

SAMPLE_PER_CENTROID = 256  # distinct points that centroids are learned from, at most (faiss' own limit)
START_PER_CENTROID = 32  # of a sample: points that starts are made and compared on


def kmeans(
    points: Float32,
    k: int,
    *,
    seed: int,
    n_init: int = 1,
    max_iter: int = 100,
    tolerance: float = 1e-4,
    init: Literal["k-means++", "random"] = "k-means++",
) -> tuple[Float32, Int32]:
    """Return centroids float32 [min(k, distinct points), dim], none of them unused, and codes int32 [n_points].

    The best of `n_init` starts by inertia; a start ends after `max_iter` steps, when no code changes or when the
    centroids' squared shift falls to `tolerance` times the mean variance of a dimension (scikit-learn's rule).
    """
    points = np.ascontiguousarray(points, np.float32)
    first, weights, inverse = _distinct(points)
    if len(first) <= k:
        return points[first], inverse
    sampled = len(first) > k * SAMPLE_PER_CENTROID
    rows = first
    if sampled:
        chosen = np.random.default_rng([seed, 0, 1]).choice(len(first), k * SAMPLE_PER_CENTROID, replace=False)
        rows, weights = first[chosen], weights[chosen]
    learned = points if len(rows) == len(points) else points[rows]
    threshold = tolerance * float(learned.var(axis=0).mean())
    few = slice(k * START_PER_CENTROID if sampled else None)
    best: tuple[float, Float32, Int32] | None = None
    for start in range(n_init):
        random = np.random.default_rng([seed, start])
        choose = _plus_plus if init == "k-means++" else _random
        centroids = choose(learned[few], weights[few], k, random)
        found = _lloyd(learned[few], weights[few], centroids, max_iter, threshold)
        if best is None or found[0] < best[0]:
            best = found
    assert best is not None
    _, centroids, codes = best
    if sampled:
        _, centroids, _ = _lloyd(learned, weights, centroids, max_iter, threshold)
        _, centroids, codes = _lloyd(points, np.ones(len(points), np.float32), centroids, 1, 0.0)
        codes = codes[first]
    return centroids, codes[inverse]


def inertia(points: Float32, centroids: Float32, codes: Int32) -> float:
    """Return the sum of squared distances of the points to the centroids of their codes."""
    return float(
        sum(
            np.square(points[i : i + 4096] - centroids[codes[i : i + 4096]], dtype=np.float64).sum()
            for i in range(0, len(points), 4096)
        )
    )


def nearest(points: Float32, centroids: Float32) -> tuple[Float32, Int32]:
    """Return each point's squared distance to its nearest centroid [n] and that centroid's number [n]."""
    import faiss

    distances, codes = faiss.knn(np.ascontiguousarray(points), np.ascontiguousarray(centroids), 1)
    return distances[:, 0], codes[:, 0].astype(np.int32)


def squared_distances(points: Float32, centroids: Float32) -> Float32:
    """Return each point's squared distance to each centroid [n_points, n_centroids]."""
    norms = [np.einsum("ij,ij->i", rows, rows) for rows in (points, centroids)]
    distances: Float32 = np.maximum(norms[0][:, None] + norms[1] - 2 * points @ centroids.T, 0)
    return distances


def _distinct(points: Float32) -> tuple[NDArray[np.int64], Float32, Int32]:
    """Return the first row of each distinct point in order, how often it occurs, and its number for every point."""
    multipliers = np.random.default_rng(0).integers(1, 2**63, points.shape[1], dtype=np.uint64) * 2 + 1
    hashes = np.empty(len(points), np.uint64)
    for i in range(0, len(points), 4096):
        words = (points[i : i + 4096] + np.float32(0)).view(np.uint32)  # + 0 makes -0.0 and 0.0 one value
        hashes[i : i + 4096] = (words * multipliers).sum(1, dtype=np.uint64)
    _, first, inverse, counts = np.unique(hashes, return_index=True, return_inverse=True, return_counts=True)
    order = np.argsort(first)
    rank = np.empty(len(order), np.int32)
    rank[order] = np.arange(len(order))
    return first[order], counts[order].astype(np.float32), rank[inverse.reshape(-1)]


def _random(points: Float32, weights: Float32, k: int, random: np.random.Generator) -> Float32:
    return points[random.choice(len(points), k, replace=False)]


def _plus_plus(points: Float32, weights: Float32, k: int, random: np.random.Generator) -> Float32:
    """Choose k different points, each with probability proportional to its squared distance to those before it."""
    norms = np.einsum("ij,ij->i", points, points)
    candidates = 2 + int(np.log(k))
    chosen = np.empty(k, np.int64)
    chosen[0] = random.choice(len(points), p=weights / weights.sum(dtype=np.float64))
    distances = _distances(points, norms, chosen[:1])[0]
    for i in range(1, k):
        distances[chosen[:i]] = 0  # exactly, whatever rounding says: a point is chosen once
        mass = np.cumsum(distances * weights, dtype=np.float64)
        if mass[-1] > 0:
            tried = np.searchsorted(mass, random.random(candidates) * mass[-1], side="right")
        else:  # distinct points closer together than float32 can measure
            tried = random.choice(np.setdiff1d(np.arange(len(points)), chosen[:i]), 1)
        after = np.minimum(distances, _distances(points, norms, tried))
        best = int((after @ weights).argmin())
        chosen[i], distances = tried[best], after[best]
    return points[chosen]


def _distances(points: Float32, norms: Float32, rows: NDArray[np.int64]) -> Float32:
    """Return the squared distances of all points to the points at `rows` [len(rows), n]."""
    products = (points @ points[rows].T).T  # in this order half the time of points[rows] @ points.T
    return np.maximum(norms[rows][:, None] + norms - 2 * products, 0)


def _lloyd(
    points: Float32, weights: Float32, centroids: Float32, max_iter: int, threshold: float
) -> tuple[float, Float32, Int32]:
    """Return (inertia, centroids, codes) from the given start; the codes are nearest to the centroids returned."""
    distances, codes = _assign(points, weights, centroids)
    for _ in range(max_iter):
        moved = _means(points, weights, codes, len(centroids))
        shift = float(np.square(moved - centroids).sum())
        old, centroids = codes, moved
        distances, codes = _assign(points, weights, centroids)
        if shift <= threshold or np.array_equal(old, codes):
            break
    return float(distances @ weights), centroids, codes


def _assign(points: Float32, weights: Float32, centroids: Float32) -> tuple[Float32, Int32]:
    """Return each point's nearest centroid; an empty cluster is given the farthest point of a cluster with others.

    The farthest point's centroid is then that point, so `centroids` changes in place where a cluster was empty.
    """
    distances, codes = nearest(points, centroids)
    counts = np.bincount(codes, minlength=len(centroids))
    empty = np.flatnonzero(counts == 0)
    if len(empty):
        farthest = iter(np.argsort(-distances, kind="stable"))
        for cluster in empty:
            point = next(p for p in farthest if counts[codes[p]] > 1)
            counts[codes[point]] -= 1
            counts[cluster] = 1
            codes[point], distances[point], centroids[cluster] = cluster, 0, points[point]
    return distances, codes


def _means(points: Float32, weights: Float32, codes: Int32, k: int) -> Float32:
    """Return the weighted mean of the points of each cluster [k, dim]; every cluster has a point."""
    from scipy.sparse import csr_matrix

    members = csr_matrix((weights, (codes, np.arange(len(codes)))), shape=(k, len(codes)))
    sums = members @ points
    return np.asarray(sums / np.bincount(codes, weights, minlength=k)[:, None], np.float32)
