"""Soft targets of search: the neighbours are those of plain formulas, and drawn as often as the softmax says."""

from math import log

import numpy as np
import pytest
import torch
from scipy.special import softmax

from benchmark.generative.config import NeighboursConfig
from benchmark.generative.neighbours import Compared, Neighbours
from benchmark.generative.reading import QueryExamples, Texts
from benchmark.generative.tokens import Ragged

RNG = np.random.default_rng(0)
WORDS = {n: [RNG.integers(0, 9, RNG.integers(0, 6)).tolist() for _ in range(n)] for n in (5, 20)}
TEXTS, ITEMS = (Compared(RNG.normal(size=(n, 6)).astype(np.float32), Ragged.from_rows(WORDS[n])) for n in (5, 20))
IDS = [f"i{row:02}" for row in range(20)]


def likeness(text: int, item: int, weight: float) -> float:
    """cos(v_q, v_d) + a cos(t_q, t_d), in plain Python."""

    def idf(word: int) -> float:
        n = sum(word in words for words in WORDS[20])
        return log(1 + (20 - n + 0.5) / (n + 0.5))

    def length(words: set[int]) -> float:
        return float(sum(idf(word) ** 2 for word in words) ** 0.5) or 1.0

    a, b = TEXTS.vectors[text].astype(float), ITEMS.vectors[item].astype(float)
    query, document = set(WORDS[5][text]), set(WORDS[20][item])
    shared = sum(idf(word) ** 2 for word in query & document)
    return float(a @ b / (a @ a * (b @ b)) ** 0.5) + weight * shared / length(query) / length(document)


def neighbours(**settings: float) -> Neighbours:
    return Neighbours.of(TEXTS, ITEMS, IDS, NeighboursConfig(**settings))  # type: ignore[arg-type]


@pytest.mark.parametrize("words", [0.0, 0.5, 5.0])
def test_the_neighbours_are_the_items_that_are_most_like_a_text_by_vectors_and_words(words: float) -> None:
    found = neighbours(share=1, count=4, words=words)
    for text in range(5):
        expected = sorted(range(20), key=lambda item: -likeness(text, item, words))[:4]
        assert found.items[text].tolist() == expected


def test_of_items_that_are_equally_near_the_greater_id_comes_first() -> None:
    equal = Compared(np.ones((20, 6), np.float32), Ragged.from_rows([[1, 2]] * 20))
    found = Neighbours.of(TEXTS, equal, IDS, NeighboursConfig(count=3))
    assert found.items.tolist() == [[19, 18, 17]] * 5


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_targets_are_drawn_as_often_as_the_share_and_the_softmax_say(share: float) -> None:
    torch.manual_seed(0)
    found = neighbours(share=share, count=4, temperature=0.3, words=0.5)
    own = next(item for item in range(20) if item not in found.items[2])
    drawn = found.draw(np.full(20_000, 2), np.full(20_000, own))
    expected = np.zeros(20)
    likenesses = np.array([likeness(2, item, 0.5) for item in found.items[2]])
    expected[found.items[2]] = share * softmax(likenesses / 0.3)
    expected[own] = 1 - share
    np.testing.assert_allclose(np.bincount(drawn, minlength=20) / 20_000, expected, atol=0.015)


def test_there_are_no_more_neighbours_than_items_and_a_cold_temperature_takes_the_nearest() -> None:
    found = neighbours(share=1, count=50, temperature=1e-6)
    assert found.items.shape == (5, 20)
    assert found.draw(np.arange(5), np.zeros(5, np.int64)).tolist() == found.items[:, 0].tolist()


def test_an_example_draws_from_the_neighbours_of_its_text_and_follows_the_seed() -> None:
    texts = Texts(None, Ragged.from_rows([[row] for row in range(5)]))
    found = neighbours(share=1, count=3, temperature=5.0)
    examples = QueryExamples(texts, np.array([4, 0, 0, 2]), np.full(4, 7), 0.0, found)

    def items(seed: int) -> list[int]:
        torch.manual_seed(seed)
        drawn: list[int] = examples.batch(np.array([0, 1, 3] * 30), torch.device("cpu")).items.tolist()
        return drawn

    drawn = np.array(items(0)).reshape(30, 3)
    for column, text in enumerate((4, 0, 2)):
        assert set(drawn[:, column]) == set(found.items[text].tolist())
    assert items(0) == items(0) != items(1)


def test_the_word_pieces_stay_as_they_were() -> None:
    before = TEXTS.words.values.copy()
    neighbours(share=1)
    np.testing.assert_array_equal(TEXTS.words.values, before)
