"""k-means against scikit-learn: seconds and inertia on the same points, with the same K, starts and stopping rule.

Points are a mixture of Gaussians scaled to unit length, which is what text embeddings look like to k-means. Both get
the same number of k-means++ starts and of steps per start; the ratio above 1 says how many times faster ours is, the
inertia ratio below 1 that ours found the tighter clusters. Both run in this process, on all cores that it may use.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import numpy as np

from benchmark.learning.kmeans import inertia, kmeans
from benchmark.types.arrays import Float32

STARTS = 3
STEPS = 100
RUNS = 3  # seeds; the medians are shown


def run(small: bool) -> Iterator[str]:
    """Yield two lines per K: ours and scikit-learn's, then the ratios."""
    n, dim, sizes = (4_000, 128, (32, 256)) if small else (12_000, 384, (50, 256, 512))
    points = _points(n, dim)
    yield f"{n:,} points, {dim} dimensions, {STARTS} k-means++ starts, at most {STEPS} steps, median of {RUNS} seeds"
    kmeans(points, 2, seed=0)  # loads the library's threads
    for k in sizes:
        seconds, tightness = _measure(_ours, points, k)
        other_seconds, other_tightness = _measure(_sklearn, points, k)
        yield f"K={k:<5} ours          {seconds:8.2f} s   inertia {tightness:12,.2f}"
        yield f"        scikit-learn  {other_seconds:8.2f} s   inertia {other_tightness:12,.2f}"
        yield f"        ratio         {other_seconds / seconds:8.2f}     inertia {tightness / other_tightness:12.4f}"


def _points(n: int, dim: int) -> Float32:
    """Return unit vectors float32 [n, dim] around 300 centres of unequal weight."""
    random = np.random.default_rng(0)
    centres = random.normal(size=(300, dim))
    weights = 1 / np.arange(1, 301)
    centre = random.choice(300, n, p=weights / weights.sum())
    points = centres[centre] + random.normal(size=(n, dim))
    return np.asarray(points / np.linalg.norm(points, axis=1, keepdims=True), np.float32)


def _measure(fit: Callable[[Float32, int, int], float], points: Float32, k: int) -> tuple[float, float]:
    """Return the median seconds and inertia over the seeds."""
    seconds, tightness = [], []
    for seed in range(RUNS):
        started = time.perf_counter()
        tightness.append(fit(points, k, seed))
        seconds.append(time.perf_counter() - started)
    return float(np.median(seconds)), float(np.median(tightness))


def _ours(points: Float32, k: int, seed: int) -> float:
    return inertia(points, *kmeans(points, k, seed=seed, n_init=STARTS, max_iter=STEPS))


def _sklearn(points: Float32, k: int, seed: int) -> float:
    from sklearn.cluster import KMeans

    found = KMeans(k, n_init=STARTS, max_iter=STEPS, tol=1e-4, random_state=seed).fit(points)
    return inertia(points, found.cluster_centers_, found.labels_)


if __name__ == "__main__":
    for line in run(small=False):
        print(line, flush=True)
