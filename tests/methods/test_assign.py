"""IDs of new items: those of `fit` come back, new ones follow from what was learned, and nothing is learned anew."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.conformance import check_method, small_corpus
from benchmark.errors import BenchmarkError, ConfigError
from benchmark.methods.controls import Category, CategoryConfig, Random, RandomConfig, Shuffled
from benchmark.methods.hc import HierarchicalClustering, HierarchicalClusteringConfig
from benchmark.methods.ids_file import IdsFile
from benchmark.methods.rqkmeans import ResidualKMeans, ResidualKMeansConfig
from benchmark.methods.rqvae import RQVAE, RQVAEConfig
from benchmark.types.data import Corpus
from benchmark.types.method import Context, Indexer

DIMENSIONS = 6
MAKERS: dict[str, Callable[[], Indexer[Any]]] = {
    "rqkmeans": lambda: ResidualKMeans(ResidualKMeansConfig(levels=3, codebook_size=4, n_init=2)),
    "hc": lambda: HierarchicalClustering(HierarchicalClusteringConfig(children=3, leaf_factor=5, n_init=2)),
    "rqvae": lambda: RQVAE(RQVAEConfig(levels=2, codebook_size=4, latent=3, hidden=(8,), training={"steps": 4})),
    "random": lambda: Random(RandomConfig(levels=2, codebook_size=4)),
    "shuffled": lambda: Shuffled(ResidualKMeansConfig(levels=2, codebook_size=4, n_init=2)),
    "category": lambda: Category(CategoryConfig()),
    "category by levels": lambda: Category(CategoryConfig(layout="levels")),
}


def vectors(corpus: Corpus) -> np.ndarray:
    """A vector per title, so that equal titles have equal vectors."""
    rows = [np.random.default_rng(int(title)).normal(size=DIMENSIONS) for title in corpus.field("title")]
    return np.array(rows, np.float32).reshape(len(corpus), DIMENSIONS)


def corpus_of(numbers: list[int], prefix: str = "i") -> Corpus:
    ids = [f"{prefix}{row}" for row in range(len(numbers))]
    paths = [["a", "bcd"[n % 3], "xy"[n % 2]][: 1 + n % 3] for n in numbers]
    return Corpus(pa.table({"id": ids, "title": [str(n) for n in numbers], "categories": paths}))


def context_of(work: Path, seed: int = 0) -> Context:
    return Context(seed=seed, work=work, embedder=lambda corpus, encoder, context: vectors(corpus))


@pytest.mark.parametrize("name", MAKERS)
@settings(max_examples=40)
@given(numbers=st.lists(st.integers(0, 40), min_size=6, max_size=40), new=st.lists(st.integers(0, 60), min_size=1))
def test_items_of_fit_keep_their_ids_and_new_ones_use_the_same_codebooks(
    name: str, numbers: list[int], new: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    method, own = MAKERS[name](), corpus_of(numbers)
    codes = method.fit(own, context_of(tmp_path_factory.mktemp("work")))
    assert np.array_equal(method.assign(own).values, codes.values)
    found = method.assign(corpus_of(new, "n"))
    assert len(found) == len(new) and found.sizes == codes.sizes
    assert np.array_equal(method.assign(own).values, codes.values)  # nothing was learned from the new ones
    if name in ("rqkmeans", "hc", "rqvae"):  # these know an item by its text alone
        row_of = {number: row for row, number in enumerate(numbers)}
        for row, number in enumerate(new):
            if number in row_of:
                assert np.array_equal(found.values[row], codes.values[row_of[number]])


@pytest.mark.parametrize("name", MAKERS)
@settings(max_examples=10)
@given(numbers=st.lists(st.integers(0, 40), min_size=6, max_size=30), new=st.lists(st.integers(0, 60), min_size=1))
def test_what_was_saved_assigns_the_same_ids_without_a_fit(
    name: str, numbers: list[int], new: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A method that has never been fitted gives the IDs that the fitted one gives, and measures the same distances."""
    method, again, folder = MAKERS[name](), MAKERS[name](), tmp_path_factory.mktemp("work")
    own, later = corpus_of(numbers), corpus_of(new, "n")
    codes = method.fit(own, context_of(folder))
    method.save(folder / "indexer")
    assert not [path for path in (folder / "indexer").iterdir() if b"pickle" in path.read_bytes()]
    again.load(folder / "indexer", context_of(folder))
    assert np.array_equal(again.assign(later).values, method.assign(later).values)
    assert np.array_equal(again.assign(own).values, codes.values)
    if method.measures_distances():
        rows = np.arange(len(own))
        distances = again.code_distances(own, codes, rows)
        assert np.array_equal(distances, method.code_distances(own, codes, rows))
        assert distances.shape == (len(own), codes.sizes[-1])
        if name in ("rqkmeans", "rqvae"):  # the code that an item has is the nearest one
            to_own = distances[rows, codes.values[:, -1]]
            assert np.allclose(to_own, distances.min(axis=1), atol=1e-4)


