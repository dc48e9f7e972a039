"""The dense index against a bare faiss exact search of the same vectors: queries per second, and the same items.

The suite's search breaks ties by item id, gives whole rankings for any k and scores that do not depend on the batch;
the ratio says what that costs. Points are a mixture of Gaussians scaled to unit length, as text embeddings are. Both
run in this process, in turn, on all cores that they may use.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from benchmark.learning.dense import DenseIndex, IndexConfig
from benchmark.types.arrays import Float32

DIM = 384
DEPTHS = (20, 100)  # the suite's own depth, and a deep one
RUNS = 7


def run(small: bool) -> Iterator[str]:
    """Yield three lines per depth: ours, bare faiss and the ratio; then the check."""
    import faiss

    n, n_queries = (5_000, 200) if small else (100_000, 500)
    points = _points(n + n_queries)
    vectors, queries = points[:n], points[n:]
    config = IndexConfig(name="exact")
    ours = DenseIndex(vectors, [f"{row:07d}" for row in range(n)], config, sample=queries, seed=0, gpu=False)
    bare = faiss.IndexFlatIP(DIM)
    bare.add(vectors)
    yield f"{n:,} vectors, {DIM} dimensions, {n_queries} queries, {faiss.omp_get_max_threads()} threads"
    for depth in DEPTHS:
        seconds = _seconds(lambda: ours.search(queries, depth), lambda: bare.search(queries, depth))  # noqa: B023
        own, other = np.median(seconds, axis=1)
        yield f"top {depth:<4} ours        {n_queries / own:10,.1f} queries/s  (median of {RUNS}, in turn)"
        yield f"         bare faiss  {n_queries / other:10,.1f} queries/s"
        yield f"         ratio       {np.median(seconds[1] / seconds[0]):10.3f}  (median of the turns' own)"
    items, expected = ours.search(queries, DEPTHS[0]).items, bare.search(queries, DEPTHS[0])[1]
    same = sum(set(found) == set(wanted) for found, wanted in zip(items.tolist(), expected.tolist(), strict=True))
    yield f"same top {DEPTHS[0]} in {same} of {n_queries} queries"


def _points(n: int) -> Float32:
    random = np.random.default_rng(0)
    points = random.normal(size=(300, DIM))[random.integers(0, 300, n)] + random.normal(size=(n, DIM))
    return np.asarray(points / np.linalg.norm(points, axis=1, keepdims=True), np.float32)


def _seconds(*contenders: Callable[[], object]) -> NDArray[np.float64]:
    """Return seconds [n_contenders, RUNS], measured in turn so that a busy machine slows them alike."""
    seconds = np.empty((len(contenders), RUNS + 1))
    for turn in range(RUNS + 1):
        for number, contender in enumerate(contenders):
            started = time.perf_counter()
            contender()
            seconds[number, turn] = time.perf_counter() - started
    return seconds[:, 1:]  # the first turn warms up


if __name__ == "__main__":
    for line in run(small=False):
        print(line, flush=True)
