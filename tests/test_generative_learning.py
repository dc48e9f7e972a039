"""Fine-tuning and ranking together: what can be learned is learned, and the messages when nothing can."""

from pathlib import Path

import numpy as np
import pytest

from benchmark.config import TrainingConfig
from benchmark.conformance import small_corpus
from benchmark.contracts import Codes, Context, Histories, QuerySet
from benchmark.errors import BenchmarkError
from benchmark.generative.config import GenerativeConfig
from benchmark.generative.finetune import finetune_recommendation, finetune_search
from benchmark.generative.rank import Ranker, id_order
from benchmark.generative.t5 import ScratchConfig

CORPUS = small_corpus(30)
CODES = Codes(np.column_stack([np.arange(30) % 5, np.arange(30) // 5]).astype(np.int32), (5, 6)).with_counter()
TRAINING = TrainingConfig(steps=200, batch_size=32, learning_rate=3e-3, warmup_ratio=0.1)


def settings(**more: object) -> GenerativeConfig:
    scratch = ScratchConfig(d_model=48, layers=1, d_ff=96, vocabulary_size=400, dropout=0.0)
    return GenerativeConfig(scratch=scratch, max_source=32, recommendation=TRAINING, search=TRAINING, **more)  # type: ignore[arg-type]


def queries(texts: list[str], grade: int = 1) -> QuerySet:
    rows = np.arange(len(texts), dtype=np.int32)
    return QuerySet("made-up", [f"q{row}" for row in rows], texts, rows, rows, np.full(len(texts), grade, np.int32))


@pytest.mark.parametrize("scorer", ["full", "codes"])
def test_search_learns_which_text_belongs_to_which_item(tmp_path: Path, scorer: str) -> None:
    context = Context(seed=0, work=tmp_path)
    config = settings(scorer=scorer, search_error_queries=5)
    finetune_search(tmp_path / "model", CODES, CORPUS, queries(CORPUS.texts()), config, context)
    rankings = Ranker(tmp_path / "model", CODES, CORPUS, config, context).search(CORPUS.texts(), 10)
    assert (rankings.items[:, 0] == np.arange(30)).mean() > 0.9
    assert context.facts["beam_missing"] < 2


@pytest.mark.parametrize("read", ["text", "ids"])
def test_recommendation_learns_a_fixed_successor(tmp_path: Path, read: str) -> None:
    """Every user walks through the items in row order: the next item is known from the last one."""
    starts = np.random.default_rng(0).integers(0, 25, 100)
    items = np.concatenate([np.arange(start, start + 5) for start in starts]).astype(np.int32)
    histories = Histories([f"u{row}" for row in range(100)], np.arange(0, 501, 5), items)
    context = Context(seed=0, work=tmp_path)
    config = settings(inputs=read, pairs="all")
    finetune_recommendation(tmp_path / "model", CODES, CORPUS, histories, config, context)
    test = Histories(["a", "b"], np.array([0, 2, 4]), np.array([3, 4, 11, 12], np.int32))
    rankings = Ranker(tmp_path / "model", CODES, CORPUS, config, context).recommend(test, 5)
    assert rankings.items[:, 0].tolist() == [5, 13]


def test_nothing_to_learn_from_is_one_message(tmp_path: Path) -> None:
    context = Context(seed=0, work=tmp_path)
    lonely = Histories(["u"], np.array([0, 1]), np.array([3], np.int32))
    with pytest.raises(BenchmarkError, match="no training pairs; some user must have at least 4 events"):
        finetune_recommendation(tmp_path / "model", CODES, CORPUS, lonely, settings(), context)
    with pytest.raises(BenchmarkError, match="no query of the training set 'made-up' has a relevant item"):
        finetune_search(tmp_path / "model", CODES, CORPUS, queries(["a", "b"], grade=0), settings(), context)


def test_ties_are_broken_as_trec_eval_does() -> None:
    """Equal scores: the greater id comes first."""
    assert id_order(["b", "a", "c10", "c9"]).tolist() == [2, 3, 1, 0]
