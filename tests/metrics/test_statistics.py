"""Intervals and tests against SciPy, and the error rates that they promise."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from benchmark.errors import BenchmarkError
from benchmark.metrics import significance as statistics
from benchmark.metrics.significance import (
    bootstrap_draws,
    bootstrap_interval,
    holm,
    mean_interval,
    paired_randomization_test,
    sign_flip_tests,
    t_quantile,
)


@pytest.mark.parametrize("df", [1, 2, 3, 4, 5, 9, 10, 29, 30, 99, 100])
def test_t_quantiles_are_scipys(df):
    assert t_quantile(df) == pytest.approx(stats.t.ppf(0.975, df), rel=1e-9)


@given(st.lists(st.floats(-10, 10), min_size=2, max_size=8))
def test_mean_interval_is_scipys(values):
    interval = mean_interval(values)
    low, _ = stats.t.interval(0.95, len(values) - 1, np.mean(values), max(stats.sem(values), 1e-300))
    assert interval.mean == pytest.approx(np.mean(values), abs=1e-12)
    assert interval.half_width == pytest.approx(np.mean(values) - low, rel=1e-6, abs=1e-9)


def test_one_seed_has_a_mean_but_no_interval():
    assert mean_interval([0.25]) == statistics.Interval(0.25, None, 1)
    with pytest.raises(BenchmarkError):
        mean_interval([])


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 9))
def test_small_samples_give_scipys_exact_p_value(seed, n):
    rng = np.random.default_rng(seed)
    a, b = rng.integers(0, 4, n) / 4, rng.integers(0, 4, n) / 4  # ties are common
    expected = stats.permutation_test(
        (a, b), lambda x, y: np.mean(x - y), permutation_type="samples", alternative="two-sided", n_resamples=np.inf
    ).pvalue
    assert paired_randomization_test(a, b) == pytest.approx(min(expected, 1.0))


def test_large_samples_agree_with_the_t_test():
    rng = np.random.default_rng(1)
    for shift in (0.0, 0.02, 0.04, 0.06):
        a = rng.random(800)
        b = a + rng.normal(shift, 0.4, 800)
        assert paired_randomization_test(a, b, flips=20_000) == pytest.approx(stats.ttest_rel(a, b).pvalue, abs=0.015)


def test_beyond_the_cap_the_normal_limit_agrees_with_sign_flips(monkeypatch):
    differences = np.random.default_rng(2).normal(0.03, 1, (3000, 4))
    flipped = sign_flip_tests(differences, flips=20_000)
    monkeypatch.setattr(statistics, "MAX_QUERIES", 100)
    assert sign_flip_tests(differences) == pytest.approx(flipped, abs=0.015)


def test_no_p_value_is_finer_than_the_number_of_sign_flips(monkeypatch):
    clear = np.ones((200, 1))
    flipped = sign_flip_tests(clear)
    monkeypatch.setattr(statistics, "MAX_QUERIES", 100)
    assert sign_flip_tests(clear) == flipped == [1 / 2001]


def test_a_true_null_hypothesis_is_rejected_five_times_in_a_hundred():
    rng = np.random.default_rng(3)
    rejected = 0
    for batch in range(10):
        differences = rng.normal(0, 1, (60, 100)) * (rng.random((60, 100)) < 0.5)  # many queries without a difference
        rejected += (sign_flip_tests(differences, seed=batch, flips=999) < 0.05).sum()
    assert 25 <= rejected <= 75  # of 1,000; within 3.6 standard deviations of 50


def test_the_test_is_symmetric_repeatable_and_blind_to_equal_values():
    rng = np.random.default_rng(4)
    a, b = rng.random(50), rng.random(50)
    p = paired_randomization_test(a, b, seed=7)
    assert p == paired_randomization_test(a, b, seed=7)
    assert p == paired_randomization_test(b, a, seed=7)
    assert p == paired_randomization_test(np.r_[a, np.ones(500)], np.r_[b, np.ones(500)], seed=7)
    assert paired_randomization_test(a, a) == 1.0


def test_many_columns_at_once_are_the_single_tests():
    differences = np.random.default_rng(5).normal(0.1, 1, (40, 3))
    together = sign_flip_tests(differences, seed=1)
    apart = [sign_flip_tests(differences[:, [column]], seed=1)[0] for column in range(3)]
    assert together.tolist() == apart


def test_chunks_do_not_change_the_exact_answer(monkeypatch):
    differences = np.random.default_rng(6).normal(0.3, 1, (9, 2))
    whole = sign_flip_tests(differences)
    monkeypatch.setattr(statistics, "CHUNK", 100)
    assert sign_flip_tests(differences).tolist() == whole.tolist()


def test_lists_of_different_length_are_refused():
    with pytest.raises(BenchmarkError, match="equally long"):
        paired_randomization_test([1.0, 2.0], [1.0])


def test_holm_by_hand_and_in_any_order():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.04, 0.03, 0.01]) == pytest.approx([0.06, 0.06, 0.03])
    assert holm([]) == [] and holm([0.7, 0.9]) == pytest.approx([1.0, 1.0])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=10))
def test_holm_lies_between_the_raw_values_and_bonferroni(p_values):
    corrected = holm(p_values)
    for p, c in zip(p_values, corrected, strict=True):
        assert p <= c <= min(1.0, p * len(p_values))
    order = np.argsort(p_values, kind="stable")
    assert (np.diff(np.array(corrected)[order]) >= 0).all()


def test_bootstrap_covers_seed_and_query_variance():
    rng = np.random.default_rng(8)
    queries = rng.normal(0.5, 0.2, 400)
    calm = queries + rng.normal(0, 0.001, (5, 1))
    shaky = queries + rng.normal(0, 0.2, (5, 1))
    mean, low, high = bootstrap_interval(calm)
    standard_error = calm.mean(axis=0).std() / 20
    assert mean == pytest.approx(calm.mean()) and low < mean < high
    assert high - low == pytest.approx(2 * 1.96 * standard_error, rel=0.15)
    _, wide_low, wide_high = bootstrap_interval(shaky)
    assert wide_high - wide_low > 3 * (high - low)


def test_the_bootstrap_of_one_seed_is_scipys():
    values = np.random.default_rng(9).beta(0.3, 0.9, 300)
    expected = stats.bootstrap((values,), np.mean, method="percentile", n_resamples=20_000, rng=1).confidence_interval
    _, low, high = bootstrap_interval(values, samples=20_000)
    assert (low, high) == pytest.approx((expected.low, expected.high), abs=0.002)


@pytest.mark.parametrize("seeds", [2, 3, 5])
def test_redrawn_means_vary_as_the_means_of_seeds_and_queries_do(seeds):
    """Var = s^2 / seeds (unbiased) + that of the queries' means; expected value and formula by hand."""
    rng = np.random.default_rng(10)
    queries, offsets = rng.normal(0, 0.3, 400), rng.normal(0, 0.1, (seeds, 1))
    (draws,) = bootstrap_draws([(queries + offsets)[:, :, None]], samples=20_000)
    assert draws.std() == pytest.approx(np.sqrt(offsets.var(ddof=1) / seeds + queries.var() / 400), rel=0.03)


def test_draws_of_one_table_do_not_depend_on_the_others_and_equal_tables_differ_by_nothing():
    rng = np.random.default_rng(11)
    a, b = rng.random((3, 50, 2)), rng.random((2, 50, 1)) * (rng.random((2, 50, 1)) < 0.3)
    (alone,) = bootstrap_draws([b])
    together = bootstrap_draws([a, b, a])
    assert together[1] == pytest.approx(alone, abs=1e-6)
    assert together[0] == pytest.approx(together[2], abs=1e-6) and together[0].std() > 0.01
    apart = bootstrap_draws([a, a], streams=(0, 1))
    assert np.abs(apart[0] - apart[1]).max() > 0.01, "seeds of another stream are drawn apart"


def test_tables_of_other_queries_are_refused():
    with pytest.raises(BenchmarkError, match="same queries"):
        bootstrap_draws([np.ones((1, 5, 1)), np.ones((1, 6, 1))])


def test_the_statistics_need_no_scipy():
    code = "import sys, benchmark.metrics.significance; sys.exit('scipy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
