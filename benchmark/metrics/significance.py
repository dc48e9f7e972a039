"""Intervals and paired tests for the tables, in NumPy alone (a report must not wait for SciPy).

* `mean_interval`: mean over seeds with the 95% interval of Student's t.
* `bootstrap_interval`, `bootstrap_draws`: mean over seeds x queries, both resampled (percentile bootstrap); where
  hits are rare it is too short, see `benchmark.metrics.bounded`.
* `paired_randomization_test`: Fisher's test on paired per-query values; under the null hypothesis each difference is
  as likely to have either sign (Smucker, Allan and Carterette, CIKM 2007). Two-sided, on |mean difference|.
* `holm`: Holm's step-down correction for several tests (Scandinavian Journal of Statistics 1979).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from benchmark.errors import BenchmarkError

Float64 = NDArray[np.float64]

SAMPLES = 1_000  # bootstrap resamples
FLIPS = 2_000  # random sign vectors of one test: p is resolved to 1 / 2,001
MAX_QUERIES = 50_000  # beyond it the test takes the normal limit of the same distribution
CHUNK = 4_000_000  # signs, or weights of queries, held at once


@dataclass(frozen=True)
class Interval:
    """A mean and half the width of its 95% interval; None where a single value allows none."""

    mean: float
    half_width: float | None
    n: int


def mean_interval(values: Sequence[float]) -> Interval:
    """Return the mean over seeds with its 95% t interval."""
    if not len(values):
        raise BenchmarkError("an interval needs at least one value")
    n, mean = len(values), math.fsum(values) / len(values)
    if n == 1:
        return Interval(mean, None, 1)
    deviation = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (n - 1))
    return Interval(mean, t_quantile(n - 1) * deviation / math.sqrt(n), n)


def t_quantile(df: int, probability: float = 0.975) -> float:
    """Return the quantile (above the median) of Student's t with whole degrees of freedom, by bisection."""
    low, high = 0.0, 1.0
    while _t_cdf(high, df) < probability:
        high *= 2
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if _t_cdf(middle, df) < probability else (low, middle)
    return (low + high) / 2


def _t_cdf(t: float, df: int) -> float:
    """Distribution function at t >= 0 by its finite series (Abramowitz and Stegun, 26.7.3 and 26.7.4)."""
    angle = math.atan(t / math.sqrt(df))
    term, total = (math.cos(angle), 0.0) if df % 2 else (1.0, 0.0)
    for j in range(1 if df % 2 else 0, df - 1, 2):
        total += term
        term *= math.cos(angle) ** 2 * (j + 1) / (j + 2)
    within = 2 / math.pi * (angle + math.sin(angle) * total) if df % 2 else math.sin(angle) * total
    return 0.5 + within / 2


def bootstrap_interval(values: ArrayLike, seed: int = 0, samples: int = SAMPLES) -> tuple[float, float, float]:
    """Return (mean, low, high) of values [seeds, queries]: the 95% interval over resampled seeds and queries."""
    table = np.atleast_2d(np.asarray(values, np.float64))
    if table.ndim != 2:
        raise BenchmarkError(f"the bootstrap needs values [seeds, queries], not shape {table.shape}")
    (draws,) = bootstrap_draws([table[:, :, None]], seed=seed, samples=samples)
    low, high = np.quantile(draws[:, 0], (0.025, 0.975))
    return float(table.mean()), float(low), float(high)


def bootstrap_draws(
    tables: Sequence[Float64], *, streams: Sequence[int] | None = None, seed: int = 0, samples: int = SAMPLES
) -> list[Float64]:
    """Return resampled means [samples, measures] of each table [seeds, queries, measures] of the same queries.

    Queries are resampled jointly for all tables, so that draws of two tables may be subtracted; seeds are resampled by
    the table's stream (default 0): tables of independent seeds whose draws meet take different streams. Which other
    tables there are changes a table's draws by no more than rounding.
    """
    means = resampled_means(tables, seed=seed, samples=samples)
    return [
        over_seeds(of_seeds, stream=stream, seed=seed)
        for of_seeds, stream in zip(means, streams or [0] * len(tables), strict=True)
    ]


