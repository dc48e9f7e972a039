"""Which ID metrics go with recommendation and search: the correlations are SciPy's, and rows that differ stay apart."""

import math

import numpy as np
import pytest
from result_files import put
from scipy.stats import spearmanr

from benchmark.cli.main import main
from benchmark.reports.figures.id_metrics import comparable, correlations, interval
from benchmark.results.result_files import load_results

AMI = (0.1, 0.5, 0.3, 0.9, 0.7, 0.7)
R = (0.02, 0.03, 0.05, 0.09, 0.06, 0.04)


def rows(runs, seeds=1, **fields):
    for number, (ami, recall) in enumerate(zip(AMI, R, strict=True)):
        for seed in range(seeds):
            away = 0.01 * (seed - (seeds - 1) / 2)  # seeds on both sides of the row's mean
            quality = {"AMI": ami + away, "unique": 0.5, "labelled_items": float(number)}
            metrics = {"id-quality": quality, "recommendation": {"R@10": recall - away}}
            put(runs, f"m{number}", seed=seed, metrics=metrics, **fields)


def test_correlations_are_spearmans_over_rows_and_lie_in_their_intervals(tmp_path):
    rows(tmp_path / "runs", seeds=2)
    (found,) = comparable(load_results(tmp_path / "runs"))
    ((name, rho, low, high, n),) = correlations(found, "recommendation", "R@10")
    assert (name, n) == ("AMI", 6)  # the constant metric and the number of labelled items are left out
    assert rho == pytest.approx(spearmanr(AMI, R).statistic)
    assert -1 <= low <= rho <= high <= 1


def test_the_interval_is_that_of_the_formula_worked_by_hand():
    """rho .5 of 13 rows: z = .5493, s = sqrt(1.125 / 10) = .3354, so .5493 +- .6574."""
    assert interval(0.5, 13) == pytest.approx((-0.1077, 0.8357), abs=1e-4)
    assert interval(-0.5, 13) == pytest.approx((-0.8357, 0.1077), abs=1e-4)


@pytest.mark.parametrize("n", [5, 8, 13])
def test_a_perfect_order_of_few_rows_has_an_interval_too(n):
    low, high = interval(1.0, n)
    assert high == 1 and low < interval(1 - 12 / (n**3 - n), n)[1] and low < 0.98
    assert interval(-1.0, n) == (-high, -low)


@pytest.mark.parametrize("rho", [0.0, 0.6, 0.9])
def test_the_interval_holds_the_true_value_as_often_as_it_says(rho):
    """Normal pairs whose Spearman correlation is known: 6 / pi asin(r / 2)."""
    random, n, held = np.random.default_rng(7), 13, 0
    true = 6 / math.pi * math.asin(rho / 2)
    for _ in range(1_000):
        x, noise = random.standard_normal((2, n))
        low, high = interval(spearmanr(x, rho * x + math.sqrt(1 - rho**2) * noise).statistic, n)
        held += low <= true <= high
    assert 0.92 <= held / 1_000 <= 0.99


def test_an_interval_without_any_relation_covers_zero(tmp_path):
    random = np.random.default_rng(3)
    for number in range(20):
        metrics = {"id-quality": {"AMI": random.random()}, "search": {"nDCG@10": random.random()}}
        put(tmp_path / "runs", f"m{number}", metrics=metrics)
    (found,) = comparable(load_results(tmp_path / "runs"))
    ((_, rho, low, high, _),) = correlations(found, "search", "nDCG@10")
    assert low < 0 < high and not math.isnan(rho)


def test_rows_with_other_generative_settings_and_recommenders_are_not_compared(tmp_path):
    rows(tmp_path / "runs")
    settings = {"method": {}, "generative": {"beams": 5}, "protocol": {}}
    for number in range(4):
        metrics = {"id-quality": {"AMI": 0.1 * number}, "recommendation": {"R@10": 0.1 * number}}
        put(tmp_path / "runs", f"other{number}", metrics=metrics, config=settings)
    put(tmp_path / "runs", "sasrec", metrics={"recommendation": {"R@10": 0.1}}, kind="recommender")
    sets = comparable(load_results(tmp_path / "runs"))
    assert sorted(len(found) for found in sets) == [4, 6]
    assert [len(correlations(found, "recommendation", "R@10")) for found in sets if len(found) == 4] == [0]  # too few


def test_the_figure_is_drawn_and_says_what_it_is_of(tmp_path):
    rows(tmp_path / "runs")
    out = tmp_path / "figures"
    words = ["--figures", "id-metrics", "--format", "svg", "--out", str(out)]
    assert main(["figures", "--runs", str(tmp_path / "runs"), *words]) == 0
    assert len(list(out.glob("id-metrics*recommendation*.svg"))) == 1
    assert "over 6 rows" in (out / "figures.md").read_text()


def test_a_seed_that_was_run_on_one_task_alone_costs_no_row_its_place(tmp_path):
    rows(tmp_path / "runs")
    put(tmp_path / "runs", "m0", seed=1, metrics={"id-quality": {"AMI": 0.99, "unique": 0.5, "labelled_items": 0.0}})
    (found,) = comparable(load_results(tmp_path / "runs"))
    ((name, rho, *_, n),) = correlations(found, "recommendation", "R@10")
    assert (name, n) == ("AMI", 6)
    assert rho == pytest.approx(spearmanr(AMI, R).statistic)
