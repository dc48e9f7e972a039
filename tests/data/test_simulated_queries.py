"""Simulated known-item queries: whose words they hold, how often, and what never happens."""

import math
import re
from collections import Counter

import numpy as np
import pyarrow as pa
import pytest

from benchmark.conformance import small_corpus
from benchmark.data.simulate import SimulationConfig, joined, simulate, simulate_training, term_counts
from benchmark.types.data import Corpus

TEXTS = [
    ("Red mug", "A mug for tea, a mug for coffee", "Acme"),
    ("Blue mug", "For tea", None),
    ("Café chair", "Oak and <b>steel</b> chair; it's 80 cm", "Möbel"),
    ("Oak table", None, "Acme"),
    ("Lamp", None, None),
]


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    columns = [pa.array(list(column), pa.string()) for column in zip(*TEXTS, strict=True)]
    paths = pa.array([["Secret", "Path"]] * len(TEXTS))
    ids = pa.array([f"i{row}" for row in range(len(TEXTS))])
    return Corpus(pa.table([ids, *columns, paths], names=["id", "title", "description", "brand", "categories"]))


def words(row: int) -> list[str]:
    """The words of an item, by another road: Python's own regular expressions."""
    text = re.sub("<.*?>", " ", " ".join(part for part in TEXTS[row] if part)).lower()
    return [word for word in re.findall(r"[^\W_]+", text) if len(word) > 1 or word.isdigit()]


def queries_of(corpus: Corpus, split: str, seed: int = 0, **options: object) -> dict[int, list[list[str]]]:
    found = simulate(corpus, split, SimulationConfig(**options), seed=seed)
    by_item: dict[int, list[list[str]]] = {}
    for row, text in zip(found.item_rows.tolist(), found.texts, strict=True):
        by_item.setdefault(row, []).append(text.split(" "))
    return by_item


def test_terms_are_counted_as_pythons_regular_expressions_count_them(corpus):
    counts = term_counts(corpus.table)
    for row in range(len(TEXTS)):
        part = slice(counts.offsets[row], counts.offsets[row + 1])
        found = {counts.words[t]: n for t, n in zip(counts.terms[part], counts.counts[part], strict=True)}
        assert found == Counter(words(row))


@pytest.mark.parametrize("model", ["popular", "uniform", "discriminative", "popular-discriminative"])
def test_without_noise_every_word_is_the_items_own_and_none_comes_twice(corpus, model):
    for row, queries in queries_of(corpus, "train", model=model, noise=0.0, train_per_item=40).items():
        for query in queries:
            assert set(query) <= set(words(row))
            assert 1 <= len(query) == len(set(query))


def test_with_noise_words_come_from_the_collection_and_still_none_twice(corpus):
    queries = queries_of(corpus, "train", noise=1.0, train_per_item=200)
    assert all(len(query) == len(set(query)) for mine in queries.values() for query in mine)
    collection = {word for row in range(len(TEXTS)) for word in words(row)}
    assert {word for query in queries[4] for word in query} == collection
    assert "secret" not in collection and "title" not in collection


@pytest.mark.parametrize(
    ("model", "weight"),
    [
        ("popular", lambda n, share, rarity: n),
        ("uniform", lambda n, share, rarity: 1),
        ("discriminative", lambda n, share, rarity: 1 / share),
        ("popular-discriminative", lambda n, share, rarity: n * rarity),
    ],
)
def test_first_words_follow_the_models_probabilities(corpus, model, weight):
    everything = Counter(word for row in range(len(TEXTS)) for word in words(row))
    items_with = Counter(word for row in range(len(TEXTS)) for word in set(words(row)))
    own = Counter(words(0))
    weights = {
        word: weight(n, everything[word] / everything.total(), math.log(len(TEXTS) / items_with[word]))
        for word, n in own.items()
    }
    queries = queries_of(corpus, "train", model=model, noise=0.0, train_per_item=20_000)[0]
    first = Counter(query[0] for query in queries)
    for word, value in weights.items():
        assert first[word] / len(queries) == pytest.approx(value / sum(weights.values()), abs=0.015)


def test_lengths_are_poisson_but_at_least_one_and_at_most_the_items_words(corpus):
    queries = queries_of(corpus, "train", noise=0.0, mean_length=2.0, train_per_item=20_000)
    lengths = Counter(len(query) for query in queries[0])  # 7 different words: the tail above is negligible
    poisson = [math.exp(-2) * 2**k / math.factorial(k) for k in range(7)]
    for k in (2, 3, 4):
        assert lengths[k] / 20_000 == pytest.approx(poisson[k], abs=0.015)
    assert lengths[1] / 20_000 == pytest.approx(poisson[0] + poisson[1], abs=0.015)
    assert {len(query) for query in queries[4]} == {1}


