"""Intervals of means of bounded values that are nearly all alike: rare hits, rare misses, all zeros.

The bootstrap draws from the values that were seen, so that it ends at 0 where no hit was seen and is too short where
few were. Gaffke's limits add one value that was not seen, at the end of the range:

    upper = 97.5% quantile of  sum_i D_i x_i + D_{n+1} high,      lower = 2.5% quantile of  sum_i D_i x_i + D_{n+1} low
    D ~ Dirichlet(1, .., 1) over the n queries and the added one

For values 0 and 1 the sums are Beta variables and the limits are those of Clopper and Pearson (Biometrika 1934): after
0 hits of n, [0, 1 - 0.025^(1/n)]; for one seed they are computed without draws. For graded values no sample is known to
break the coverage.
Source: Gaffke, Three test statistics for a nonparametric one-sided hypothesis on the mean of a nonnegative variable,
Mathematical Methods of Statistics 2005; Learned-Miller and Thomas, A new confidence interval for the mean of a bounded
random variable, 2019. Seeds are resampled as in the bootstrap, and every seed shares the added query.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from benchmark.metrics.significance import CHUNK, Float64, seed_weights

Ranges = Sequence[tuple[float, float]]  # the least and the largest value that each measure can have

SKEWED = 0.2  # of the mean: 25 equal hits; with RR, 80 hits (0.3) were covered by the bootstrap in 93%, 20 (0.6) in 87%
MANY = 300  # queries, from which on the steps of a mean of hits are fine enough for a bootstrap
DRAWS = 10_000
SEED = 0  # of all draws
TAIL = 0.025
HALVINGS = 52  # of the range of a share: what a float can tell


def is_skewed(values: Float64) -> NDArray[np.bool_]:
    """Say for each measure of values [queries, measures] whether the bootstrap of its mean cannot be relied on.

    The mean's skewness is sum d^3 / (sum d^2)^1.5 of the deviations d, 1 / sqrt(hits) where hits are few and equal.
    Values that are all equal have no skewness, and no bootstrap.
    """
    deviations = values - values.mean(axis=0)
    squares, cubes = (deviations**2).sum(axis=0), (deviations**3).sum(axis=0)
    return np.asarray((np.ptp(values, axis=0) == 0) | (np.abs(cubes) > SKEWED * squares**1.5))


def is_coarse(values: Float64, ends: tuple[float, float]) -> bool:
    """Say whether the mean of one measure's values [seeds, queries] takes too few values for a bootstrap.

    So it is with one seed, few queries and nothing but hits and misses: there a bootstrap covers 92% to 95%.
    """
    return len(values) == 1 and values.shape[1] < MANY and bool(np.isin(values, ends).all())


def bounded_intervals(values: Float64, ranges: Ranges, *, draws: int = DRAWS) -> Float64:
    """Return the 95% limits [2, measures] of the means of values [seeds, queries, measures]."""
    exact = [len(values) == 1 and bool(np.isin(values[0, :, i], ends).all()) for i, ends in enumerate(ranges)]
    limits = np.empty((2, len(ranges)))
    for i in np.flatnonzero(exact).tolist():
        low, high = ranges[i]
        limits[:, i] = low + np.array(clopper_pearson(int((values == high)[0, :, i].sum()), values.shape[1])) * (
            high - low
        )
    if not all(exact):
        drawn = np.flatnonzero(~np.array(exact))
        limits[:, drawn] = _drawn_intervals(values[:, :, drawn], [ranges[i] for i in drawn.tolist()], draws)
    return limits


def _drawn_intervals(values: Float64, ranges: Ranges, draws: int) -> Float64:
    low, high = np.array(ranges).T
    base = _base([values], low, high)
    (moved,), added = _draws([values - base], (0,), draws)
    return _limits(base + moved, added, low - base, high - base, values.shape[1], (values == base).all(axis=(0, 1)))


def clopper_pearson(hits: int, n: int) -> tuple[float, float]:
    """Return the exact 95% limits of a share of which `hits` of n were seen (Clopper and Pearson, Biometrika 1934)."""
    return _least_share(hits, n), 1 - _least_share(n - hits, n)


def _least_share(hits: int, n: int) -> float:
    """Return the share at which so many hits or more have probability TAIL; 0 where there are none."""
    if not hits:
        return 0.0
    logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, n + 1)))])  # of factorials
    counts = np.arange(hits, n + 1)
    ways = logs[n] - logs[counts] - logs[n - counts]
    low, high = 0.0, 1.0
    for _ in range(HALVINGS):
        share = (low + high) / 2
        more = np.exp(ways + counts * np.log(share) + (n - counts) * np.log1p(-share)).sum()
        low, high = (share, high) if more < TAIL else (low, share)
    return (low + high) / 2


def bounded_differences(a: Float64, b: Float64, ranges: Ranges, *, draws: int = DRAWS) -> Float64:
    """Return the 95% limits [2, measures] of mean(a) - mean(b), values [seeds, queries, measures] of the same queries.

    The added query has the largest difference that there can be. Seeds of a and b are resampled apart.
    """
    low, high = np.array(ranges).T
    base = _base([a, b], low, high)
    (of_a, of_b), added = _draws([a - base, b - base], (0, 1), draws)
    alike = (a == base).all(axis=(0, 1)) & (b == base).all(axis=(0, 1))
    return _limits(of_a - of_b, added, low - high, high - low, a.shape[1], alike)


def _base(tables: Sequence[Float64], low: Float64, high: Float64) -> Float64:
    """Return the end of each measure's range that most values are at [measures]."""
    at_low, at_high = (sum((table == end).sum(axis=(0, 1)) for table in tables) for end in (low, high))
    return np.where(at_low >= at_high, low, high)


