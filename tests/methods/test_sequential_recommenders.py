"""The recommenders end to end: they learn what popularity cannot, stop at their best, survive kills and odd data."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sequential_parts import METHODS, corpus_of, histories_of

from benchmark.cli.main import main
from benchmark.config import build_config, load_presets, load_trials
from benchmark.data.dataset import open_dataset
from benchmark.data.splits import leave_one_out
from benchmark.errors import BenchmarkError, ConfigError
from benchmark.methods.popularity import Popularity, PopularityConfig
from benchmark.methods.sequential.fdsa import item_features
from benchmark.methods.sequential.item_knn import ItemKNN
from benchmark.registry import find, source_file
from benchmark.types.arrays import Int32
from benchmark.types.data import Histories
from benchmark.types.facts import Facts
from benchmark.types.method import Context, Recommender

N = 30  # items of the toy catalogue
FOLLOWS = np.random.default_rng(3).permutation(N)  # the next item, given the last one
QUICK: dict[str, Any] = {
    "max_length": 8, "embedding_size": 16,
    "training": {"epochs": 60, "batch_size": 64, "learning_rate": 0.01, "evaluate_epochs": 5, "patience": 2},
}  # fmt: skip
ALIKE: dict[str, Any] = {"inner_size": 32, "dropout": 0.1}
SETTINGS: dict[str, dict[str, Any]] = {
    "sasrec": QUICK | ALIKE,
    "bert4rec": QUICK | ALIKE | {"training": QUICK["training"] | {"epochs": 120, "evaluate_epochs": 10}},
    "fdsa": QUICK | ALIKE,
    "hgn": QUICK,
    "gru4rec": QUICK | {"hidden_size": 32, "dropout": 0.1},
}
CORPUS = corpus_of(N, brand=[f"brand{row % 3}" for row in range(N)])


def walks(n: int, seed: int) -> tuple[Histories, Int32]:
    """Return histories in which every item follows from the one before it, and what comes next."""
    random = np.random.default_rng(seed)
    sequences = []
    for length in random.integers(2, 8, n):
        sequence = [int(random.integers(N))]
        while len(sequence) < length:
            sequence.append(int(FOLLOWS[sequence[-1]]))
        sequences.append(sequence)
    return histories_of(sequences), FOLLOWS[[sequence[-1] for sequence in sequences]].astype(np.int32)


HISTORIES, NEXT = walks(300, 0)


def fitted(name: str, work: Path, context: dict[str, Any] | None = None, **settings: Any) -> Recommender[Any]:
    """Fit a method on the walks; `context` may change the context."""
    work.mkdir(exist_ok=True)
    made = Context(**{"seed": 1, "work": work} | (context or {}))
    method = METHODS[name](build_config(METHODS[name].Config, preset=SETTINGS[name] | settings))
    method.fit(CORPUS, HISTORIES, NEXT, made)
    return method


def first_hits(method: Recommender[Any], histories: Histories, targets: Int32) -> float:
    return float((method.recommend(histories, 1).items[:, 0] == targets).mean())


@pytest.mark.parametrize("loss", ["full", "sampled"])
@pytest.mark.parametrize("name", sorted(METHODS))
def test_what_follows_from_the_last_item_is_learned(name: str, loss: str, tmp_path: Path) -> None:
    """On walks of other users too; popularity hardly ever hits.

    HGN knows the order by its gates only; BERT4Rec learns from few of its masked positions that the last item decides
    (0.91 to 1.0 over seeds and processors).
    """
    others, targets = walks(200, 9)
    others = Histories([f"new{user}" for user in others.users], others.offsets, others.items)
    method = fitted(name, tmp_path, loss=loss, negatives=64)
    assert first_hits(method, others, targets) > (0.85 if name in ("hgn", "bert4rec") else 0.95)
    popularity = Popularity(PopularityConfig())
    popularity.fit(CORPUS, HISTORIES, NEXT, Context(seed=0, work=tmp_path))
    assert first_hits(popularity, others, targets) < 0.2


class Killed(Exception):
    pass


@pytest.mark.parametrize("name", sorted(METHODS))
def test_a_killed_fit_ends_with_the_same_rankings(name: str, tmp_path: Path) -> None:
    """Killed behind the first evaluation and once more, with checkpoints at every step; sampled negatives are drawn."""

    def dying(after: int) -> Any:
        def progress(iterable: Iterable[Any], title: str, total: int | None = None) -> Iterable[Any]:
            for step, element in enumerate(iterable):
                if step == after:
                    raise Killed
                yield element

        return progress

    training = QUICK["training"] | {"epochs": 6, "evaluate_epochs": 2, "checkpoint_seconds": 0}
    settings: dict[str, Any] = {"loss": "sampled", "negatives": 32, "training": training}
    whole = fitted(name, tmp_path / "whole", **settings).recommend(HISTORIES, 10)
    for after in (13, 3):
        with pytest.raises(Killed):
            fitted(name, tmp_path / "killed", {"progress": dying(after)}, **settings)
    resumed = fitted(name, tmp_path / "killed", **settings).recommend(HISTORIES, 10)
    assert np.array_equal(whole.items, resumed.items) and np.array_equal(whole.scores, resumed.scores)


def test_the_model_is_that_of_the_best_validation_score(tmp_path: Path) -> None:
    """A learning rate that ruins the model in the end; nDCG@10 of its rankings is the best in the log."""
    facts = Facts()
    training = QUICK["training"] | {"learning_rate": 0.3, "evaluate_epochs": 1, "epochs": 30, "patience": 4}
    method = fitted("sasrec", tmp_path, {"facts": facts}, training=training)
    log = [json.loads(line) for line in (tmp_path / "sequence.log.jsonl").read_text().splitlines()]
    scores = [record["valid_ndcg10"] for record in log if "valid_ndcg10" in record]
    ranked = method.recommend(HISTORIES, 10).items.tolist()
    gains = [1 / np.log2(row.index(item) + 2) if item in row else 0 for row, item in zip(ranked, NEXT, strict=True)]
    assert np.mean(gains) == pytest.approx(max(scores), abs=1e-6) and scores[-1] < max(scores)
    assert len(scores) - 1 - scores.index(max(scores)) == 4
    assert facts["valid_ndcg10"] == pytest.approx(max(scores), abs=1e-5) and facts["parameters"] > 0
    assert facts["best_epoch"] < facts["epochs"] <= 30


@pytest.mark.parametrize("name", sorted(METHODS))
@pytest.mark.parametrize("rule", ["keep", "exclude", "zero"])
def test_odd_users_are_served(name: str, rule: str, tmp_path: Path) -> None:
    """No history: the most popular items. One item, a stranger, an item never trained on, more items than are read."""
    settings = {"history": rule, "training": {"epochs": 1}}
    method = METHODS[name](build_config(METHODS[name].Config, preset=SETTINGS[name] | settings))
    train = histories_of([[0, 1, 2], [2, 1], [2], [], [4, 2, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]])
    method.fit(CORPUS, train, np.full(5, -1, np.int32), Context(seed=0, work=tmp_path))
    tested = histories_of([[], [3], [29, 28], list(range(20))])
    tested = Histories(["u3", "u1", "stranger", "u0"], tested.offsets, tested.items)
    rankings = method.recommend(tested, 40)
    assert rankings.items.shape == (4, N) and rankings.items[0, :2].tolist() == [2, 1]
    for row in range(4):
        own, ranked = set(tested[row].tolist()), set(rankings.items[row].tolist()) - {-1}
        assert ranked == (set(range(N)) - own if rule == "exclude" else set(range(N)))
        if rule == "zero":
            scores = dict(zip(rankings.items[row].tolist(), rankings.scores[row].tolist(), strict=True))
            assert all(scores[item] == 0 for item in own)
    assert method.recommend(histories_of([[]]), 2).items.tolist() == [[2, 1]]  # nobody with a history beside it


def test_a_context_serves_several_fits(tmp_path: Path) -> None:
    """Each learns from its own start and data, not from what an earlier one left in the context's folder."""
    context = Context(seed=0, work=tmp_path / "shared")
    context.work.mkdir()
    backwards = Histories(HISTORIES.users, HISTORIES.offsets, HISTORIES.items[::-1].copy())

    def ranked(name: str, histories: Histories, used: Context) -> list[list[int]]:
        settings = SETTINGS[name] | {"training": QUICK["training"] | {"epochs": 2}}
        method = METHODS[name](build_config(METHODS[name].Config, preset=settings))
        method.fit(CORPUS, histories, np.full(len(histories), -1, np.int32), used)
        rankings: list[list[int]] = method.recommend(HISTORIES.select(np.arange(20)), 5).items.tolist()
        return rankings

    for number, (name, histories) in enumerate([("sasrec", HISTORIES), ("gru4rec", HISTORIES), ("sasrec", backwards)]):
        (alone := tmp_path / str(number)).mkdir()
        assert ranked(name, histories, context) == ranked(name, histories, Context(seed=0, work=alone))