def resampled_means(tables: Sequence[Float64], *, seed: int = 0, samples: int = SAMPLES) -> list[Float64]:
    """Return each seed's means over resampled queries [samples, seeds, measures]; queries are resampled jointly."""
    n = tables[0].shape[1] if tables else 0
    if any(table.ndim != 3 or not table.size or table.shape[1] != n for table in tables):
        shapes = ", ".join(str(table.shape) for table in tables)
        raise BenchmarkError(f"the bootstrap needs values [seeds, queries, measures] of the same queries, not {shapes}")
    columns = [np.ascontiguousarray(np.moveaxis(table, 1, 0).reshape(n, -1)) for table in tables]
    wide = np.concatenate(columns, axis=1) if tables else np.empty((n, 0))  # [queries, sum of seeds x measures]
    some = wide.any(axis=1)  # the others add 0 to every mean
    wide = wide[some]
    resampled = np.empty((samples, wide.shape[1]))
    rng, step = np.random.default_rng(seed), max(1, CHUNK // max(n, 1))
    for start in range(0, samples, step):
        rows = min(step, samples - start)
        times = np.stack([np.bincount(rng.integers(n, size=n), minlength=n)[some] for _ in range(rows)])
        resampled[start : start + rows] = times.astype(np.float64) @ wide / n
    ends = np.cumsum([table.shape[0] * table.shape[2] for table in tables])[:-1]
    parts = np.split(resampled, ends, axis=1) if tables else []
    return [part.reshape(samples, len(table), -1) for part, table in zip(parts, tables, strict=True)]


def over_seeds(means: Float64, *, stream: int, seed: int = 0) -> Float64:
    """Return means over resampled seeds [samples, measures] of each seed's means [samples, seeds, measures]."""
    samples, seeds, _ = means.shape
    return np.asarray(np.einsum("ds,dsm->dm", seed_weights(seeds, samples, seed=seed, stream=stream), means))


def seed_weights(seeds: int, samples: int, *, seed: int, stream: int) -> Float64:
    """Return how often each seed is drawn [samples, seeds], as shares.

    Of k > 1 seeds k - 1 are resampled: their mean then has the variance s^2 / k of a mean of seeds, not the (k - 1) / k
    of it that a resample of k has (Rao and Wu, JASA 1988).
    """
    drawn = max(1, seeds - 1)
    times = np.random.default_rng([seed, stream, seeds]).multinomial(drawn, [1 / seeds] * seeds, size=samples)
    return np.asarray(times / drawn)


def paired_randomization_test(a: ArrayLike, b: ArrayLike, seed: int = 0, flips: int = FLIPS) -> float:
    """Return the two-sided p-value of 'a and b have the same mean' from paired values [n_queries]."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if a.shape != b.shape or a.ndim != 1 or not len(a):
        raise BenchmarkError(f"a paired test needs two equally long lists of values, not {a.shape} and {b.shape}")
    return float(sign_flip_tests((a - b)[:, None], seed, flips)[0])


def sign_flip_tests(differences: Float64, seed: int = 0, flips: int = FLIPS) -> Float64:
    """Return one p-value per column of differences [n_queries, tests]; all tests share the random signs.

    Exact (every sign vector) when there are no more than `flips` of them; the normal limit beyond MAX_QUERIES.
    Queries without any difference carry no information and are dropped first.
    """
    differences = differences[differences.any(axis=1)]
    n, tests = differences.shape
    if not n:
        return np.ones(tests)
    observed = np.abs(differences.sum(axis=0))
    if n > MAX_QUERIES:
        spread = np.sqrt((differences**2).sum(axis=0))
        limit = [math.erfc(o / s / math.sqrt(2)) if s else 1.0 for o, s in zip(observed, spread, strict=True)]
        return np.maximum(limit, 1 / (flips + 1))  # no finer than the test that it stands for
    exact = n < 60 and 2**n <= flips
    total = 2**n if exact else flips
    slack = 1e-9 * np.abs(differences).sum(axis=0)  # sums in another order differ by rounding: those are ties
    rng = np.random.default_rng(seed)
    at_least = np.zeros(tests)
    step = max(1, CHUNK // n)
    for start in range(0, total, step):
        rows = min(step, total - start)
        if exact:
            positive = ((np.arange(start, start + rows)[:, None] >> np.arange(n)) & 1).astype(np.float64)
        else:
            random = np.frombuffer(rng.bytes((rows * n + 7) // 8), np.uint8)
            positive = np.unpackbits(random, count=rows * n).reshape(rows, n).astype(np.float64)
        flipped = 2 * (positive @ differences) - differences.sum(axis=0)
        at_least += (np.abs(flipped) >= observed - slack).sum(axis=0)
    return at_least / total if exact else (at_least + 1) / (total + 1)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return the p-values corrected for their number, in the order given."""
    corrected = [0.0] * len(p_values)
    worst = 0.0
    for done, index in enumerate(sorted(range(len(p_values)), key=lambda index: p_values[index])):
        worst = max(worst, min(1.0, (len(p_values) - done) * p_values[index]))
        corrected[index] = worst
    return corrected
