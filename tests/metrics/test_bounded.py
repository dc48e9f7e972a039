"""Intervals of rare hits against SciPy's exact ones, and the coverage that they promise."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from benchmark.metrics.bounded import bounded_differences, bounded_intervals, is_coarse, is_skewed

UNIT = [(0.0, 1.0)]


def hits(n: int, n_hits: int) -> np.ndarray:
    """Values [1, n, 1] with so many ones."""
    return (np.arange(n) < n_hits).astype(float)[None, :, None]


@pytest.mark.parametrize("n", [1, 5, 138])
def test_no_hit_and_no_miss_have_the_exact_limit(n: int) -> None:
    """(1 - p)^n = 0.025 at the limit; three seeds that agree tell no more than one."""
    for seeds in (1, 3):
        none = np.zeros((seeds, n, 1))
        assert bounded_intervals(none, UNIT)[:, 0] == pytest.approx([0, 1 - 0.025 ** (1 / n)])
        assert bounded_intervals(1 - none, UNIT)[:, 0] == pytest.approx([0.025 ** (1 / n), 1])


@pytest.mark.parametrize(("n", "n_hits"), [(138, 1), (100, 3), (100, 97), (22363, 2), (40, 20)])
def test_hits_and_misses_have_clopper_and_pearsons_interval(n: int, n_hits: int) -> None:
    expected = stats.binomtest(n_hits, n).proportion_ci(0.95, "exact")
    assert bounded_intervals(hits(n, n_hits), UNIT)[:, 0] == pytest.approx([expected.low, expected.high], rel=1e-9)


@pytest.mark.parametrize(("n", "n_hits"), [(138, 1), (100, 3), (400, 12), (40, 20)])
def test_the_draws_for_several_seeds_agree_with_it_where_seeds_are_alike(n: int, n_hits: int) -> None:
    expected = stats.binomtest(n_hits, n).proportion_ci(0.95, "exact")
    found = bounded_intervals(np.repeat(hits(n, n_hits), 2, axis=0), UNIT, draws=100_000)[:, 0]
    assert found == pytest.approx([expected.low, expected.high], rel=0.04)


def test_the_range_of_a_metric_scales_its_interval() -> None:
    """A rank between 1 and 21 that is 21 where nothing was found."""
    values = hits(100, 2)
    found = bounded_intervals(np.concatenate([values, 21 - 20 * values], axis=2), [(0.0, 1.0), (1.0, 21.0)])
    assert found[:, 1] == pytest.approx(21 - 20 * found[::-1, 0])


def test_measures_that_are_asked_together_have_the_intervals_that_they_have_alone() -> None:
    values = np.concatenate([hits(200, 3), hits(200, 3) * 0.5], axis=2)
    together = bounded_intervals(values, UNIT * 2)
    assert together[:, 0] == pytest.approx(bounded_intervals(values[:, :, :1], UNIT)[:, 0])
    assert bounded_intervals(values, UNIT * 2) == pytest.approx(together)


def test_seeds_that_differ_make_the_interval_longer() -> None:
    """The same mean, once from seeds that agree and once from seeds with 0, 3 and 24 hits."""
    alike, apart = (
        np.concatenate([hits(300, count) for count in counts]) for counts in ((9, 9, 9), (0, 3, 24))
    )  # fmt: skip
    lengths = [np.diff(bounded_intervals(values, UNIT)[:, 0])[0] for values in (alike, apart)]
    assert lengths[1] > 1.5 * lengths[0]


def rare(rng: np.random.Generator, n: int, p: float, seeds: int, shared: float, kind: str) -> np.ndarray:
    """Values [seeds, n]: hits with a probability that seeds vary by a fifth around p, some the same for all seeds."""
    of_seeds = p * np.where(seeds > 1, rng.uniform(0.65, 1.35, (seeds, 1)), 1.0)
    together = rng.random((1, n)) < shared
    hit = np.where(together, rng.random((1, n)), rng.random((seeds, n))) < of_seeds
    ranks = np.where(together, rng.integers(1, 11, (1, n)), rng.integers(1, 11, (seeds, n)))
    return hit * {"R": 1.0, "RR": 1 / ranks, "nDCG": 1 / np.log2(ranks + 1)}[kind]


SIZE = {"R": 1.0, "RR": np.mean(1 / np.arange(1, 11)), "nDCG": np.mean(1 / np.log2(np.arange(2, 12)))}


@pytest.mark.parametrize("kind", ["R", "RR", "nDCG"])
@pytest.mark.parametrize(("seeds", "shared"), [(1, 0.0), (3, 0.7), (5, 0.0)])
@pytest.mark.parametrize(("n", "p"), [(100, 0.005), (138, 0.01), (300, 0.02)])
def test_rare_hits_are_covered(n: int, p: float, seeds: int, shared: float, kind: str) -> None:
    """The nominal 95% hold at least 93% of 200 simulated means, less what 200 can tell (two standard errors)."""
    rng, covered = np.random.default_rng([n, seeds]), 0
    for _ in range(200):
        values = rare(rng, n, p, seeds, shared, kind)[:, :, None]
        low, high = bounded_intervals(values, UNIT, draws=1000)[:, 0]
        covered += low <= p * SIZE[kind] <= high
    assert covered / 200 >= 0.93 - 2 * (0.93 * 0.07 / 200) ** 0.5


def test_two_methods_without_a_hit_may_differ_by_what_neither_shows() -> None:
    none = np.zeros((2, 138, 1))
    limit = 1 - 0.025 ** (1 / 138)
    assert bounded_differences(none, none, UNIT)[:, 0] == pytest.approx([-limit, limit])
    low, high = bounded_differences(none, np.concatenate([hits(138, 6)] * 2), UNIT)[:, 0]
    assert low < -6 / 138 < high and high > -1 / 138


def test_differences_of_rare_hits_are_covered() -> None:
    rng, covered = np.random.default_rng(4), 0
    for _ in range(300):
        a, b = (rare(rng, 138, p, 3, 0.5, "R")[:, :, None] for p in (0.02, 0.01))
        low, high = bounded_differences(a, b, UNIT, draws=1000)[:, 0]
        covered += low <= 0.01 <= high
    assert covered / 300 >= 0.9


def test_skewed_means_are_those_of_few_hits_few_misses_or_equal_values() -> None:
    """25 equal hits have skewness 1/5 as their share goes to 0: of 2,000, 20 are too few and 30 are enough."""
    counts = [0, 20, 30, 1000, 1970, 1980, 2000]
    values = np.concatenate([hits(2000, count) for count in counts], axis=2)[0]
    assert is_skewed(values).tolist() == [True, True, False, False, False, True, True]


def test_coarse_means_are_of_one_seed_few_queries_and_nothing_but_ends() -> None:
    values = hits(200, 90)[:, :, 0]
    assert is_coarse(values, (0, 1)) and is_coarse(1 + 20 * values, (1, 21))
    assert not is_coarse(hits(400, 90)[:, :, 0], (0, 1)) and not is_coarse(values / 2, (0, 1))
    assert not is_coarse(np.concatenate([values] * 2), (0, 1))
