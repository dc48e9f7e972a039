"""General queries: only shared words, as often as the formula says, the same ones for the same seed."""

from collections import Counter
from math import log

import numpy as np
import pytest

from benchmark.data.simulate import TermCounts
from benchmark.generative.config import GeneralQueriesConfig
from benchmark.generative.general_queries import general_queries
from benchmark.types.arrays import Int32

HELD = ["red lamp", "red lamp", "blue lamp", "red soap", "green soap", "lone"]  # the words of every item
NEAR = np.array([[0, 1, 2], [1, 0, 2], [2, 0, 1], [3, 4, 0], [4, 3, 5], [5, 4, 3]], np.int32)
WORDS = ["blue", "green", "lamp", "lone", "red", "soap"]


def term_counts(texts: list[str]) -> TermCounts:
    rows = [sorted({WORDS.index(word) for word in text.split()}) for text in texts]
    offsets = np.cumsum([0, *map(len, rows)])
    terms = np.concatenate(rows).astype(np.int32)
    return TermCounts(WORDS, offsets.astype(np.int64), terms, np.ones(len(terms), np.int32))


def drawn(seed: int = 0, neighbours: Int32 = NEAR, **settings: float) -> list[tuple[int, str]]:
    config = GeneralQueriesConfig(**settings)  # type: ignore[arg-type]
    texts, items = general_queries(term_counts(HELD), neighbours, config, seed)
    return list(zip(items.tolist(), texts, strict=True))


def weights(item: int, shared: int) -> dict[str, float]:
    """n_i(t) log(N / df(t)), in plain Python."""
    near = [HELD[row].split() for row in NEAR[item]]
    df = Counter(word for text in HELD for word in text.split())
    counts = {word: sum(word in words for words in near) for word in WORDS}
    return {word: n * log(len(HELD) / df[word]) for word, n in counts.items() if n >= shared}


@pytest.mark.parametrize("shared", [1, 2])
def test_words_are_drawn_as_often_as_the_formula_says(shared: int) -> None:
    queries = drawn(per_item=1000, shared=shared, mean_length=1)
    for item in range(len(HELD)):
        found = Counter(text for asked, text in queries if asked == item)
        expected = weights(item, shared)
        assert set(found) == set(expected)
        for word, weight in expected.items():
            assert found[word] / 1000 == pytest.approx(weight / sum(expected.values()), abs=0.05)


def test_a_query_holds_no_word_twice_and_no_more_words_than_its_item_shares() -> None:
    queries = drawn(per_item=50, shared=2, mean_length=4)
    for item, text in queries:
        words = text.split()
        assert len(set(words)) == len(words) and set(words) <= set(weights(item, 2))
    assert {len(text.split()) for item, text in queries if item == 0} == {1, 2}


def test_an_item_that_shares_no_word_has_no_query_and_neither_has_a_word_that_all_items_hold() -> None:
    queries = drawn(per_item=4, shared=3)
    assert {item for item, _ in queries} == {0, 1, 2}  # lamp three times; red in two of their neighbours only
    assert {text for _, text in queries} == {"lamp"}
    everywhere = general_queries(term_counts(["red"] * 6), NEAR, GeneralQueriesConfig(per_item=2, shared=1), 0)
    assert everywhere[0] == [] and len(everywhere[1]) == 0


def test_queries_follow_the_seed() -> None:
    assert drawn(3, per_item=5, shared=1) == drawn(3, per_item=5, shared=1) != drawn(4, per_item=5, shared=1)
