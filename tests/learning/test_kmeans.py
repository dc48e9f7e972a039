"""k-means against scikit-learn and brute force, and what it does where there is little to cluster."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import KMeans
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_mutual_info_score

from benchmark.learning import bench_kmeans as bench
from benchmark.learning.kmeans import _assign, _lloyd, inertia, kmeans

BLOBS = np.asarray(make_blobs(600, 8, centers=12, cluster_std=2.0, random_state=0)[0], np.float32)


def test_from_the_same_start_the_clusters_are_those_of_scikit_learn():
    start = BLOBS[np.random.default_rng(0).choice(len(BLOBS), 20, replace=False)]
    expected = KMeans(20, init=start, n_init=1, tol=0, max_iter=300, algorithm="lloyd").fit(BLOBS)
    found, centroids, codes = _lloyd(BLOBS, np.ones(len(BLOBS), np.float32), start.copy(), 300, 0.0)
    np.testing.assert_array_equal(codes, expected.labels_)
    np.testing.assert_allclose(centroids, expected.cluster_centers_, rtol=1e-4, atol=1e-4)
    assert found == pytest.approx(expected.inertia_, rel=1e-4)


@pytest.mark.parametrize("init", ["k-means++", "random"])
def test_from_its_own_start_the_inertia_is_as_low_as_scikit_learns(init):
    expected = KMeans(30, init=init, n_init=20, random_state=0).fit(BLOBS).inertia_
    assert inertia(BLOBS, *kmeans(BLOBS, 30, seed=0, n_init=20, init=init)) < 1.03 * expected


def test_clusters_far_apart_are_found_exactly():
    points, labels = make_blobs(400, 5, centers=9, cluster_std=0.05, random_state=3)
    _, codes = kmeans(points.astype(np.float32), 9, seed=1)
    assert adjusted_mutual_info_score(labels, codes) == pytest.approx(1)


@settings(max_examples=60, deadline=None)
@given(n=st.integers(1, 40), k=st.integers(1, 50), values=st.integers(1, 4), seed=st.integers(0, 9))
def test_every_centroid_is_used_and_is_nearest_to_its_points(n, k, values, seed):
    points = np.random.default_rng(seed).integers(0, values, (n, 3)).astype(np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        centroids, codes = kmeans(points, k, seed=seed)
    distinct = len(np.unique(points, axis=0))
    assert centroids.shape == (min(k, distinct), 3) and codes.dtype == np.int32
    assert set(codes) == set(range(len(centroids)))
    distances = np.square(points[:, None] - centroids).sum(2)
    np.testing.assert_allclose(distances[np.arange(n), codes], distances.min(1), atol=1e-5)


def test_with_as_many_clusters_as_distinct_points_every_point_is_its_own_centroid():
    points = np.float32([[0.0, 1.0], [2.0, 3.0], [-0.0, 1.0], [2.0, 3.0], [5.0, 5.0]])
    centroids, codes = kmeans(points, 4, seed=0)
    np.testing.assert_array_equal(codes, [0, 1, 0, 1, 2])
    np.testing.assert_array_equal(centroids[codes], points)


def test_equal_points_share_a_code_and_count_as_often_as_they_occur():
    points = np.repeat(BLOBS[:60], np.arange(60) % 7 + 1, axis=0)
    shuffled = points[np.random.default_rng(0).permutation(len(points))]
    centroids, codes = kmeans(shuffled, 10, seed=0)
    for row in np.unique(shuffled, axis=0):
        assert len(set(codes[(shuffled == row).all(1)])) == 1
    for code, centroid in enumerate(centroids):
        np.testing.assert_allclose(centroid, shuffled[codes == code].mean(0), rtol=1e-4, atol=1e-4)


def test_points_closer_than_float32_can_measure_still_make_k_clusters():
    points = np.ones((6, 4), np.float32)
    for row in range(1, 6):
        points[row, 0] = np.nextafter(points[row - 1, 0], np.float32(2))
    centroids, codes = kmeans(points, 3, seed=0)
    assert len(centroids) == 3 and set(codes) == {0, 1, 2}


def test_an_empty_cluster_takes_the_farthest_point_of_a_cluster_with_others():
    points = np.float32([[0], [1], [10], [100]])
    centroids = np.float32([[0], [-500], [60], [-900]])  # 0: {0, 1, 10}, 2: {100}
    distances, codes = _assign(points, np.ones(4, np.float32), centroids)
    np.testing.assert_array_equal(codes, [0, 3, 1, 2])
    np.testing.assert_array_equal(distances, [0, 0, 0, 1600])
    np.testing.assert_array_equal(centroids, [[0], [10], [60], [1]])


def test_the_seed_decides_everything_and_more_starts_never_hurt():
    first, again, other = (kmeans(BLOBS, 30, seed=seed) for seed in (4, 4, 5))
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])
    assert not np.array_equal(first[1], other[1])
    tightness = [inertia(BLOBS, *kmeans(BLOBS, 30, seed=4, n_init=n)) for n in (1, 3, 9)]
    assert tightness == sorted(tightness, reverse=True)


def test_the_benchmark_prints_ours_scikit_learn_and_their_ratio(monkeypatch):
    monkeypatch.setattr(bench, "_points", lambda n, dim: BLOBS)
    lines = list(bench.run(small=True))
    assert [line.split()[-5 if "ratio" not in line else 0] for line in lines[1:4]] == ["ours", "scikit-learn", "ratio"]


@pytest.fixture
def few_per_centroid(monkeypatch):
    monkeypatch.setattr("benchmark.learning.kmeans.SAMPLE_PER_CENTROID", 20)


def test_a_sample_of_many_points_decides_nearly_the_clusters_of_all(few_per_centroid):
    points, labels = make_blobs(4_000, 8, centers=12, cluster_std=1.0, random_state=0)
    points = points.astype(np.float32)
    centroids, codes = kmeans(points, 12, seed=0, n_init=3)
    assert adjusted_mutual_info_score(labels, codes) > 0.99
    assert inertia(points, centroids, codes) < 1.01 * KMeans(12, n_init=5, random_state=0).fit(points).inertia_
    distances = np.square(points[:, None] - centroids).sum(2)
    np.testing.assert_allclose(distances[np.arange(len(points)), codes], distances.min(1), rtol=1e-3, atol=1e-3)
    np.testing.assert_array_equal(codes, kmeans(points, 12, seed=0, n_init=3)[1])


def test_equal_points_share_a_code_where_a_sample_decides(few_per_centroid):
    points = np.repeat(BLOBS, 3, axis=0)[np.random.default_rng(0).permutation(3 * len(BLOBS))]
    centroids, codes = kmeans(points, 5, seed=0)
    assert len(np.unique(np.column_stack([points, codes]), axis=0)) == len(BLOBS)
    assert set(codes) == set(range(5)) and len(centroids) == 5
