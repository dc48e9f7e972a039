"""Rows with few hits: their intervals in the tables, and how often these hold."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from result_files import put
from scipy import stats

from benchmark.metrics.metric import QueryMetric
from benchmark.reports.figures.layout import Options
from benchmark.reports.figures.scores import SCORES
from benchmark.reports.renderers import json_tables, latex, markdown, terminal
from benchmark.reports.tables import scores
from benchmark.reports.tables.comparison import compare
from benchmark.reports.tables.layout import own_text
from benchmark.reports.tables.scores import intervals, limits
from benchmark.reports.tables.standard import RECOMMENDATION, SEARCH
from benchmark.results.result_files import load_results

ZERO = "0.0000 [0.0000, 0.0264]"  # after 0 of 138: 1 - 0.025 ** (1 / 138)


def some(n_hits: int, n: int = 138) -> np.ndarray:
    return (np.arange(n) < n_hits).astype(float)


@pytest.mark.parametrize("n", [100, 138])
def test_the_interval_of_a_share_holds_for_every_share(n: int) -> None:
    """Exact coverage: the probabilities of all numbers of hits whose interval contains the share, summed."""
    found = [limits("R@10", some(n_hits, n)[None]) for n_hits in range(n // 2 + 1)]
    low = np.array([*(f.low for f in found), *(1 - f.high for f in found[: n - n // 2][::-1])])
    high = np.array([*(f.high for f in found), *(1 - f.low for f in found[: n - n // 2][::-1])])
    for share in np.linspace(0.005, 0.5, 34):
        holds = (low <= share) & (share <= high)
        assert stats.binom.pmf(np.arange(n + 1), n, share)[holds].sum() >= 0.93


def test_all_zeros_never_print_an_interval_of_nothing(tmp_path: Path) -> None:
    """In every format, for hits and for graded metrics, for one seed and for two."""
    for seed in (0, 1):
        put(tmp_path, "two", values={"R@10": some(0), "nDCG@10": some(0)}, task="search", seed=seed)
    put(tmp_path, "one", values={"R@10": some(138), "nDCG@10": some(0)}, task="search")
    tables = SEARCH.fill(load_results(tmp_path))
    (filled,) = tables
    keys = [column.key for column in filled.columns]
    texts = {
        (row.label, key): own_text(column, cell)
        for row in filled.rows
        for key, column, cell in zip(keys, filled.columns, row.cells, strict=True)
    }
    assert texts == dict.fromkeys(texts, ZERO) | {("one", "R@10"): "1.0000 [0.9736, 1.0000]"}
    assert ZERO in markdown.render(tables) and ZERO in terminal.render(tables)
    assert r"0.0000 {[}0.0000, 0.0264{]}" in latex.render(tables)
    cells = [cell for row in json.loads(json_tables.render(tables))[0]["rows"] for cell in row["cells"]]
    assert {cell["interval"] for cell in cells} == {"bounded"}
    assert [note for note in filled.footnotes if note.startswith("[low, high] is a 95% interval for rare hits")]
    assert not [note for note in filled.footnotes if note.startswith("±")]


def test_ordinary_rows_keep_the_bootstrap_and_few_queries_have_exact_intervals(tmp_path: Path) -> None:
    put(tmp_path, "ordinary", values=some(120, 400))
    put(tmp_path, "few", values=some(60, 200), dataset={"name": "other"})
    cells = {t.rows[0].label: (t.rows[0].cells[0], t.footnotes) for t in RECOMMENDATION.fill(load_results(tmp_path))}
    (ordinary, said), (few, said_of_few) = cells["ordinary"], cells["few"]
    assert ordinary.interval == "bootstrap" and ordinary.half_width == pytest.approx(0.045, abs=0.002)
    exact = stats.binomtest(60, 200).proportion_ci(0.95, "exact")
    assert few.interval == "exact" and few.half_width == pytest.approx((exact.high - exact.low) / 2, rel=0.02)
    assert any("bootstrap" in note for note in said) and not any("Clopper" in note for note in said)
    assert any("Clopper" in note for note in said_of_few) and not any("bootstrap" in note for note in said_of_few)


def test_a_metric_without_an_end_keeps_the_bootstrap(monkeypatch: pytest.MonkeyPatch) -> None:
    def declared(name: str) -> QueryMetric:
        ends = {"clicks": (0, float("inf")), "rank": (1, 21), "liar": (0, 0.5)}[name]
        return QueryMetric(name, "made up", compute=lambda ranked, grades: 0.0, range=ends)

    monkeypatch.setattr(scores, "find_metric", declared)
    found = {name: limits(name, some(2)[None] * 20 + 1) for name in ("clicks", "rank", "liar")}
    assert [found[name].kind for name in found] == ["bootstrap", "bounded", "bootstrap"]


def test_a_comparison_of_two_rows_without_hits_admits_a_difference(tmp_path: Path) -> None:
    for label in ("left", "right"):
        put(tmp_path, label, values=some(0))
    left, right = ((result,) for result in load_results(tmp_path))
    (found,) = compare(left, right, "recommendation")
    limit = 1 - 0.025 ** (1 / 138)
    assert (found.low, found.high) == pytest.approx((-limit, limit)) and found.p == 1


def test_a_figure_says_what_its_bars_are(tmp_path: Path) -> None:
    put(tmp_path, "none", values=some(0))
    (drawn, *_) = SCORES.draw(load_results(tmp_path), Options())
    assert "Bars are a 95% interval for rare hits" in drawn.caption and "[low" not in drawn.caption


def test_an_interval_is_the_same_whatever_columns_stand_beside_it(tmp_path: Path) -> None:
    """Rare hits in one measure and others in another: each interval is that of the measure alone."""
    hits = [(float(q == 3), float(q in (5, 9, 17))) for q in range(100)]
    lines = [f"q{q}\t{a}\t{b}" for q, (a, b) in enumerate(hits)]
    found = []
    for name, measures in (("both", ["R@5", "R@10"]), ("one", ["R@10"])):
        file = tmp_path / f"{name}.tsv"
        file.write_text("\n".join(["query\tR@5\tR@10", *lines]) + "\n")
        found.append(intervals([[file]], measures)[0]["R@10"])
    assert found[0] == found[1]