def test_held_out_queries_never_have_the_words_of_a_training_query_of_their_item(corpus):
    train = queries_of(corpus, "train")
    for split in ("dev", "test"):
        for seed in range(20):
            train = queries_of(corpus, "train", seed=seed, noise=0.0)
            for row, (query,) in queries_of(corpus, split, seed=seed, noise=0.0).items():
                assert set(query) not in [set(known) for known in train[row]]
                assert row != 4  # one word allows no other query


def test_training_covers_every_item_and_held_out_sets_a_sample(corpus):
    assert {row: len(queries) for row, queries in queries_of(corpus, "train").items()} == dict.fromkeys(range(5), 5)
    assert len(simulate(corpus, "test", SimulationConfig(held_out=2, noise=0.0))) <= 2
    found = simulate(corpus, "train")
    assert found.name == "simulated" and set(found.grades.tolist()) == {1}
    assert found.query_rows.tolist() == list(range(len(found))) and len(set(found.ids)) == len(found)


def test_more_training_queries_begin_with_those_of_the_set():
    """Query n of an item is the same one, however many there are."""
    corpus = small_corpus(60)
    few, many = simulate(corpus, "train", seed=3), simulate_training(corpus, 12, seed=3)
    texts = dict(zip(many.ids, many.texts, strict=True))
    assert len(texts) == len(many)
    for name, text in zip(few.ids, few.texts, strict=True):
        assert texts[name] == text
    for name, row in zip(many.ids, many.item_rows.tolist(), strict=True):
        assert name.startswith(f"train-{row}-")


def test_no_further_training_query_has_the_words_of_its_items_held_out_query():
    """With 50 queries per item and few words, plain drawing would meet the held-out query again and again."""
    corpus = small_corpus(60)
    held_out = {(row, frozenset(text.split())) for split in ("dev", "test") for row, text in held_out_of(corpus, split)}
    many = simulate_training(corpus, 50, seed=3)
    pairs = [(row, frozenset(text.split())) for row, text in zip(many.item_rows.tolist(), many.texts, strict=True)]
    assert held_out and not held_out & set(pairs)
    plain = simulate(corpus, "train", SimulationConfig(train_per_item=50), seed=3)
    drawn = [(row, frozenset(text.split())) for row, text in zip(plain.item_rows.tolist(), plain.texts, strict=True)]
    assert held_out & set(drawn)
    assert sorted(map(str, pairs)) == sorted(str(pair) for pair in drawn if pair not in held_out)


def held_out_of(corpus: Corpus, split: str) -> list[tuple[int, str]]:
    found = simulate(corpus, split, seed=3)
    return list(zip(found.item_rows.tolist(), found.texts, strict=True))


def test_further_training_queries_are_as_many_per_item_as_asked_for_or_a_few_less():
    many = simulate_training(small_corpus(60), 20, seed=3)
    counts = np.bincount(many.item_rows, minlength=60)
    assert counts.max() == 20 and counts.mean() > 15
    assert many.query_rows.tolist() == list(range(len(many))) and set(many.grades.tolist()) == {1}


def test_joined_sets_judge_every_query_as_before(corpus):
    first, second = simulate(corpus, "train", seed=1), simulate(corpus, "test", seed=2)
    both = joined(first, second)

    def judgments(queries):
        rows = zip(queries.query_rows.tolist(), queries.item_rows.tolist(), queries.grades.tolist(), strict=True)
        return [(queries.ids[query], queries.texts[query], item, grade) for query, item, grade in rows]

    assert judgments(both) == judgments(first) + judgments(second) and len(both) == len(first) + len(second)
    assert both.name == first.name


def test_queries_repeat_with_the_seed_and_change_with_it_and_with_the_split(corpus):
    assert simulate(corpus, "train", seed=1).texts == simulate(corpus, "train", seed=1).texts
    assert simulate(corpus, "train", seed=1).texts != simulate(corpus, "train", seed=2).texts
    assert simulate(corpus, "dev", seed=1).texts != simulate(corpus, "test", seed=1).texts


def test_drawing_in_small_chunks_changes_nothing(corpus, monkeypatch):
    whole = simulate(corpus, "train").texts
    for chunk in (1, 7, 20):
        monkeypatch.setattr("benchmark.data.simulate.CHUNK", chunk)
        assert simulate(corpus, "train").texts == whole


def test_an_item_without_text_has_no_query_and_no_items_no_queries():
    columns = {"id": ["a", "b"], "title": pa.array([None, "one two three"], pa.string())}
    assert np.unique(simulate(Corpus(pa.table(columns)), "train").item_rows).tolist() == [1]
    empty = {"id": ["a"], "title": pa.array([None], pa.string())}
    assert len(simulate(Corpus(pa.table(empty)), "train")) == 0 == len(simulate(Corpus(pa.table(empty)), "test"))