def test_histories_without_any_sequence_are_refused(tmp_path: Path) -> None:
    method = METHODS["sasrec"]()
    with pytest.raises(BenchmarkError, match="no user has two training events"):
        method.fit(CORPUS, histories_of([[1], [], [2]]), np.array([1, 2, 3], np.int32), Context(seed=0, work=tmp_path))


@pytest.mark.parametrize("name", ["sasrec", "bert4rec", "fdsa"])
def test_heads_that_do_not_divide_the_embedding_are_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="heads: must divide"):
        fitted(name, tmp_path, heads=3)


def test_features_are_brands_and_category_words_below_a_common_top() -> None:
    paths = [["All", "b", "c"], ["All", "b"], ["All"], []]
    corpus = corpus_of(4, brand=["b", None, "x", ""], categories=paths)
    table, names = item_features(corpus, ("brand", "categories"))
    assert names == ["b", "c", "x"] and table.tolist() == [[0, 1], [0, 3], [2, 3], [3, 3]]
    flat = corpus_of(3, categories=[["a"], ["b"], ["a"]])
    assert item_features(flat, ("brand", "categories"))[1] == ["a", "b"]
    with pytest.raises(BenchmarkError, match="fdsa: no item has a feature"):
        item_features(corpus_of(2, categories=[["All"], ["All"]]), ("brand", "categories"))


