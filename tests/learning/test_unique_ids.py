"""Codes made unique in the last position, against brute force over all ways to give out the codes."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.learning.unique_ids import assigned, make_unique, place_new, transport
from benchmark.types.codes import Codes

SIZE = 6


def codes_of(rows: list[tuple[int, int]]) -> Codes:
    return Codes(np.array(rows, np.int32).reshape(-1, 2), (3, SIZE))


def distances_of(n: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).random((n, SIZE)).astype(np.float32)


ROWS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, SIZE - 1)), min_size=1, max_size=14)


@pytest.mark.parametrize("by", ["nearest", "sinkhorn"])
@given(rows=ROWS, seed=st.integers(0, 5))
def test_ids_are_unique_wherever_the_codes_suffice_and_only_last_codes_move(
    by: str, rows: list[tuple[int, int]], seed: int
) -> None:
    codes, distances = codes_of(rows), distances_of(len(rows), seed)
    unique = make_unique(codes, by, lambda asked: distances[asked])
    before, after = codes.values, unique.codes.values
    assert np.array_equal(before[:, 0], after[:, 0]) and unique.codes.sizes == codes.sizes
    assert unique.moved == (before[:, 1] != after[:, 1]).sum()
    crowded = 0
    for prefix in range(3):
        inside = before[:, 0] == prefix
        collide = len(np.unique(before[inside, 1])) < inside.sum()
        if not collide or inside.sum() > SIZE:
            assert np.array_equal(before[inside], after[inside])
            crowded += inside.sum() if collide else 0
        else:
            assert len(np.unique(after[inside, 1])) == inside.sum()
    assert unique.crowded == crowded


@given(rows=ROWS, seed=st.integers(0, 5))
def test_nearest_moves_each_later_item_to_the_closest_code_that_is_left(rows: list[tuple[int, int]], seed: int) -> None:
    codes, distances = codes_of(rows), distances_of(len(rows), seed)
    after = make_unique(codes, "nearest", lambda asked: distances[asked]).codes.values
    for prefix in range(3):
        inside = [row for row, (first, _) in enumerate(rows) if first == prefix]
        if len(inside) > SIZE:
            continue
        free = set(range(SIZE)) - {rows[row][1] for row in inside}
        kept: set[int] = set()
        for row in sorted(inside, key=lambda row: distances[row, rows[row][1]]):
            own = rows[row][1]
            if own in kept:
                own = min(free, key=lambda code: distances[row, code])
                free.remove(own)
            kept.add(rows[row][1])
            assert after[row, 1] == own


@given(n=st.integers(1, 5), seed=st.integers(0, 20))
def test_sinkhorn_gives_the_codes_out_almost_as_cheaply_as_can_be(n: int, seed: int) -> None:
    """Entropy of strength 0.01 costs at most a few hundredths of the spread for each item."""
    costs = distances_of(n, seed)
    found = assigned(costs)
    assert len(set(found.tolist())) == n
    best = min(sum(costs[row, code] for row, code in enumerate(way)) for way in permutations(range(SIZE), n))
    assert costs[np.arange(n), found].sum() <= best + 0.02 * n


@given(n=st.integers(1, SIZE), seed=st.integers(0, 20))
def test_the_plan_gives_each_item_once_and_no_code_more_than_once(n: int, seed: int) -> None:
    plan = np.exp(transport(distances_of(n, seed).astype(np.float64)))
    assert plan.sum(axis=1) == pytest.approx(np.ones(n), abs=1e-2)
    assert (plan.sum(axis=0) < 1.05).all()


def test_equal_distances_and_codes_without_a_place_are_served() -> None:
    """Copies of one text: only one code has a centroid, the others are as good as one another."""
    codes = codes_of([(0, 2)] * 4)
    distances = np.full((4, SIZE), np.inf, np.float32)
    distances[:, 2] = 0
    for by in ("nearest", "sinkhorn"):
        after = make_unique(codes, by, lambda asked: distances[asked]).codes.values
        assert len(np.unique(after[:, 1])) == 4 and 2 in after[:, 1]


def test_by_counter_nothing_moves_and_shorter_ids_stay() -> None:
    codes = codes_of([(0, 1), (0, 1), (1, -1), (1, -1)])
    assert make_unique(codes, "counter", lambda asked: pytest.fail("asked")).codes is codes
    after = make_unique(codes, "nearest", lambda asked: distances_of(4, 0)[asked]).codes.values
    assert after[2:].tolist() == [[1, -1], [1, -1]] and len(np.unique(after[:2, 1])) == 2


def test_new_items_take_what_is_free_behind_their_prefix_and_keep_codes_where_none_is() -> None:
    known, new = codes_of([(0, code) for code in range(4)] + [(1, 0)]), codes_of([(0, 3), (0, 5), (0, 1), (0, 0)])
    distances = np.zeros((4, SIZE), np.float32)
    distances[0] = [5, 4, 3, 0, 1, 2]
    placed = place_new(known, new, lambda asked: distances[asked]).values
    assert placed.tolist() == [[0, 4], [0, 5], [0, 1], [0, 0]]  # then all six are taken
