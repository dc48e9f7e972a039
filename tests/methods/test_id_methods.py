"""The ID methods against independent reckonings: rebuilt embeddings, naive trees, hand-made paths."""

from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from sklearn.cluster import KMeans
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_mutual_info_score

from benchmark.errors import BenchmarkError, ConfigError
from benchmark.learning.kmeans import kmeans
from benchmark.methods.controls import Category, CategoryConfig, Random, RandomConfig, Shuffled
from benchmark.methods.hc import HierarchicalClustering, HierarchicalClusteringConfig
from benchmark.methods.popularity import Popularity, PopularityConfig
from benchmark.methods.rqkmeans import ResidualKMeans, ResidualKMeansConfig
from benchmark.types.data import Corpus, Histories
from benchmark.types.method import Context

POINTS, LABELS = make_blobs(300, 12, centers=10, cluster_std=1.5, random_state=0)
POINTS = POINTS.astype(np.float32)


def corpus_of(n: int, paths: list[list[str]] | None = None) -> Corpus:
    columns: dict[str, list] = {"id": [f"i{row}" for row in range(n)], "title": [f"item {row}" for row in range(n)]}
    return Corpus(pa.table(columns | ({"categories": paths} if paths is not None else {})))


def context_of(work: Path, points: np.ndarray = POINTS, seed: int = 0) -> Context:
    return Context(seed=seed, work=work, embedder=lambda corpus, encoder, context: points)


def fit_rqkmeans(work: Path, seed: int = 0, **config: object):
    method = ResidualKMeans(ResidualKMeansConfig(**({"n_init": 2} | config)))
    return method.fit(corpus_of(len(POINTS)), context_of(work, seed=seed))


def unexplained(codes: np.ndarray) -> float:
    """The squared error of the best reconstruction that knows only the whole prefix `codes`: its cells' means."""
    _, cell = np.unique(codes, axis=0, return_inverse=True)
    cell = cell.reshape(-1)
    return sum(float(np.square(POINTS[cell == c] - POINTS[cell == c].mean(0)).sum()) for c in np.unique(cell))


# residual k-means


def test_every_level_explains_part_of_what_is_left(tmp_path):
    codes = fit_rqkmeans(tmp_path, levels=3, codebook_size=16)
    errors = [unexplained(codes.values[:, :depth]) for depth in range(4)]
    assert errors[0] > 2 * errors[1] > 2 * errors[2] > 2 * errors[3]
    assert codes.sizes == (16, 16, 16) and set(codes.values[:, 0]) == set(range(16))


def test_level_two_is_a_kmeans_of_what_level_one_left(tmp_path):
    """Given level 1's cells, rebuild the residuals by hand and cluster them with the same k-means."""
    codes = fit_rqkmeans(tmp_path, levels=2, codebook_size=8, seed=3).values
    means = np.stack([POINTS[codes[:, 0] == code].mean(0) for code in range(8)])
    _, expected = kmeans(POINTS - means[codes[:, 0]], 8, seed=3 * 2 + 1, n_init=2)
    assert adjusted_mutual_info_score(expected, codes[:, 1]) > 0.9


def test_one_level_is_plain_kmeans(tmp_path):
    """Ten clusters far enough apart have one optimum: scikit-learn's KMeans finds the same up to renaming."""
    codes = fit_rqkmeans(tmp_path, levels=1, codebook_size=10, n_init=10)
    expected = KMeans(10, n_init=10, random_state=0).fit_predict(POINTS)
    assert adjusted_mutual_info_score(expected, codes.values[:, 0]) > 0.99


