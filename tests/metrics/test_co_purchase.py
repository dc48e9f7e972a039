"""Agreement of prefixes with co-purchase: against double loops over the pairs, and where it must be 1 or absent."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.metrics.co_purchase import co_purchase, neighbours
from benchmark.metrics.id_quality import id_quality, prefix_groups
from benchmark.types.codes import Codes
from benchmark.types.data import Histories


def histories(*rows):
    offsets = np.cumsum([0, *map(len, rows)])
    items = np.array([item for row in rows for item in row], np.int32)
    return Histories([f"u{number}" for number in range(len(rows))], offsets.astype(np.int64), items)


def by_loops(ids, rows):
    """Share, chance and lift from the definition: every pair of ends, drawn until the two items differ."""
    pairs = [(a, b) for row in rows for a, b in pairwise(row) if a != b]
    ends = [item for pair in pairs for item in pair]
    draws = [(a, b) for a in ends for b in ends if a != b]
    share = sum(ids[a] == ids[b] for a, b in pairs) / len(pairs)
    chance = sum(ids[a] == ids[b] for a, b in draws) / len(draws)
    return share, chance


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 9), max_size=6), max_size=6),
    st.integers(0, 10_000),
)
def test_share_chance_and_lift_follow_the_definition(rows, seed):
    values = np.random.default_rng(seed).integers(0, 3, (10, 3)).astype(np.int32)
    metrics = co_purchase(prefix_groups(values), histories(*rows))
    pairs = sum(a != b for row in rows for a, b in pairwise(row))
    assert metrics["co_purchase_pairs"] == pairs
    for depth in (1, 2, 3):
        if not pairs:
            assert f"co_purchase@{depth}" not in metrics
            continue
        share, chance = by_loops([tuple(row[:depth]) for row in values.tolist()], rows)
        assert metrics[f"co_purchase@{depth}"] == pytest.approx(share)
        assert metrics[f"co_purchase@{depth} (chance)"] == pytest.approx(chance, abs=1e-15)
        if chance > 0:
            assert metrics[f"co_purchase_lift@{depth}"] == pytest.approx(share / chance)
        else:
            assert f"co_purchase_lift@{depth}" not in metrics


def test_steps_stay_inside_a_user_and_repeats_are_left_out():
    left, right = neighbours(histories([], [3], [1, 1, 2], [], [5, 4], []))
    assert list(zip(left.tolist(), right.tolist(), strict=True)) == [(1, 2), (5, 4)]


def test_shuffled_codes_have_lift_one_and_codes_of_the_buyers_a_large_one():
    rng = np.random.default_rng(0)
    taste = np.repeat(np.arange(20), 50)  # 20 tastes of 50 items; a user buys within one
    rows = [rng.choice(np.flatnonzero(taste == user % 20), 8) for user in range(2000)]
    values = np.column_stack([taste, rng.permutation(taste)]).astype(np.int32)
    metrics = id_quality(Codes(values, (20, 20)), [()] * 1000, histories(*rows))
    assert metrics["co_purchase@1"] == 1
    assert metrics["co_purchase_lift@1"] == pytest.approx(1000 / 50, rel=0.05)
    shuffled = Codes(rng.permutation(values), (20, 20))
    assert id_quality(shuffled, [()] * 1000, histories(*rows))["co_purchase_lift@1"] == pytest.approx(1, abs=0.1)


def test_ids_that_are_all_different_share_nothing_and_have_no_lift():
    values = np.arange(6, dtype=np.int32)[:, None]
    metrics = co_purchase(prefix_groups(values), histories([0, 1, 2], [3, 4, 5, 0]))
    assert metrics["co_purchase@1"] == metrics["co_purchase@1 (chance)"] == 0
    assert "co_purchase_lift@1" not in metrics


def test_without_histories_there_are_no_co_purchase_keys():
    values = np.arange(6, dtype=np.int32)[:, None]
    assert not [name for name in id_quality(Codes(values, (6,)), [()] * 6) if name.startswith("co_purchase")]
