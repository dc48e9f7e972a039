"""Fine-tuning and ranking together: what can be learned is learned, and the messages when nothing can."""

import json
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import torch

from benchmark.conformance import small_corpus
from benchmark.errors import BenchmarkError
from benchmark.generative.config import GenerativeConfig, RecommendationConfig, SearchConfig
from benchmark.generative.finetune import finetune_recommendation, finetune_search, rank_recommendation, rank_search
from benchmark.generative.t5 import ScratchConfig
from benchmark.generative.t5_tasks import T5Task
from benchmark.types.arrays import Int32
from benchmark.types.codes import Codes
from benchmark.types.data import Histories, QuerySet
from benchmark.types.method import Context
from benchmark.types.ties import id_ranks

CORPUS = small_corpus(30)
CODES = Codes(np.column_stack([np.arange(30) % 5, np.arange(30) // 5]).astype(np.int32), (5, 6)).with_counter()
TRAINING: dict[str, Any] = {"steps": 200, "batch_size": 32, "learning_rate": 3e-3, "warmup_ratio": 0.1}


def settings(reader: Literal["text", "ids"] = "text", training: Any = TRAINING, **more: Any) -> GenerativeConfig:
    scratch = ScratchConfig(d_model=48, layers=1, d_ff=96, vocabulary_size=400, dropout=0.0)
    return GenerativeConfig(
        scratch=scratch, max_source=32, recommendation=RecommendationConfig(reader=reader, **training),
        search=SearchConfig(**training), **more,
    )  # fmt: skip


def queries(texts: list[str], grade: int = 1) -> QuerySet:
    rows = np.arange(len(texts), dtype=np.int32)
    return QuerySet("made-up", [f"q{row}" for row in rows], texts, rows, rows, np.full(len(texts), grade, np.int32))


@pytest.mark.parametrize("scorer", ["full", "codes"])
def test_search_learns_which_text_belongs_to_which_item(tmp_path: Path, scorer: str) -> None:
    context = Context(seed=0, work=tmp_path)
    config = settings(scorer=scorer, search_error_queries=5)
    finetune_search(tmp_path / "model", CODES, CORPUS, queries(CORPUS.texts()), config, context)
    rankings = rank_search(tmp_path / "model", CODES, CORPUS, CORPUS.texts(), 10, config, context)
    assert (rankings.items[:, 0] == np.arange(30)).mean() > 0.9
    assert context.facts["beam_missing"] < 2


@pytest.mark.parametrize("read", ["text", "ids"])
def test_recommendation_learns_a_fixed_successor(tmp_path: Path, read: Literal["text", "ids"]) -> None:
    """Every user walks through the items in row order: the next item is known from the last one."""
    starts = np.random.default_rng(0).integers(0, 25, 100)
    items = np.concatenate([np.arange(start, start + 5) for start in starts]).astype(np.int32)
    histories = Histories([f"u{row}" for row in range(100)], np.arange(0, 501, 5), items)
    context = Context(seed=0, work=tmp_path)
    config = settings(read, pairs="all")
    finetune_recommendation(tmp_path / "model", CODES, CORPUS, histories, config, context)
    test = Histories(["a", "b"], np.array([0, 2, 4]), np.array([3, 4, 11, 12], np.int32))
    rankings = rank_recommendation(tmp_path / "model", CODES, CORPUS, test, 5, config, context)
    assert rankings.items[:, 0].tolist() == [5, 13]


def test_label_smoothing_spreads_its_share_of_the_target_over_the_whole_vocabulary(tmp_path: Path) -> None:
    """The loss of the first step, again from the logits of a model that has not moved."""
    share = 0.2
    still = {"steps": 1, "batch_size": 30, "learning_rate": 1e-30, "label_smoothing": share}
    config = settings(training=still)
    finetune_search(tmp_path / "model", CODES, CORPUS, queries(CORPUS.texts()), config, Context(seed=0, work=tmp_path))
    (record,) = map(json.loads, (tmp_path / "train.log.jsonl").read_text().splitlines())
    task = T5Task.load(tmp_path / "model", CODES, CORPUS, config, "cpu")
    losses = []
    for text, tokens in zip(CORPUS.texts(), task.item_tokens.tolist(), strict=True):
        target = [token for token in tokens if token >= 0] + [task.eos]
        source = task.tokenizer(text, return_tensors="pt", truncation=True, max_length=config.max_source)
        with torch.no_grad():
            logits = task.model(input_ids=source.input_ids, labels=torch.tensor([target])).logits[0]
        log_probs = logits.log_softmax(-1)
        losses += [-(1 - share) * row[token] - share * row.mean() for row, token in zip(log_probs, target, strict=True)]
    assert record["loss"] == pytest.approx(float(torch.stack(losses).mean()), rel=1e-5)


def mean_ndcg(items: Int32, relevant: list[int]) -> float:
    """nDCG@10 with one relevant item each: 1 / log2(1 + rank)."""
    found = [np.flatnonzero(row[:10] == item) for row, item in zip(items, relevant, strict=True)]
    return float(np.mean([1 / np.log2(2 + rank[0]) if len(rank) else 0.0 for rank in found]))


def logged_scores(work: Path) -> list[float]:
    records = map(json.loads, (work / "train.log.jsonl").read_text().splitlines())
    return [record["valid_ndcg10"] for record in records if "valid_ndcg10" in record]


def test_the_weights_that_rank_development_queries_best_are_kept(tmp_path: Path) -> None:
    """The learning rate rises until all that was learned is lost: on the way the model is better than at the end.

    Which rate does so depends on how the machine rounds.
    """
    asked, scores = queries(CORPUS.texts()), [0.0]
    for rate in (1.0, 2.0, 3.0, 10.0):
        context = Context(seed=0, work=tmp_path / str(rate))
        context.work.mkdir()
        rising = TRAINING | {"learning_rate": rate, "warmup_ratio": 0.99, "steps": 60, "evaluations": 6}
        config, model = settings(training=rising), context.work / "model"
        facts = finetune_search(model, CODES, CORPUS, asked, config, context, development=asked)
        scores = logged_scores(context.work)
        if max(scores) > scores[-1]:
            break
    assert len(scores) == 6 and max(scores) > scores[-1]
    found = rank_search(model, CODES, CORPUS, asked.texts, 10, config, context).items
    assert mean_ndcg(found, list(range(30))) == pytest.approx(max(scores), abs=1e-6)
    assert facts["valid_ndcg10"] == pytest.approx(max(scores), abs=1e-5)
    assert facts["best_epoch"] == pytest.approx((1 + np.argmax(scores)) * 10 * 32 / 30, abs=0.01)


@pytest.mark.parametrize("read", ["text", "ids"])
def test_a_t5_is_stopped_by_the_validation_items_of_its_histories(tmp_path: Path, read: Literal["text", "ids"]) -> None:
    """With the patience of one evaluation a model that does not move is evaluated twice."""
    context = Context(seed=0, work=tmp_path)
    still = TRAINING | {"steps": 40, "learning_rate": 1e-30, "evaluations": 10, "patience": 1}
    config = settings(read, training=still, pairs="all")
    histories = Histories([f"u{u}" for u in range(6)], np.arange(0, 31, 5), np.arange(30, dtype=np.int32))
    following = np.array([5, 10, -1, 20, 25, 29], np.int32)
    facts = finetune_recommendation(tmp_path / "model", CODES, CORPUS, histories, config, context, validation=following)
    scores = logged_scores(tmp_path)
    assert len(scores) == 2 and facts["epochs"] == pytest.approx(8 * 32 / 24, abs=0.01)
    found = rank_recommendation(tmp_path / "model", CODES, CORPUS, histories, 10, config, context).items
    known = following >= 0
    expected = mean_ndcg(found[known], following[known].tolist())
    assert scores == [pytest.approx(expected, abs=1e-6)] * 2


def test_nothing_to_learn_from_is_one_message(tmp_path: Path) -> None:
    context = Context(seed=0, work=tmp_path)
    lonely = Histories(["u"], np.array([0, 1]), np.array([3], np.int32))
    with pytest.raises(BenchmarkError, match="no training pairs; some user must have at least 4 events"):
        finetune_recommendation(tmp_path / "model", CODES, CORPUS, lonely, settings(), context)
    with pytest.raises(BenchmarkError, match="no query of the training set 'made-up' has a relevant item"):
        finetune_search(tmp_path / "model", CODES, CORPUS, queries(["a", "b"], grade=0), settings(), context)


def test_ties_are_broken_as_trec_eval_does() -> None:
    """Equal scores: the greater id comes first."""
    assert id_ranks(["b", "a", "c10", "c9"]).tolist() == [2, 3, 1, 0]
