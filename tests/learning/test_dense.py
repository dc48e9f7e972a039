"""The dense index against NumPy: every inner product, sorted; ties, sizes, approximate indexes, determinism."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.errors import ConfigError
from benchmark.learning import bench_dense as comparison
from benchmark.learning.dense import DenseIndex, IndexConfig


def index_of(vectors, ids=None, config="exact", sample=None):
    vectors = np.asarray(vectors, np.float32)
    ids = ids or [f"d{row:05d}" for row in range(len(vectors))]
    sample = vectors[:100] if sample is None else sample
    return DenseIndex(vectors, ids, IndexConfig.model_validate(config), sample=sample, seed=0, gpu=False)


def brute_force(vectors, ids, query, k):
    """Score every item in float64; best first, equal scores by id descending."""
    scores = np.asarray(vectors, np.float64) @ np.asarray(query, np.float64)
    order = sorted(range(len(ids)), key=lambda row: (scores[row], ids[row]), reverse=True)[:k]
    return order, [scores[row] for row in order]


def mixture(n, dim=32, seed=0):
    """Unit vectors around 50 centres, as text embeddings are."""
    random = np.random.default_rng(seed)
    points = random.normal(size=(50, dim))[random.integers(0, 50, n)] + 0.7 * random.normal(size=(n, dim))
    return (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)


@settings(max_examples=80, deadline=None)
@given(st.integers(1, 60), st.integers(1, 3), st.integers(1, 80), st.randoms(use_true_random=False))
def test_rankings_are_those_of_brute_force_also_among_many_ties(n, dim, k, random):
    """Small whole numbers are exact in float32, so equal scores are ties of different vectors too."""
    vectors = [[random.randint(-2, 2) for _ in range(dim)] for _ in range(n)]
    queries = [[random.randint(-2, 2) for _ in range(dim)] for _ in range(4)]
    ids = [f"i{row}" for row in range(n)]
    random.shuffle(ids)
    rankings = index_of(vectors, ids).search(np.asarray(queries, np.float32), k)
    assert rankings.items.shape == rankings.scores.shape == (4, k)
    for query, items, scores in zip(queries, rankings.items, rankings.scores, strict=True):
        order, expected = brute_force(vectors, ids, query, k)
        assert items.tolist() == order + [-1] * (k - len(order))
        assert scores.tolist() == expected + [0.0] * (k - len(order))


def test_real_valued_vectors_are_ranked_as_numpy_ranks_them():
    vectors, queries = mixture(3000), mixture(40, seed=1)
    rankings = index_of(vectors).search(queries, 100)
    expected = -np.sort(-(queries.astype(np.float64) @ vectors.astype(np.float64).T), axis=1)[:, :100]
    np.testing.assert_allclose(rankings.scores, expected, atol=1e-6)
    np.testing.assert_allclose(np.take_along_axis(queries @ vectors.T, rankings.items, 1), expected, atol=1e-6)


@pytest.mark.parametrize("config", ["exact", "ivf", "hnsw"])
def test_copies_of_a_vector_stand_by_id_descending_wherever_they_are(config):
    """300 copies among 1,000 items: all of them tie at the top, ten are asked for, and faiss may choose any."""
    vectors = mixture(1000)
    copies = np.random.default_rng(5).permutation(1000)[:300]
    vectors[copies] = vectors[copies[0]]
    found = index_of(vectors, config={"name": config, "recall": 1.0}).search(vectors[copies[:1]], 10)
    assert found.items[0].tolist() == sorted(copies.tolist(), reverse=True)[:10]
    assert len(set(found.scores[0].tolist())) == 1


@pytest.mark.parametrize("config", ["ivf", "hnsw"])
def test_an_approximate_index_finds_98_percent_and_says_how_much_it_found(config):
    vectors, queries = mixture(5000), mixture(100, seed=1)
    index = index_of(vectors, config=config, sample=queries)
    fresh = mixture(100, seed=2)
    top = np.argsort(-(fresh @ vectors.T), axis=1)[:, :100]
    found = index.search(fresh, 100).items
    recall = np.mean([len(np.intersect1d(*pair)) / 100 for pair in zip(top, found, strict=True)])
    assert recall >= 0.98
    assert index.recall >= 0.99 and abs(index.recall - recall) < 0.01
    assert index.bytes > index_of(vectors).bytes == vectors.nbytes


def test_a_lower_asked_recall_takes_less_effort():
    vectors = mixture(5000)
    low, high = (index_of(vectors, config={"name": "ivf", "recall": recall}) for recall in (0.5, 1.0))
    assert low.effort < high.effort and low.recall < high.recall == 1.0


@pytest.mark.parametrize("config", ["exact", "ivf", "hnsw"])
def test_an_index_built_twice_gives_the_same_rankings(config):
    vectors, queries = mixture(3000), mixture(50, seed=1)
    first, again = (index_of(vectors, config=config).search(queries, 20) for _ in range(2))
    np.testing.assert_array_equal(first.items, again.items)
    np.testing.assert_array_equal(first.scores, again.scores)


@pytest.mark.parametrize("config", ["exact", "ivf", "hnsw"])
@pytest.mark.parametrize("vectors", [[[1.0, 0.0]], [[1.0, 0.0]] * 3])
def test_one_item_or_equal_items_and_a_large_k_work(config, vectors):
    rankings = index_of(vectors, config=config).search(np.array([[1, 0], [0, 0]], np.float32), 1000)
    expected = list(range(len(vectors)))[::-1]
    assert rankings.items[:, : len(vectors)].tolist() == [expected, expected]
    assert (rankings.items[:, len(vectors) :] == -1).all()
    assert index_of(vectors, config=config).search(np.empty((0, 2), np.float32), 5).items.shape == (0, 5)


def test_wrong_use_is_explained():
    with pytest.raises(ConfigError, match="k: at least one"):
        index_of([[1.0]]).search(np.ones((1, 1), np.float32), 0)
    with pytest.raises(ValueError, match="exact"):
        IndexConfig.model_validate("flat")


def test_the_comparison_with_bare_faiss_finds_the_same_items():
    assert list(comparison.run(small=True))[-1] == "same top 20 in 200 of 200 queries"