def _draws(
    tables: Sequence[Float64], streams: Sequence[int], draws: int
) -> tuple[list[Float64], Float64]:  # fmt: skip
    """Return weighted means [draws, measures] of each table, and the weight of the added query [draws].

    Queries at which all tables are 0 add to no mean, so that their weights are drawn as one.
    """
    n = tables[0].shape[1]
    some = np.any([table.any(axis=(0, 2)) for table in tables], axis=0)
    tables, rest = [table[:, some] for table in tables], n - int(some.sum())
    of_seeds = [
        seed_weights(len(table), draws, seed=SEED, stream=s) for table, s in zip(tables, streams, strict=True)
    ]  # fmt: skip
    means = [np.empty((draws, table.shape[2])) for table in tables]
    added = np.empty(draws)
    rng, step = np.random.default_rng(SEED), max(1, CHUNK // max(1, n - rest))
    for start in range(0, draws, step):
        rows = slice(start, min(draws, start + step))
        n_rows = rows.stop - rows.start
        weights, last = rng.standard_gamma(1.0, (n_rows, n - rest)), rng.standard_gamma(1.0, n_rows)
        total = weights.sum(axis=1) + last + (rng.standard_gamma(rest, n_rows) if rest else 0.0)
        added[rows] = last / total
        for mean, table, of_table in zip(means, tables, of_seeds, strict=True):
            by_seed = np.tensordot(weights / total[:, None], table, axes=(1, 1))  # [rows, seeds, measures]
            mean[rows] = np.einsum("ds,dsm->dm", of_table[rows], by_seed)
    return means, added


def _limits(
    means: Float64, added: Float64, least: Float64, most: Float64, n: int, alike: NDArray[np.bool_]
) -> Float64:  # fmt: skip
    """Return the limits [2, measures]; where all values are alike the added query's weight is Beta(1, n): no draws."""
    weight = np.where(alike, 1 - TAIL ** (1 / n), added[:, None])
    lower = np.quantile(means + weight * least, TAIL, axis=0)
    upper = np.quantile(means + weight * most, 1 - TAIL, axis=0)
    return np.stack([lower, upper])
