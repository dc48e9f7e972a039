"""Soft targets of search: the neighbours are those of plain numpy, and drawn as often as the softmax says."""

import numpy as np
import pytest
import torch
from scipy.special import softmax

from benchmark.generative.config import NeighboursConfig
from benchmark.generative.neighbours import Neighbours
from benchmark.generative.reading import QueryExamples, Texts
from benchmark.generative.tokens import Ragged

RNG = np.random.default_rng(0)
TEXTS, ITEMS = (RNG.normal(size=(n, 6)).astype(np.float32) for n in (5, 20))
IDS = [f"i{row}" for row in range(20)]


def neighbours(**settings: float) -> Neighbours:
    return Neighbours.of(TEXTS, ITEMS, IDS, NeighboursConfig(**settings))  # type: ignore[arg-type]


def test_the_neighbours_are_the_items_of_the_largest_inner_products() -> None:
    found = neighbours(share=1, count=4)
    np.testing.assert_array_equal(found.items, np.argsort(-(TEXTS @ ITEMS.T), axis=1)[:, :4])


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_targets_are_drawn_as_often_as_the_share_and_the_softmax_say(share: float) -> None:
    torch.manual_seed(0)
    found = neighbours(share=share, count=4, temperature=2.0)
    own = 19 if 19 not in found.items[2] else 18
    assert own not in found.items[2]
    drawn = found.draw(np.full(20_000, 2), np.full(20_000, own))
    expected = np.zeros(20)
    expected[found.items[2]] = share * softmax((TEXTS[2] @ ITEMS.T)[found.items[2]] / 2.0)
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
        return examples.batch(np.array([0, 1, 3] * 30), torch.device("cpu")).items.tolist()  # type: ignore[no-any-return]

    drawn = np.array(items(0)).reshape(30, 3)
    for column, text in enumerate((4, 0, 2)):
        assert set(drawn[:, column]) == set(found.items[text].tolist())
    assert items(0) == items(0) != items(1)
