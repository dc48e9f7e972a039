"""Coverage, Gini, novelty, popularity and diversity of what rankings show: by hand, by counting, by scipy."""

from itertools import combinations
from math import log2

import numpy as np
import pytest
from hypothesis import given
from hypothesis.strategies import integers
from scipy.stats import rankdata

from benchmark.metrics.beyond_accuracy import of_run, of_users, percentiles

PATHS = [("a", "x", "1"), ("a", "x", "2"), ("a", "y"), ("b",), ()]
EVENTS = np.array([8, 4, 4, 0, 0])


def test_two_users_and_five_items_by_hand() -> None:
    shown = np.array([[0, 1, 2], [3, 4, -1]])
    assert of_run(shown, 5) == {"coverage@10": 1.0, "item_gini@10": 0.0}
    found = of_users(shown, EVENTS, PATHS)
    # 16 events: an item of 8 has 1 bit, one of 4 has 2 bits, one of none counts as taken once: 4 bits
    assert found["novelty@10"].tolist() == pytest.approx([(1 + 2 + 2) / 3, 4])
    # percentiles: 8 events 0.9, 4 events (two items) 0.6, none (two items) 0.2
    assert found["popularity@10"].tolist() == pytest.approx([(0.9 + 0.6 + 0.6) / 3, 0.2])
    # a/x/1 and a/x/2 have 2 of 3 levels in common, each of them and a/y 1 of 3; the other user has one path only
    assert found["diversity@10"].tolist() == pytest.approx([1 - (2 / 3 + 1 / 3 + 1 / 3) / 3, np.nan], nan_ok=True)


def test_one_item_for_all_users_is_the_least_coverage_and_the_largest_gini() -> None:
    assert of_run(np.zeros((7, 1), np.int64), 4) == {"coverage@10": 0.25, "item_gini@10": pytest.approx(1 - 1 / 4)}


def test_a_user_who_is_shown_nothing_has_no_number_and_counts_for_no_item() -> None:
    shown = np.array([[-1, -1], [0, -1]])
    assert all(np.isnan(values[0]) for values in of_users(shown, EVENTS, PATHS).values())
    assert of_run(shown, 5)["coverage@10"] == 0.2


def test_without_events_or_paths_their_numbers_are_absent() -> None:
    shown = np.array([[0, 1]])
    assert set(of_users(shown, np.zeros(5, np.int64), PATHS)) == {"diversity@10"}
    assert set(of_users(shown, EVENTS, [()] * 5)) == {"novelty@10", "popularity@10"}


@given(seed=integers(0, 1000), n_items=integers(2, 30), n_users=integers(1, 12), k=integers(2, 6))
def test_every_number_is_a_count_one_by_one(seed: int, n_items: int, n_users: int, k: int) -> None:
    random = np.random.default_rng(seed)
    k = min(k, n_items)
    shown = np.array([random.permutation(n_items)[:k] for _ in range(n_users)])
    events = random.integers(0, 5, n_items)
    events[0] += 1
    paths = [tuple("pqr"[level] for level in random.integers(0, 2, random.integers(1, 4))) for _ in range(n_items)]
    times = [int((shown == item).sum()) for item in range(n_items)]
    run = of_run(shown, n_items)
    assert run["coverage@10"] == pytest.approx(sum(n > 0 for n in times) / n_items)
    differences = sum(abs(a - b) for a in times for b in times)
    assert run["item_gini@10"] == pytest.approx(differences / (2 * n_items * sum(times)))
    users = of_users(shown, events, paths)
    percentile = (rankdata(events) - 0.5) / n_items
    assert percentiles(events).tolist() == pytest.approx(percentile.tolist())
    for user, items in enumerate(shown):
        bits = [-log2(max(events[item], 1) / events.sum()) for item in items]
        assert users["novelty@10"][user] == pytest.approx(np.mean(bits))
        assert users["popularity@10"][user] == pytest.approx(np.mean(percentile[items]))
        alike = []
        for a, b in combinations([paths[item] for item in items], 2):
            same = [x == y for x, y in zip(a, b, strict=False)]
            alike.append([*same, False].index(False) / max(len(a), len(b)))
        assert users["diversity@10"][user] == pytest.approx(1 - np.mean(alike))


def test_items_drawn_at_random_are_of_middling_popularity() -> None:
    random = np.random.default_rng(0)
    events = random.zipf(1.5, 500)
    shown = np.array([random.permutation(500)[:10] for _ in range(2000)])
    assert of_users(shown, events, [()] * 500)["popularity@10"].mean() == pytest.approx(0.5, abs=0.01)
