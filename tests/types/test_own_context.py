"""A method outside of a run: built from settings by name, fitted without a context."""

import gc
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import FAST

from benchmark.cli.main import main
from benchmark.config import MethodConfig
from benchmark.conformance import small_corpus
from benchmark.data.dataset import open_dataset
from benchmark.data.splits import leave_one_out
from benchmark.errors import ConfigError
from benchmark.learning import encoders
from benchmark.methods.bm25.retriever import BM25
from benchmark.methods.popularity import Popularity
from benchmark.methods.rqkmeans import ResidualKMeans, ResidualKMeansConfig
from benchmark.methods.rqvae import RQVAE
from benchmark.results.result_files import read_id_lines
from benchmark.types.codes import Codes
from benchmark.types.data import Corpus
from benchmark.types.method import Context, Indexer


class Noting(Indexer[MethodConfig]):
    """Keeps its context, and leaves a file in its folder."""

    def fit(self, corpus: Corpus, context: Context) -> Codes:
        self.context = context
        (context.work / "checkpoint").write_text("x")
        return Codes(np.zeros((len(corpus), 1), np.int32), (1,))


def test_settings_by_name_are_the_configuration_and_a_wrong_one_names_the_nearest() -> None:
    assert ResidualKMeans(levels=2).config == ResidualKMeansConfig(levels=2)
    nested, usual = RQVAE(training={"steps": 5}, encoder="other").config, RQVAE().config
    assert nested.training == usual.training.model_copy(update={"steps": 5}) and nested.encoder.name == "other"
    with pytest.raises(ConfigError, match=r"^levles: unknown key. Did you mean 'levels'\?$"):
        ResidualKMeans(levles=2)
    with pytest.raises(ConfigError, match=r"levels: .*greater than or equal to 1"):
        ResidualKMeans(levels=0)
    with pytest.raises(ConfigError, match="not both: levels"):
        ResidualKMeans(ResidualKMeansConfig(), levels=2)


def test_the_codes_are_those_of_a_run_with_the_same_seed(shop: Path, tmp_path: Path) -> None:
    words = ["run", "--dataset", str(shop), "--runs", str(tmp_path), "--methods", "rqkmeans", "--tasks", "id-quality"]
    settings = ["--set", "rqkmeans.codebook_size=8", "--set", "rqkmeans.levels=2", "--device", "cpu"]
    assert main([*words, *settings, *FAST]) == 0
    (file,) = tmp_path.glob("shop/rqkmeans/*/seed-0/ids.tsv")
    corpus = open_dataset(str(shop), cache=tmp_path / "cache").corpus()
    method = ResidualKMeans(codebook_size=8, levels=2)
    codes = method.fit(corpus)  # type: ignore[call-arg]
    assert [tuple(row) for row in codes.values.tolist()] == list(read_id_lines(file).values())
    assert np.array_equal(method.fit(corpus, None).values, codes.values)  # type: ignore[arg-type]


def test_retrievers_and_recommenders_need_no_context_either(shop: Path, tmp_path: Path) -> None:
    dataset = open_dataset(str(shop), cache=tmp_path)
    bm25, popularity, split = BM25(), Popularity(), leave_one_out(dataset.histories())
    bm25.fit(dataset.corpus(), None)  # type: ignore[call-arg]
    assert dataset.corpus().ids[bm25.search(["desk lamp number 0"], 1).items[0, 0]] == "i00"
    popularity.fit(dataset.corpus(), split.train, validation=split.validation)  # type: ignore[call-arg]
    counts = np.bincount(split.train.items)
    assert counts[popularity.recommend(split.train, 1).items[0, 0]] == counts.max()
    with pytest.raises(TypeError, match="queries"):
        BM25().fit(dataset.corpus())  # type: ignore[call-arg]


def test_the_folder_goes_with_the_method_and_a_context_that_is_given_is_kept(tmp_path: Path) -> None:
    method, fit = Noting(), inspect.signature(Noting.fit)
    method.fit(small_corpus(3))  # type: ignore[call-arg]
    context = method.context
    assert (context.seed, context.device) == (0, "cpu") and (context.work / "checkpoint").is_file()
    del method
    gc.collect()
    assert not context.work.exists()
    given = Context(seed=3, work=tmp_path)
    first, later = Noting(), Noting()
    first.fit(small_corpus(3), given)
    later.fit(small_corpus(3), given)
    assert first.context is given
    assert later.context.seed == 3 and later.context.work.parent == tmp_path  # a fit after it has a folder of its own
    del first, later
    gc.collect()
    assert (tmp_path / "checkpoint").is_file() and len(list(tmp_path.glob("*/checkpoint"))) == 1
    assert fit.parameters["context"].default is None


def test_embeddings_are_made_once_per_corpus_and_fields_and_forgotten_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def embed(texts: list[str], config: Any, context: Context) -> np.ndarray:
        made.append(config.name)
        return np.ones((len(texts), 2), np.float32)

    monkeypatch.setattr(encoders, "embed", embed)
    corpus, before = small_corpus(4), len(encoders._memory)
    of: Callable[..., np.ndarray] = Context().embed
    of(corpus)[:] = 0  # the caller's own
    assert (of(corpus) == 1).all() and (of(Corpus(corpus.table, ("brand",)), "other") == 1).all()
    assert made == ["default", "other"] and len(encoders._memory) == before + 1
    del corpus
    gc.collect()
    assert len(encoders._memory) == before
