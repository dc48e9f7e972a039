"""Choosing the weights of a training: the score against ir_measures, whom it is for, and which weights stay."""

import json
from pathlib import Path
from typing import Any

import hypothesis
import ir_measures
import numpy as np
import pytest
from hypothesis import strategies as st

from benchmark.conformance import small_corpus
from benchmark.generative.config import DecoderConfig, GenerativeConfig, ItemsConfig, RecommendationConfig, TaskConfig
from benchmark.generative.finetune import finetune_recommendation, rank_recommendation
from benchmark.generative.learning import stopping
from benchmark.generative.search_examples import held_out
from benchmark.learning.validation import Judged, facts
from benchmark.types.codes import Codes
from benchmark.types.data import Histories, QuerySet
from benchmark.types.method import Context

CORPUS = small_corpus(30)
CODES = Codes(np.column_stack([np.arange(30) % 5, np.arange(30) // 5]).astype(np.int32), (5, 6)).with_counter()

Judgments = list[tuple[int, int, int]]  # query, item, grade


def query_set(judgments: Judgments, n: int) -> QuerySet:
    rows = np.array(judgments, np.int32).reshape(-1, 3).T
    return QuerySet("made-up", [f"q{q}" for q in range(n)], [f"text {q}" for q in range(n)], *rows)


def ir_ndcg(judgments: Judgments, found: dict[int, list[int]]) -> float:
    """nDCG@10 by ir_measures; found[query] are its items, best first, -1 for none."""
    qrels = [ir_measures.Qrel(str(query), str(item), grade) for query, item, grade in judgments]
    run = [
        ir_measures.ScoredDoc(str(query), str(item), -rank)
        for query, items in found.items()
        for rank, item in enumerate(items)
        if item >= 0
    ]
    return float(ir_measures.calc_aggregate([ir_measures.nDCG @ 10], qrels, run)[ir_measures.nDCG @ 10])


@hypothesis.settings(deadline=None, max_examples=60)
@hypothesis.given(st.integers(0, 10_000), st.sampled_from([3, 10, 14]))
def test_ndcg_is_that_of_ir_measures(seed: int, depth: int) -> None:
    """Of graded judgments in any order, up to fifteen per query, and of rankings that found fewer items than asked."""
    rng = np.random.default_rng(seed)
    judgments = [
        (query, int(item), int(rng.integers(0, 4)))
        for query in range(6)
        for item in rng.permutation(25)[: rng.integers(1, 16)]
    ]
    judgments += [(6, 3, 1)]  # some query has a relevant item
    judgments = [judgments[i] for i in rng.permutation(len(judgments))]
    judged = Judged.of_queries(query_set(judgments, 8), 100)
    found = np.array([rng.permutation(25)[:depth] for _ in judged.rows], np.int32)
    found[np.arange(depth) >= rng.integers(1, depth + 1, (len(found), 1))] = -1
    relevant = [judgment for judgment in judgments if judgment[0] in judged.rows]
    expected = ir_ndcg(relevant, dict(zip(judged.rows.tolist(), found.tolist(), strict=True)))
    assert judged.ndcg(found) == pytest.approx(expected, abs=1e-6)


def test_queries_are_those_with_a_relevant_item_and_spread_where_they_are_too_many() -> None:
    judgments = [(q, q % 7, 0 if q % 10 == 3 else 2) for q in range(100)] + [(5, 6, 1), (3, 1, 0)]
    every, some = (Judged.of_queries(query_set(judgments, 120), size) for size in (1000, 9))
    assert every.rows.tolist() == [q for q in range(100) if q % 10 != 3]
    assert len(some.rows) == 9 and set(some.rows.tolist()) <= set(every.rows.tolist())
    assert some.rows[0] == 0 and some.rows[-1] == 99 and np.diff(some.rows).max() <= 14
    for judged in (every, some):
        found = zip(judged.rows[judged.query_rows].tolist(), judged.items, judged.grades, strict=True)
        chosen = [judgment for judgment in judgments if judgment[2] and judgment[0] in judged.rows]
        assert sorted(found) == sorted(chosen)


def test_users_are_those_with_a_validation_item_and_a_history() -> None:
    targets = np.array([4, -1, 7, 9, 2, 2], np.int32)
    usable = np.array([True, True, False, True, True, True])
    every = Judged.of_targets(targets, usable, 10)
    assert every.rows.tolist() == [0, 3, 4, 5] and every.items.tolist() == [4, 9, 2, 2]
    assert every.query_rows.tolist() == [0, 1, 2, 3] and every.grades.tolist() == [1, 1, 1, 1]
    some = Judged.of_targets(targets, usable, 2)
    assert some.rows.tolist() == [0, 5] and some.items.tolist() == [4, 2]
    assert len(Judged.of_targets(targets, np.zeros(6, bool), 2).rows) == 0


def test_evaluations_are_spread_over_the_steps_and_none_without_anybody_to_rank_for() -> None:
    someone = Judged.of_targets(np.array([3], np.int32), np.array([True]), 10)
    nobody = Judged.of_targets(np.array([-1], np.int32), np.array([True]), 10)

    def every(judged: Judged, **settings: Any) -> int | None:
        found = stopping(judged, lambda rows, k: np.zeros((len(rows), k), np.int32), TaskConfig(**settings), 640)
        return None if found is None else found.every

    assert every(someone, steps=100, evaluations=5) == 20 == every(someone, epochs=20, batch_size=128, evaluations=5)
    assert every(someone, steps=101, evaluations=5) == 21 and every(someone, steps=3, evaluations=5) == 1
    assert every(someone, steps=100) is None is every(nobody, steps=100, evaluations=5)


def test_facts_name_the_first_of_the_best_evaluations() -> None:
    scores = [0.1, 0.4, 0.4, 0.2]
    log = [{"step": 10 * (i + 1), "valid_ndcg10": score} for i, score in enumerate(scores)]
    found = facts([{"step": 5, "loss": 1.0}, *log, {"step": 40, "loss": 0.5}], TaskConfig(batch_size=8), 160)
    assert found == {"epochs": 2.0, "best_epoch": 1.0, "valid_ndcg10": 0.4}
    assert facts([{"step": 40, "loss": 0.5}], TaskConfig(batch_size=8), 160) == {"epochs": 2.0}


def test_every_twentieth_query_is_held_out_with_its_judgments() -> None:
    judgments = [(q, q % 9, 1 + q % 3) for q in range(45)] + [(19, 8, 2), (18, 8, 2)]
    train, development = held_out(query_set(judgments, 45))
    assert development.ids == ("q19", "q39") and len(train) == 43

    def named(queries: QuerySet) -> set[tuple[str, str, int, int]]:
        rows = zip(queries.query_rows.tolist(), queries.item_rows.tolist(), queries.grades.tolist(), strict=True)
        return {(queries.ids[q], queries.texts[q], item, grade) for q, item, grade in rows}

    assert named(train) | named(development) == {(f"q{q}", f"text {q}", item, grade) for q, item, grade in judgments}
    assert {name for name, *_ in named(development)} == {"q19", "q39"} and len(named(development)) == 3


# End to end, with the reader `items`


def walks(n: int, length: int) -> tuple[Histories, Any]:
    """Users who walk through the items in row order, and the item that follows."""
    starts = np.random.default_rng(0).integers(0, 30 - length, n)
    items = np.concatenate([np.arange(start, start + length) for start in starts]).astype(np.int32)
    return Histories([f"u{u}" for u in range(n)], np.arange(n + 1) * length, items), (starts + length).astype(np.int32)


def settings(**task: Any) -> GenerativeConfig:
    task = {"reader": "items", "steps": 60, "batch_size": 8, "schedule": "constant", "learning_rate": 3e-3} | task
    return GenerativeConfig(
        items=ItemsConfig(max_length=6, layers=1, heads=2, dropout=0.1),
        decoder=DecoderConfig(width=16),
        recommendation=RecommendationConfig(**task),
    )


def learned(folder: Path, config: GenerativeConfig, validation: Any) -> tuple[dict[str, Any], list[dict[str, float]]]:
    """Return the facts and the log of a training."""
    (folder / "work").mkdir(parents=True)
    context = Context(seed=0, work=folder / "work")
    found = finetune_recommendation(folder, CODES, CORPUS, walks(40, 5)[0], config, context, validation=validation)
    lines = (folder / "work" / "train.log.jsonl").read_text().splitlines()
    return found, [json.loads(line) for line in lines]


def test_the_weights_that_rank_the_validation_items_best_are_kept(tmp_path: Path) -> None:
    """A learning rate that rises until it breaks what was learned; ir_measures scores the weights on disk."""
    rising = settings(learning_rate=1.0, warmup_ratio=0.99, evaluations=12, patience=12)
    histories, following = walks(40, 5)
    following[::7] = -1
    facts, log = learned(tmp_path, rising, following)
    scores = [record["valid_ndcg10"] for record in log if "valid_ndcg10" in record]
    assert len(scores) == 12 and scores[-1] < max(scores) > scores[0]
    found = rank_recommendation(tmp_path, CODES, CORPUS, histories, 10, rising, Context(seed=0, work=tmp_path)).items
    users = np.flatnonzero(following >= 0).tolist()
    expected = ir_ndcg([(u, int(following[u]), 1) for u in users], {u: found[u].tolist() for u in users})
    assert max(scores) == pytest.approx(expected, abs=1e-6) and facts["valid_ndcg10"] == round(max(scores), 5)
    assert facts["best_epoch"] == (1 + np.argmax(scores)) * 5 * 8 / 40


def test_training_ends_when_nothing_gets_better(tmp_path: Path) -> None:
    still = settings(learning_rate=1e-30, evaluations=12, patience=2)
    facts, log = learned(tmp_path, still, walks(40, 5)[1])
    assert log[-1]["step"] == 15 and facts["epochs"] == 3.0 and facts["best_epoch"] == 1.0


def test_evaluating_does_not_change_what_is_learned(tmp_path: Path) -> None:
    """The same losses at the same steps, with dropout: an evaluation draws no random number."""
    plain = learned(tmp_path / "plain", settings(), None)[1]
    evaluated = learned(tmp_path / "evaluated", settings(evaluations=6, patience=6), walks(40, 5)[1])[1]
    assert [record for record in evaluated if "loss" in record] == plain
    assert sum("valid_ndcg10" in record for record in evaluated) == 6
