"""Which ID metrics go with recommendation and search: the correlations are SciPy's, and rows that differ stay apart."""

import math

import numpy as np
import pytest
from result_files import put
from scipy.stats import spearmanr

from benchmark.cli.main import main
from benchmark.reports.figures import id_metrics
from benchmark.reports.figures.id_metrics import comparable, correlations
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


def test_the_interval_is_that_of_resamples_taken_one_by_one(tmp_path, monkeypatch):
    """Each resample is drawn and correlated by itself with SciPy; one value on a side has no correlation."""
    monkeypatch.setattr(id_metrics, "SAMPLES", 60)
    rows(tmp_path / "runs")
    (found,) = comparable(load_results(tmp_path / "runs"))
    ((_, _, low, high, n),) = correlations(found, "recommendation", "R@10")
    random, drawn = np.random.default_rng(0), []
    for _ in range(60):
        picked = random.integers(0, n, n)
        x, y = np.array(AMI)[picked], np.array(R)[picked]
        if len(set(x)) > 1 and len(set(y)) > 1:
            drawn.append(spearmanr(x, y).statistic)
    assert (low, high) == pytest.approx(tuple(np.quantile(drawn, (0.025, 0.975))))


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