def test_residual_kmeans_takes_the_nearest_centroid_of_each_level(tmp_path: Path) -> None:
    """Centroids are the means of what the items of a code have left, reckoned from the codes alone."""
    own, new = corpus_of(list(range(60))), corpus_of(list(range(100, 130)), "n")
    method = ResidualKMeans(ResidualKMeansConfig(levels=2, codebook_size=5))
    codes = method.fit(own, context_of(tmp_path)).values
    left, residual = vectors(own).astype(np.float64), vectors(new).astype(np.float64)
    found = method.assign(new).values
    for level in range(2):
        means = np.stack([left[codes[:, level] == code].mean(0) for code in range(5)])
        expected = ((residual[:, None] - means[None]) ** 2).sum(2).argmin(1)
        assert found[:, level].tolist() == expected.tolist()
        left, residual = left - means[codes[:, level]], residual - means[expected]


def test_a_new_item_goes_down_the_tree_to_the_nearest_child(tmp_path: Path) -> None:
    own, new = corpus_of(list(range(80))), corpus_of(list(range(100, 140)), "n")
    method = HierarchicalClustering(HierarchicalClusteringConfig(children=3, leaf_factor=12))
    codes = method.fit(own, context_of(tmp_path)).values
    points, found = vectors(own), method.assign(new).values
    for vector, path in zip(vectors(new), found.tolist(), strict=True):
        inside = np.arange(len(own))
        for depth in range(codes.shape[1]):
            children = (
                {code: inside[codes[inside, depth] == code] for code in set(codes[inside, depth])}
                if len(inside)
                else {}
            )
            if -1 in children or not children:
                assert path[depth:] == [-1] * (codes.shape[1] - depth)
                break
            nearest = min(children, key=lambda code: float(((points[children[code]].mean(0) - vector) ** 2).sum()))
            assert path[depth] == nearest
            inside = children[nearest]


def test_an_unknown_category_path_gets_the_id_of_the_path_that_shares_most_of_it(tmp_path: Path) -> None:
    def shop(*paths: list[str]) -> Corpus:
        return Corpus(pa.table({"id": [str(row) for row in range(len(paths))], "categories": list(paths)}))

    own = shop(["a", "b"], ["a", "b"], ["a", "c"], ["d"], ["d"], ["d"])
    new = shop(["a", "c", "e"], ["a", "x"], ["z"], ["d", "f"], [])
    for layout, due in (("path", [[1], [0], [2], [2], [2]]), ("levels", [[0, 1], [0, -1], [1, -1], [1, -1], [1, -1]])):
        method = Category(CategoryConfig(layout=layout))
        method.fit(own, context_of(tmp_path))
        assert method.assign(new).values.tolist() == due


def test_controls_know_nothing_of_new_items(tmp_path: Path) -> None:
    own, new = corpus_of(list(range(40))), corpus_of(list(range(2000)), "n")
    uniform = Random(RandomConfig(levels=1, codebook_size=4))
    uniform.fit(own, context_of(tmp_path))
    assert np.bincount(uniform.assign(new).values[:, 0]).tolist() == pytest.approx([500] * 4, abs=80)
    shuffled = MAKERS["shuffled"]()
    codes = shuffled.fit(own, context_of(tmp_path))
    found = shuffled.assign(new).values
    shares = {tuple(row): n / 40 for row, n in zip(*np.unique(codes.values, axis=0, return_counts=True), strict=True)}
    drawn = dict(
        zip(map(tuple, np.unique(found, axis=0)), np.unique(found, axis=0, return_counts=True)[1], strict=True)
    )
    assert drawn.keys() <= shares.keys()
    assert all(drawn[row] / 2000 == pytest.approx(share, abs=0.05) for row, share in shares.items())