def test_the_seed_decides_the_codes(tmp_path):
    first, again, other = (fit_rqkmeans(tmp_path, codebook_size=16, seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.values, again.values)
    assert not np.array_equal(first.values, other.values)


@pytest.mark.parametrize("method", ["rqkmeans", "hc", "rqvae"])
def test_a_codebook_larger_than_the_corpus_is_refused_by_name(method, tmp_path):
    from benchmark.methods.rqvae import RQVAE, RQVAEConfig

    indexer, key = {
        "rqkmeans": (ResidualKMeans(ResidualKMeansConfig(codebook_size=6)), "codebook_size"),
        "hc": (HierarchicalClustering(HierarchicalClusteringConfig(children=6)), "children"),
        "rqvae": (RQVAE(RQVAEConfig(codebook_size=6)), "codebook_size"),
    }[method]
    with pytest.raises(ConfigError, match=f"{key}: the corpus has only 5 items"):
        indexer.fit(corpus_of(5), context_of(tmp_path, POINTS[:5]))


# hierarchical clustering


def naive_tree(points: np.ndarray, config: HierarchicalClusteringConfig, seed: int) -> list[tuple[int, ...]]:
    """The path of every point by the definition, recursively."""
    _, codes = kmeans(points, config.children, seed=seed, n_init=config.n_init, max_iter=config.max_iter)
    paths: list[tuple[int, ...]] = [()] * len(points)
    for code in range(config.children):
        rows = np.flatnonzero(codes == code)
        split = len(rows) >= config.leaf_factor and len(np.unique(points[rows], axis=0)) > 1
        below = naive_tree(points[rows], config, seed) if split else [()] * len(rows)
        for row, rest in zip(rows, below, strict=True):
            paths[row] = (code, *rest)
    return paths


@pytest.mark.parametrize(("children", "leaf_factor"), [(2, 2), (3, 10), (5, 40), (10, 500)])
def test_the_tree_is_that_of_the_recursive_definition(children, leaf_factor, tmp_path):
    config = HierarchicalClusteringConfig(children=children, leaf_factor=leaf_factor, n_init=1)
    points = np.concatenate([POINTS, np.repeat(POINTS[:3], 20, axis=0)])
    codes = HierarchicalClustering(config).fit(corpus_of(len(points)), context_of(tmp_path, points, seed=2))
    assert [tuple(code for code in row if code >= 0) for row in codes.values.tolist()] == naive_tree(points, config, 2)
    assert codes.sizes == (children,) * codes.length
    for row in codes.values:  # padding stands at the end only
        assert (np.diff((row < 0).astype(int)) >= 0).all()


def test_a_leaf_has_fewer_docs_than_leaf_factor_or_one_embedding(tmp_path):
    points = np.concatenate([POINTS, np.repeat(POINTS[:1], 50, axis=0)])
    config = HierarchicalClusteringConfig(children=4, leaf_factor=12, n_init=1)
    codes = HierarchicalClustering(config).fit(corpus_of(len(points)), context_of(tmp_path, points))
    leaves = Counter(map(tuple, codes.values.tolist()))
    large = [leaf for leaf, size in leaves.items() if size >= 12]
    assert len(large) == 1
    inside = points[(codes.values == large[0]).all(1)]
    assert len(inside) == 51 and (inside == inside[0]).all()


def test_identical_embeddings_are_one_leaf(tmp_path):
    same = np.ones((90, 4), np.float32)
    config = HierarchicalClusteringConfig(children=5, leaf_factor=10)
    codes = HierarchicalClustering(config).fit(corpus_of(90), context_of(tmp_path, same))
    np.testing.assert_array_equal(codes.values, np.zeros((90, 1)))


# controls


def test_random_codes_are_uniform_and_know_nothing(tmp_path):
    codes = Random(RandomConfig(levels=2, codebook_size=8)).fit(corpus_of(4000), context_of(tmp_path, seed=5))
    counts = np.stack([np.bincount(column, minlength=8) for column in codes.values.T])
    chi_square = (np.square(counts - 500) / 500).sum(1)
    assert (chi_square < 24.3).all()  # 7 degrees of freedom, p = 0.001
    assert abs(adjusted_mutual_info_score(np.arange(4000) % 20, codes.values[:, 0])) < 0.01


def test_shuffled_ids_are_rqkmeans_ids_on_other_items(tmp_path):
    config = ResidualKMeansConfig(codebook_size=10, levels=2, n_init=2)
    codes = Shuffled(config).fit(corpus_of(300), context_of(tmp_path)).values
    source = fit_rqkmeans(tmp_path, codebook_size=10, levels=2).values
    assert Counter(map(tuple, codes.tolist())) == Counter(map(tuple, source.tolist()))
    assert adjusted_mutual_info_score(LABELS, source[:, 0]) > 0.8
    assert abs(adjusted_mutual_info_score(LABELS, codes[:, 0])) < 0.05


PATHS = [["a", "x"], ["a", "y"], ["b", "x"], ["a", "x"], [], ["a"], ["b", "x", "deep"], []]


def test_category_codes_of_whole_paths_are_the_labels_themselves(tmp_path):
    codes = Category().fit(corpus_of(8, PATHS), context_of(tmp_path))
    assert codes.values.shape == (8, 1) and codes.sizes == (6,)
    labels = [",".join(path) for path in PATHS]
    assert adjusted_mutual_info_score(labels, codes.values[:, 0]) == 1


def test_category_codes_by_level_number_the_nodes_of_each_level(tmp_path):
    """Level 1: a, b and 'no category'; level 2: a/x, a/y and b/x are three nodes; level 3: one."""
    codes = Category(CategoryConfig(layout="levels")).fit(corpus_of(8, PATHS), context_of(tmp_path))
    expected = [[0, 0, -1], [0, 1, -1], [1, 2, -1], [0, 0, -1], [2, -1, -1], [0, -1, -1], [1, 2, 0], [2, -1, -1]]
    np.testing.assert_array_equal(codes.values, expected)
    assert codes.sizes == (3, 3, 1)


@pytest.mark.parametrize("paths", [None, [[], [], []]])
def test_a_corpus_without_categories_has_no_category_control(paths, tmp_path):
    with pytest.raises(BenchmarkError, match="no item of this corpus has a category path"):
        Category().fit(corpus_of(3, paths), context_of(tmp_path))


# popularity


@pytest.mark.parametrize("rule", ["keep", "exclude", "zero"])
@pytest.mark.parametrize("k", [1, 5, 30])
def test_popularity_ranks_as_a_sort_of_all_items_does(rule, k, tmp_path):
    """Items 10 and 11 were never taken: where a user's own items score 0, these are as good."""
    corpus, random = corpus_of(12), np.random.default_rng(0)
    sequences = [random.integers(0, 10, random.integers(1, 9)).tolist() for _ in range(20)]
    offsets = np.cumsum([0, *map(len, sequences)])
    histories = Histories([f"u{user}" for user in range(20)], offsets, np.concatenate(sequences).astype(np.int32))
    method = Popularity(PopularityConfig(history=rule))
    method.fit(corpus, histories, np.full(20, -1, np.int32), context_of(tmp_path))
    rankings = method.recommend(histories, k)
    count = Counter(item for sequence in sequences for item in sequence)
    for user, sequence in enumerate(sequences):
        allowed = [item for item in range(12) if not (rule == "exclude" and item in sequence)]
        score = {item: 0 if rule == "zero" and item in sequence else count[item] for item in allowed}
        best = sorted(allowed, key=lambda item: (score[item], corpus.ids[item]), reverse=True)[:k]
        found = rankings.items[user]
        assert found[: len(best)].tolist() == best and (found[len(best) :] == -1).all()
        assert rankings.scores[user, : len(best)].tolist() == [score[item] for item in best]
