"""PEFA-XS against a loop over items with plain numbers, and against the encoder alone."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_dual_encoder import corpus_of, queries_of

from benchmark.conformance import small_corpus
from benchmark.errors import BenchmarkError
from benchmark.methods.dual_encoder.judged import judged
from benchmark.methods.dual_encoder.retriever import DualEncoder
from benchmark.methods.pefa import PEFAXS, interpolated, mean_queries
from benchmark.types.data import QuerySet
from benchmark.types.method import Context

ENCODER = {"max_length": 16}
ASKED = ["red lamp", "something to clean with", "brush of brand1"]


def mixed_by_hand(texts, items, query_set, vectors, weight, positive_grade):
    """The definition, item by item: a query of an equal text is a query of the item, and counts once."""
    found = []
    for row, text in enumerate(texts):
        best: dict[str, int] = {}
        for query, item, grade in zip(query_set.query_rows, query_set.item_rows, query_set.grades, strict=True):
            if texts[item] == text:
                best[query_set.texts[query]] = max(best.get(query_set.texts[query], 0), grade)
        own = [vectors[query] for query, grade in best.items() if grade >= positive_grade]
        total = np.sum(own, axis=0) if own else np.zeros_like(items[row])
        length = np.sqrt((total**2).sum())
        found.append(weight * items[row] + (1 - weight) * total / length if length > 0 else items[row])
    return np.array(found)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_vectors_are_those_of_the_definition(data):
    n, n_queries = data.draw(st.integers(1, 6)), data.draw(st.integers(1, 5))
    texts = data.draw(st.lists(st.sampled_from("abcd"), min_size=n, max_size=n))
    words = data.draw(st.lists(st.sampled_from("wxyz"), min_size=n_queries, max_size=n_queries))
    judgment = st.tuples(st.integers(0, n_queries - 1), st.integers(0, n - 1), st.integers(0, 2))
    query_set = queries_of(words, [*data.draw(st.lists(judgment, max_size=12)), (0, 0, 2)])
    positive_grade, weight = data.draw(st.integers(1, 2)), data.draw(st.floats(0, 1))
    random = np.random.default_rng(data.draw(st.integers(0, 99)))
    of_text = {text: random.normal(size=5).astype(np.float32) for text in "abcdwxyz"}
    items = np.stack([of_text[text] for text in texts])
    pairs = judged(query_set, texts, positive_grade)
    means = mean_queries(pairs, np.stack([of_text[text] for text in pairs.queries]))
    expected = mixed_by_hand(texts, items, query_set, of_text, weight, positive_grade)
    np.testing.assert_allclose(interpolated(items, means, weight), expected, rtol=1e-4, atol=1e-5)


def fitted(corpus, queries, tmp_path, **chosen):
    method, context = PEFAXS(encoder=ENCODER, **chosen), Context(work=tmp_path)
    method.fit(corpus, queries, context)
    return method, context


def test_it_ranks_by_the_query_and_the_mixed_vectors(tmp_path):
    """A brute-force twin: the encoder's own vectors, mixed by the definition and sorted by inner product."""
    corpus = small_corpus()
    judgments = [(0, 3, 1), (1, 3, 2), (1, 7, 1), (2, 20, 1), (3, 20, 0)]
    queries = queries_of(["shining in the night", "bath time", "paint it", "unused"], judgments)
    method, context = fitted(corpus, queries, tmp_path, weight=0.3)
    encoder = DualEncoder(encoder=ENCODER, fine_tune=False)
    items = encoder.embed_items(corpus, None, Context(work=tmp_path))
    vectors = dict(zip(queries.texts, encoder.embed_queries(queries.texts), strict=True))
    scores = encoder.embed_queries(ASKED) @ mixed_by_hand(corpus.texts(), items, queries, vectors, 0.3, 1).T
    rankings = method.search(ASKED, 10)
    np.testing.assert_allclose(rankings.scores, -np.sort(-scores, axis=1)[:, :10], atol=1e-5)
    np.testing.assert_allclose(np.take_along_axis(scores, rankings.items, axis=1), rankings.scores, atol=1e-5)
    (note,) = context.facts["notes"]
    assert note.startswith("57 of 60 items have no training query")


def test_a_query_that_was_trained_on_finds_its_item_first(tmp_path):
    corpus = small_corpus()
    queries = queries_of(["a present for my aunt"], [(0, 11, 1)])
    assert fitted(corpus, queries, tmp_path, weight=0)[0].search(queries.texts, 1).items.tolist() == [[11]]
    assert fitted(corpus, queries, tmp_path, weight=1)[0].search(queries.texts, 1).items.tolist() != [[11]]


@pytest.mark.parametrize(
    ("queries", "weight", "notes"),
    [
        (None, 0.5, ["no training queries: every item is ranked by its own vector alone"]),
        (queries_of(["lamp"], [(0, 1, 0)]), 0.5, ["no training queries: every item is ranked by its own vector alone"]),
        (queries_of(["lamp"], [(0, 1, 1)]), 1, []),
    ],
)
def test_without_training_queries_or_weight_for_them_it_is_the_encoder_alone_and_says_so(
    tmp_path: Path, queries: QuerySet | None, weight: float, notes: list[str]
):
    corpus = small_corpus()
    method, context = fitted(corpus, queries, tmp_path, weight=weight)
    alone = DualEncoder(encoder=ENCODER, fine_tune=False)
    alone.fit(corpus, queries, Context(work=tmp_path))
    ours, expected = method.search(ASKED, 20), alone.search(ASKED, 20)
    np.testing.assert_array_equal(ours.items, expected.items)
    np.testing.assert_array_equal(ours.scores, expected.scores)
    assert context.facts.get("notes", []) == notes


def test_a_grade_that_no_judgment_has_is_refused_with_the_methods_own_setting(tmp_path):
    corpus = corpus_of(["lamp", "soap"])
    with pytest.raises(BenchmarkError, match=r"the highest is 1: lower pefa-xs\.positive_grade"):
        fitted(corpus, queries_of(["light"], [(0, 0, 1)]), tmp_path, positive_grade=2)
    with pytest.raises(BenchmarkError, match="search was called before fit"):
        PEFAXS().search(ASKED, 1)