@pytest.mark.parametrize("name", ["random", "shuffled"])
def test_what_a_control_draws_for_an_item_follows_from_its_id_alone(name: str, tmp_path: Path) -> None:
    """Not from its row, nor from the items beside it or in earlier calls: two calls draw as one does."""
    own, new, others = corpus_of(list(range(40))), corpus_of(list(range(60)), "n"), corpus_of(list(range(60)), "m")
    method = MAKERS[name]()
    method.fit(own, context_of(tmp_path))
    found = method.assign(new).values
    assert not np.array_equal(found, method.assign(others).values)
    backwards = Corpus(new.table.take(np.arange(60)[::-1]), new.fields)
    assert np.array_equal(method.assign(backwards).values[::-1], found)
    halves = [method.assign(Corpus(new.table.slice(start, 30), new.fields)).values for start in (0, 30)]
    assert np.array_equal(np.concatenate(halves), found)
    other_seed = MAKERS[name]()
    other_seed.fit(own, context_of(tmp_path, seed=1))
    assert not np.array_equal(other_seed.assign(new).values, found)


def test_an_indexer_that_cannot_assign_says_so(tmp_path: Path) -> None:
    assert not IdsFile.assigns() and RQVAE.assigns()  # whose IDs in a file were learned from all items, new ones too
    with pytest.raises(BenchmarkError, match="IdsFile cannot assign IDs"):
        IdsFile().assign(small_corpus(3))


def test_an_encoder_that_learns_from_its_corpus_embeds_no_new_items_outside_of_a_run() -> None:
    method = ResidualKMeans(ResidualKMeansConfig(levels=1, codebook_size=2, encoder={"simcse_epochs": 1}))
    method._context, method._centroids = Context(), []
    with pytest.raises(ConfigError, match="simcse_epochs"):
        method.assign(small_corpus(3))


@pytest.mark.parametrize("name", ["rqkmeans", "hc", "random", "category", "bm25"])
def test_they_keep_the_contract_of_methods(name: str) -> None:
    smaller = {
        "rqkmeans": {"codebook_size": 8},
        "hc": {"children": 4, "leaf_factor": 8},
        "random": {"codebook_size": 8},
    }
    check_method(name, **smaller.get(name, {}))


@pytest.mark.parametrize("backbone", ["scratch", "encoder"])
def test_lmindexer_assigns_by_the_network_of_each_position(tmp_path: Path, small_bert: Path, backbone: str) -> None:
    """Later positions learn on with the same weights, so the last network alone would give some items other codes."""
    from benchmark.methods.lmindexer.config import LMIndexerConfig
    from benchmark.methods.lmindexer.indexer import LMIndexer

    few = {"steps": 6, "batch_size": 16, "learning_rate": 1e-2}
    config = LMIndexerConfig.model_validate({
        "backbone": backbone, "length": 2, "codebook_size": 8, "warmup": few, "max_length": 16, "study_items": 0,
        "encoder": str(small_bert), "frozen_layers": 1,
        "scratch": {"d_model": 32, "layers": 1, "heads": 2, "d_ff": 64, "vocabulary_size": 300},
        "first": {"no_code": few, "full": few}, "later": {"no_code": few, "full": few},
        "reconstructor": {"layers": 1, "heads": 2, "d_ff": 32},
    })  # fmt: skip
    method, corpus = LMIndexer(config), small_corpus(40)
    codes = method.fit(corpus, Context(work=tmp_path))
    network = method._reader.network
    before = {name: value.clone() for name, value in network.state_dict().items()}
    assert np.array_equal(method.assign(corpus).values, codes.values)
    distances = method.code_distances(corpus, codes, np.arange(40))
    assert np.array_equal(distances.argmin(axis=1), codes.values[:, -1])
    method.save(tmp_path / "indexer")
    again = LMIndexer(config)
    again.load(tmp_path / "indexer", Context(work=tmp_path / "empty"))
    assert np.array_equal(again.assign(corpus).values, codes.values)
    assert np.allclose(again.code_distances(corpus, codes, np.array([3, 17])), distances[[3, 17]], rtol=1e-4)
    found = method.assign(Corpus(small_corpus(60).table.slice(40), corpus.fields))
    assert found.values.shape == (20, 2) and found.sizes == codes.sizes
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