@pytest.mark.parametrize("name", sorted(METHODS))
def test_the_published_preset_is_the_protocol_of_s3_rec(name: str) -> None:
    presets = load_presets(source_file(find("method", name)), name)
    configs = {preset: build_config(METHODS[name].Config, preset=values) for preset, values in presets.items()}
    config: Any = configs["published"]
    training = config.training
    assert (config.max_length, config.embedding_size, config.history, config.events) == (50, 64, "zero", "recent")
    assert (training.batch_size, training.learning_rate, training.epochs, training.weight_decay) == (256, 1e-3, 200, 0)
    assert set(presets) >= {"tiny", "small"}
    if name in ("sasrec", "fdsa"):
        assert (config.layers, config.heads, config.dropout, config.positions) == (2, 2, 0.5, "from-end")


def test_the_tuned_presets_share_their_budget_and_the_published_protocol() -> None:
    budgets = set()
    for name in (*METHODS, "item-knn"):
        source = source_file(find("method", name))
        presets = load_presets(source, name)
        budgets.add(load_trials(source, name)["tuned"])
        published, tuned = presets["published"], presets["tuned"]
        assert {key: tuned[key] for key in ("events", "history") if key in published} == {
            key: published[key] for key in ("events", "history") if key in published
        }
        assert tuned.keys() - published.keys() <= {"embedding_size", "inner_size", "dropout", "neighbours"}
    assert len(budgets) == 1 and budgets.pop() > 0


def test_targets_and_metrics_are_those_of_the_raw_files(shop: Path, tmp_path: Path) -> None:
    """Leave-one-out and R@5 by hand, from sequences.txt and the TREC run that a command leaves behind."""
    raw = {line.split()[0]: line.split()[1:] for line in (shop / "sequences.txt").read_text().splitlines()}
    data = open_dataset(str(shop), cache=tmp_path)
    split, ids = leave_one_out(data.histories()), data.corpus().ids
    for user, sequence in enumerate(raw.values()):
        assert [ids[item] for item in split.train[user]] == sequence[:-2]
        assert [ids[item] for item in split.test_inputs[user]] == sequence[:-1]
        assert (ids[split.validation[user]], ids[split.test_targets[user]]) == (sequence[-2], sequence[-1])
    words = ["run", "--methods", "sasrec", "--dataset", str(shop), "--tasks", "recommendation", "--preset", "tiny"]
    assert main([*words, "--set", "sasrec.training.epochs=2", "--runs", str(tmp_path / "runs")]) == 0
    folder = next((tmp_path / "runs" / "shop" / "sasrec").rglob("result.json")).parent
    ranked: dict[str, list[str]] = {}
    for line in (folder / "run.recommendation.trec").read_text().splitlines():
        ranked.setdefault(line.split()[0], []).append(line.split()[2])
    hits = [sequence[-1] in ranked[user][:5] for user, sequence in raw.items()]
    metrics = json.loads((folder / "result.json").read_text())["metrics"]["recommendation"]
    assert metrics["R@5"] == pytest.approx(np.mean(hits), abs=1e-6)


def test_item_neighbours_learn_what_is_taken_together_but_no_order(tmp_path: Path) -> None:
    method = ItemKNN()
    method.fit(CORPUS, HISTORIES, NEXT, Context(seed=0, work=tmp_path))
    found = method.recommend(HISTORIES, 5).items
    assert (found == NEXT[:, None]).any(1).mean() > 0.5


def test_training_twice_gives_the_same_weights(tmp_path: Path) -> None:
    settings = {"training": QUICK["training"] | {"epochs": 2}}
    models = [fitted("hgn", tmp_path / run, **settings)._model.network.state_dict() for run in ("a", "b")]
    assert all(torch.equal(models[0][key], models[1][key]) for key in models[0])
