"""Tables from result files: what stands in one table, what is bold, and what the renderers make of it."""

import json
import re
import shutil
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from result_files import N, hits, put
from scipy import stats
from sklearn.metrics import adjusted_rand_score

from benchmark.reports.html import render as html
from benchmark.reports.paper import TABLE1
from benchmark.reports.renderers import json_tables, latex, markdown, terminal
from benchmark.reports.tables import captions
from benchmark.reports.tables.standard import (
    COST,
    ID_QUALITY,
    ID_STRUCTURE,
    RECOMMENDATION,
    SEARCH,
    Column,
    Table,
    build,
    cell_text,
)
from benchmark.results.result_files import group_seeds, load_results, problems


@pytest.fixture
def runs(tmp_path):
    return tmp_path / "runs"


def labels(filled):
    return [row.label for row in filled.rows]


def test_cells_are_means_over_seeds_with_the_t_interval(runs):
    for seed, share in enumerate((0.2, 0.3, 0.4)):
        put(runs, "rqvae", seed=seed, metrics={"id-quality": {"AMI": share}})
    (filled,) = build(ID_QUALITY, load_results(runs))
    (row,) = filled.rows
    assert [column.key for column in filled.columns] == ["AMI"] and row.seeds == (0, 1, 2)
    assert row.cells[0].mean == pytest.approx(0.3)
    assert row.cells[0].half_width == pytest.approx(4.3026527297 * 0.1 / 3**0.5)  # t(0.975, 2) of printed tables
    assert cell_text(filled.columns[0], row.cells[0]) == "0.3000 ± 0.2484"


def test_one_seed_shows_no_interval_and_a_missing_value_a_dash(runs):
    put(runs, "hc", metrics={"id-quality": {"AMI": 0.25, "NMI": 0.5}})
    put(runs, "rqvae", metrics={"id-quality": {"AMI": 0.125}})
    (filled,) = build(ID_QUALITY, load_results(runs))
    texts = [[cell_text(c, cell) for c, cell in zip(filled.columns, row.cells, strict=True)] for row in filled.rows]
    assert texts == [["0.2500", "0.5000"], ["0.1250", "–"]]


@pytest.mark.parametrize(
    "change",
    [
        {"dataset": {"fingerprint": "f2"}}, {"text_fields": ["title", "brand", "category"]}, {"preset": "tiny"},
        {"queries": "judged"},
    ],
)  # fmt: skip
def test_tables_never_mix_protocols(runs, change):
    put(runs, "hc", values=hits(0.3), task="search")
    put(runs, "rqvae", values=hits(0.3, 1), task="search", key="k2", **change)
    assert sorted(labels(filled) for filled in build(SEARCH, load_results(runs))) == [["hc"], ["rqvae"]]


def test_the_query_set_does_not_split_recommendation(runs):
    put(runs, "hc", values=hits(0.3))
    put(runs, "rqvae", values=hits(0.3, 1), queries="judged")
    (filled,) = build(RECOMMENDATION, load_results(runs))
    assert labels(filled) == ["hc", "rqvae"] and "queries" not in filled.caption


def test_the_caption_says_what_the_numbers_are(runs):
    cost = {"device": "cpu", "date": "2026-11-22", "stages": {}, "facts": {}}
    put(runs, "hc", values=hits(0.3), task="search", cost=cost)
    put(runs, "hc", values=hits(0.4), task="search", cost=cost | {"date": "2026-11-24"}, seed=1)
    (filled,) = build(SEARCH, load_results(runs))
    assert filled.caption == (
        "Demo shop (fingerprint f1); preset small; text fields title, brand; simulated known-item queries; "
        "seeds 0, 1; device cpu; 2026-11-22 to 2026-11-24."
    )


def test_ranking_cells_have_the_bootstrap_interval_of_their_values(runs):
    """SciPy's bootstrap over users of one seed; with two seeds that differ, the interval is wider."""
    values = hits(0.3, n=400)
    put(runs, "one", values=values)
    put(runs, "two", values=hits(0.1, n=400), seed=0)
    put(runs, "two", values=hits(0.6, 1, n=400), seed=1)
    (filled,) = build(RECOMMENDATION, load_results(runs))
    (one,), (two,) = (row.cells for row in filled.rows)
    low, high = stats.bootstrap((values,), np.mean, method="percentile", rng=0).confidence_interval
    assert (one.low, one.high) == pytest.approx((low, high), abs=0.015) and one.interval == "bootstrap"
    assert one.half_width == pytest.approx((one.high - one.low) / 2)
    assert two.half_width > 3 * one.half_width
    assert any("bootstrap over seeds and users or queries" in note for note in filled.footnotes)


@pytest.mark.parametrize(("seeds", "warned"), [(1, False), (2, True), (4, True), (5, False)])
def test_few_seeds_come_with_a_warning_about_their_interval(runs, seeds, warned):
    for seed in range(seeds):
        put(runs, "hc", values=hits(0.3, seed), seed=seed)
    (filled,) = build(RECOMMENDATION, load_results(runs))
    assert any("fewer than 5 seeds" in note for note in filled.footnotes) == warned


def test_json_names_the_results_of_every_cell(runs):
    for seed in (0, 1):
        put(runs, "hc", values=hits(0.3, seed), seed=seed)
    tables = json.loads(json_tables.render(build(RECOMMENDATION, load_results(runs))))
    (cell,) = tables[0]["rows"][0]["cells"]
    assert cell["results"] == [f"demo/hc/k1/seed-{seed}/result.json" for seed in (0, 1)] and cell["seeds"] == [0, 1]
    values = [json.loads((runs / path).read_text())["metrics"]["recommendation"]["R@5"] for path in cell["results"]]
    assert cell["mean"] == pytest.approx(np.mean(values)) and cell["low"] < cell["mean"] < cell["high"]


def test_a_clear_winner_is_bold(runs):
    for seed in (0, 1):
        put(runs, "good", values=hits(0.8, seed), seed=seed)
        put(runs, "fair", values=hits(0.4, 10 + seed), seed=seed)
        put(runs, "poor", values=hits(0.2, 20 + seed), seed=seed)
    (filled,) = build(RECOMMENDATION, load_results(runs))
    assert [(row.label, row.cells[0].bold) for row in filled.rows] == [("fair", False), ("good", True), ("poor", False)]
    assert any(note.startswith("Bold") and "Holm" in note for note in filled.footnotes)


def test_the_best_is_not_bold_when_other_seeds_may_be_behind(runs):
    """The test over users takes the seeds as they are; the interval of the difference counts others too."""
    base = hits(0.3, n=2000)
    for seed, share in enumerate((0.0, 0.25)):
        extra = (np.random.default_rng(10 + seed).random(2000) < share) & (base == 0)
        put(runs, "ahead", seed=seed, values=base + extra)
        put(runs, "even", seed=seed, values=base)
        put(runs, "poor", seed=seed, values=hits(0.05, seed, 2000))
    (filled,) = build(RECOMMENDATION, load_results(runs))
    assert not any(cell.bold for row in filled.rows for cell in row.cells)
    assert [note for note in filled.footnotes if "but perhaps not with others" in note] == [
        "Best with these seeds, but perhaps not with others: ahead in R@5 (the 95% interval of its difference to even "
        "includes 0)."
    ]


def test_what_one_types_is_code_in_every_format(runs):
    for label in ("a", "b"):
        put(runs, label, values=hits(0.5), notes=["call `benchmark x_y` & <b>", "a lone ` stays"])
    filled = build(RECOMMENDATION, load_results(runs))
    assert "- call `benchmark x_y` & \\<b\\>\n" in markdown.render(filled) and "a lone \\` stays" in markdown.render(
        filled
    )
    assert r"call \texttt{benchmark x\_y} \& " in latex.render(filled)
    page = html.render(filled)
    assert "call <code>benchmark x_y</code> &amp; &lt;b&gt;" in page and "a lone ` stays" in page


def test_means_of_two_seeds_have_no_t_interval(runs):
    for seed, value in enumerate((0.4, 0.6)):
        put(runs, "two", seed=seed, metrics={"id-quality": {"AMI": value}})
    (filled,) = build(ID_QUALITY, load_results(runs))
    (cell,) = filled.rows[0].cells
    assert (cell.mean, cell.half_width, cell.low, cell.high) == (0.5, None, None, None)
    assert any("two seeds has no t interval" in note for note in filled.footnotes)


def test_the_caption_says_how_many_users_were_scored(runs):
    put(runs, "a", values=hits(0.5), counts={"recommendation": {"users": 1200, "targets_unseen": 3}})
    (filled,) = build(RECOMMENDATION, load_results(runs))
    assert "; 1,200 users; seed 0;" in filled.caption


def test_the_best_is_not_bold_when_one_row_is_too_close(runs):
    good = hits(0.5)
    close = good.copy()
    close[np.flatnonzero(good)[0]] = 0
    put(runs, "good", values=good)
    put(runs, "close", values=close)
    put(runs, "poor", values=hits(0.1, 2))
    (filled,) = build(RECOMMENDATION, load_results(runs))
    assert not any(row.cells[0].bold for row in filled.rows)
    assert "Not distinguishable from the best row, good, in R@5: close (largest p = 1)." in filled.footnotes


def test_queries_in_another_order_are_paired_by_id(runs):
    """Every query is a little better in `good`; only if paired can that be seen through the spread of queries."""
    base = np.random.default_rng(0).random(N) * 0.9
    put(runs, "base", values=base)
    path = put(runs, "good", values=base + 0.01)
    header, *lines = (path / "scores.recommendation.tsv").read_text().splitlines()
    (path / "scores.recommendation.tsv").write_text("\n".join([header, *lines[::-1]]) + "\n")
    (filled,) = build(RECOMMENDATION, load_results(runs))
    assert [row.cells[0].bold for row in filled.rows] == [False, True]


def test_other_queries_or_no_per_query_values_leave_nothing_bold(runs):
    put(runs, "good", values=hits(0.9))
    put(runs, "short", values=hits(0.1)[:100])
    put(runs, "bare", metrics={"recommendation": {"R@5": 0.1}})
    (filled,) = build(RECOMMENDATION, load_results(runs))
    assert not any(row.cells[0].bold for row in filled.rows)
    assert any("No significance test" in note and "bare, short" in note for note in filled.footnotes)


def test_id_quality_has_no_bold_and_says_why(runs):
    put(runs, "hc", metrics={"id-quality": {"AMI": 0.9}})
    put(runs, "rqvae", metrics={"id-quality": {"AMI": 0.1}})
    (filled,) = build(ID_QUALITY, load_results(runs))
    assert not any(cell.bold for row in filled.rows for cell in row.cells)
    assert any(note.startswith("No significance test") for note in filled.footnotes)


def test_controls_are_marked_and_stand_last(runs):
    for label in ("category", "random", "zeta"):
        put(runs, label, values=hits(0.3))
    put(runs, "mine", method="shuffled", values=hits(0.3))
    (filled,) = build(RECOMMENDATION, load_results(runs))
    assert [row.title for row in filled.rows] == ["zeta", "category (control)", "mine (control)", "random (control)"]


@pytest.mark.parametrize(("backbone", "title"), [("scratch", "seal (scratch)"), ("facebook/bart-base", "seal")])
def test_a_language_model_from_random_weights_is_marked_in_the_row(runs, backbone, title):
    config = {"method": {"backbone": backbone}, "generative": {"backbone": "scratch"}, "protocol": {}}
    put(runs, "seal", values=hits(0.4), task="search", config=config)
    (filled,) = SEARCH.fill(load_results(runs))
    assert [row.title for row in filled.rows] == [title]
    assert any(note.startswith("(scratch): ") for note in filled.footnotes) == (backbone == "scratch")


def test_a_result_file_says_itself_whether_its_row_is_a_control(runs):
    put(runs, "alphabet", values=hits(0.3), control=True)  # a plugin's
    put(runs, "popularity", values=hits(0.3), control=False)
    put(runs, "zeta", values=hits(0.3), control=False)
    (filled,) = build(RECOMMENDATION, load_results(runs))
    assert [row.title for row in filled.rows] == ["popularity", "zeta", "alphabet (control)"]


def test_one_label_of_two_methods_is_told_apart_by_the_method(runs):
    put(runs, "two", method="random", key="k1", values=hits(0.3), config={"method": {"size": 4}})
    put(runs, "two", method="rqkmeans", key="k2", values=hits(0.3), config={"method": {"levels": 4}})
    (filled,) = build(RECOMMENDATION, load_results(runs))
    assert sorted(labels(filled)) == ["two [random]", "two [rqkmeans]"]


def test_configurations_of_one_label_are_separate_rows_named_by_what_differs(runs):
    config = {"method": {"levels": 3, "size": 256}, "generative": {"levels": 1}}
    other = {"method": {"levels": 4, "size": 256}, "generative": {"levels": 1}}
    put(runs, "rqvae", key="k1", values=hits(0.3), config=config)
    put(runs, "rqvae", key="k2", values=hits(0.3), config=other)
    put(runs, "hc", values=hits(0.3))
    (filled,) = build(RECOMMENDATION, load_results(runs))
    assert labels(filled) == ["hc", "rqvae [levels=3]", "rqvae [levels=4]"]


def test_equal_configurations_under_two_keys_are_one_row(runs):
    put(runs, "rqvae", key="aaaa1111cccc", values=hits(0.3))
    put(runs, "rqvae", key="bbbb2222dddd", values=hits(0.4))
    (filled,) = build(RECOMMENDATION, load_results(runs))
    assert labels(filled) == ["rqvae"]


def test_costs_are_summed_by_stage_and_split_by_device(runs):
    cost = {
        "device": "cpu", "date": "2026-11-22", "trials": 3,
        "stages": {
            "encode": {"seconds": 1.5, "peak_memory": {"cpu": 3_000_000}, "device": "cpu"},
            "train.search": {"seconds": 10, "peak_memory": {"cpu": 5_000_000, "gpu": 7_000_000}},
            "train.recommendation": {"seconds": 20, "peak_memory": 4_000_000},
            "trainer": {"seconds": 100},
        },
        "facts": {
            "ids": {"parameters": 3_000_000}, "recommendation": {"parameters": 1_000_000, "rank_seconds": 2.0},
            "search": {
                "parameters": 2_000_000, "queries_per_second": 50.0, "search_error": {"a": 1}, "rank_seconds": 0.5,
                "fit_seconds": 4.0,
            },
        },
    }  # fmt: skip
    put(runs, "hc", cost=cost)
    on_gpu = {name: stage | {"device": "cuda"} for name, stage in cost["stages"].items() if name.startswith("train")}
    put(runs, "rqvae", cost=cost | {"stages": cost["stages"] | on_gpu})
    put(runs, "bare")
    tables = build(COST, load_results(runs))
    assert [labels(filled) for filled in tables] == [["hc"], ["rqvae"]]
    shown = {c.header: cell.mean for c, cell in zip(tables[0].columns, tables[0].rows[0].cells, strict=True)}
    assert shown == pytest.approx({
        "Total s": 131.5, "Encode s": 1.5, "Train s": 34, "Rank s": 2.5, "Peak MB": 5, "GPU MB": 7,
        "ID parameters M": 3, "Parameters M": 2, "Trials": 3, "Queries/s": 50,
    })  # fmt: skip


def test_costs_name_the_tasks_that_each_row_was_run_on_where_they_differ(runs):
    cost = {"device": "cpu", "date": "2026-11-22", "stages": {"ids": {"seconds": 1}}, "facts": {}}
    put(runs, "hc", values=hits(0.3), cost=cost)
    note = "recommendation: hc; recommendation, id-quality: rqvae."
    (alone,) = build(COST, load_results(runs))
    put(runs, "rqvae", values=hits(0.3), cost=cost, metrics={"id-quality": {"AMI": 0.1}})
    (both,) = build(COST, load_results(runs))
    assert [any(note in text for text in filled.footnotes) for filled in (alone, both)] == [False, True]


def test_a_cell_of_fewer_seeds_than_its_row_is_named(runs):
    put(runs, "hc", metrics={"id-quality": {"AMI": 0.3, "NMI": 0.4}})
    put(runs, "hc", seed=1, metrics={"id-quality": {"AMI": 0.3}})
    (filled,) = build(ID_QUALITY, load_results(runs))
    assert any("hc in NMI (1 of 2)" in note and "AMI" not in note for note in filled.footnotes)


def test_the_caption_names_absent_text_fields_whichever_row_recorded_them(runs):
    put(runs, "hc", values=hits(0.3))
    put(runs, "rqvae", values=hits(0.3), dataset={"items_with": {"title": 9, "brand": 0}})
    (filled,) = build(RECOMMENDATION, load_results(runs))
    assert labels(filled) == ["hc", "rqvae"] and "title, brand (no item has brand)" in filled.caption


def test_the_row_of_other_queries_is_named_and_not_those_that_agree(runs):
    put(runs, "a", values=hits(0.3, n=N - 1))
    put(runs, "b", values=hits(0.3))
    put(runs, "c", values=hits(0.4, 1))
    (filled,) = build(RECOMMENDATION, load_results(runs))
    assert any(note.endswith("of other queries, for a.") for note in filled.footnotes)


def test_costs_of_two_query_sets_are_told_apart_where_search_was_run(runs):
    cost = {"device": "cpu", "date": "2026-11-22", "stages": {"rank.search": {"seconds": 1}}, "facts": {}}
    put(runs, "bm25", values=hits(0.3), task="search", cost=cost)
    put(runs, "bm25", values=hits(0.3), task="search", cost=cost, queries="judged", key="k2")
    put(runs, "hgn", values=hits(0.3), cost=cost, preset="published")
    said = [filled.caption for filled in build(COST, load_results(runs))]
    named = [[name for name in ("simulated known-item", "judged") if f"{name} queries" in text] for text in said]
    assert sorted(named) == [[], ["judged"], ["simulated known-item"]]


def test_broken_files_are_named_and_passed_by(runs):
    put(runs, "hc", values=hits(0.3))
    for number, text in enumerate(('{"format": 1', '{"format": 9}', '{"format": 1}', "[]")):
        path = runs / "demo" / "bad" / f"k{number}" / "seed-0"
        path.mkdir(parents=True)
        (path / "result.json").write_text(text)
    broken_cost = put(runs, "rqvae", values=hits(0.2))
    (broken_cost / "cost.json").write_text('{"stages": [1]}')
    results = load_results(runs)
    assert len(problems(results)) == 4 and len(group_seeds(results)) == 2
    assert all("result.json" in line for line in problems(results))
    assert any("format is 9" in line for line in problems(results)) and any("'dataset'" in p for p in problems(results))
    assert [labels(filled) for table in (RECOMMENDATION, COST) for filled in build(table, results)] == [["hc", "rqvae"]]


def test_results_of_one_method_group_by_everything_but_the_seed(runs):
    for seed in (2, 0, 1):
        put(runs, "hc", seed=seed)
    put(runs, "hc", key="k2")
    results = load_results(runs)
    assert [[result.seed for result in group] for group in group_seeds(results)] == [[0, 1, 2]]
    by_key = group_seeds(results, by_key=True)
    assert sorted([result.seed for result in group] for group in by_key) == [[0], [0, 1, 2]]


def test_a_plugins_table_needs_a_declaration_only(runs):
    put(runs, "hc", metrics={"novelty": {"share": 0.123456}})
    table = Table("novelty", "Novelty", "novelty", (Column("share", "Share", 2),))
    (filled,) = table.fill(load_results(runs))
    assert "| hc | 0.12 | 1 |" in markdown.render([filled])


@pytest.fixture
def nasty(runs):
    """Labels, titles and notes that are markup somewhere."""
    note = "a_b {c} 50% $x$ #1 & ~ ^ \\ | <i> [z] *s* `t`"
    for label, seed in (("rq_vae {x} & 50%", 0), ("a|b*c*\\n", 1)):
        put(runs, label, folder=f"m{seed}", values=hits(0.3 + seed / 2, seed), dataset={"title": "50% & {shop}_#1"},
            notes=[note], metrics={})  # fmt: skip
    return build(RECOMMENDATION, load_results(runs))


def test_latex_is_balanced_and_escaped(nasty):
    text = "\n".join(line for line in latex.render(nasty).splitlines() if not line.startswith("%"))
    depth = 0
    for brace in re.findall(r"(?<!\\)[{}]", text.replace(r"\\", "")):
        depth += 1 if brace == "{" else -1
        assert depth >= 0
    assert depth == 0
    opened, closed = re.findall(r"\\begin\{(\w+)\}", text), re.findall(r"\\end\{(\w+)\}", text)
    assert opened == closed[::-1] == ["table", "tabular"]
    body = text.split(r"\midrule")[1].split(r"\bottomrule")[0].strip().splitlines()
    columns = len(re.search(r"\\begin\{tabular\}\{(l?r*)\}", text)[1])
    assert len(body) == 2 and all(len(re.findall(r"(?<!\\)&", line)) == columns - 1 for line in body)
    assert all(line.endswith(r"\\") for line in body)
    for special in "#%":
        assert not re.search(rf"(?<!\\){special}", text.replace("{%", ""))
    assert r"rq\_vae \{x\} \& 50\%" in text and "\\textbf{" in text and "±" not in text


def test_wide_latex_tables_go_on_in_further_parts_with_every_column_once(runs):
    names = [column.key for column in ID_STRUCTURE.columns]
    put(runs, "hc", metrics={"id-quality": dict.fromkeys(names, 0.5)})
    put(runs, "a label so long that it is broken into lines", metrics={"id-quality": dict.fromkeys(names, 0.5)})
    text = latex.render(build(ID_STRUCTURE, load_results(runs)))
    headers = re.findall(r"\\toprule\n(.*) \\\\", text)
    assert len(headers) > 1 and text.count("p{5cm}") == len(headers)
    shown = [header.split(" & ")[1:] for header in headers]
    assert [name for names in shown for name in names] == [*(column.header for column in ID_STRUCTURE.columns), "Seeds"]


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no TeX here")
def test_latex_compiles_with_booktabs_alone(runs, nasty, tmp_path):
    every = {column.key: 0.5 for column in ID_QUALITY.columns}
    put(runs, "wide", dataset={"name": "beauty"}, metrics={"id-quality": every})
    tables = [*nasty, *build(ID_QUALITY, load_results(runs)), *TABLE1.fill(load_results(runs))]
    (tmp_path / "tables.tex").write_text(latex.render(tables))
    document = r"\documentclass{article}\usepackage{booktabs}\begin{document}\input{tables.tex}\end{document}"
    (tmp_path / "document.tex").write_text(document)
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "document.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout[-2000:]


def test_markdown_has_as_many_cells_in_every_line(nasty):
    lines = [line for line in markdown.render(nasty).splitlines() if line.startswith("|")]
    assert len(lines) == 4
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in lines} == {4}
    assert lines[2].startswith(r"| a\|b\*c\*\\n | **0.") and r"\<i\>" in markdown.render(nasty)


def test_terminal_fits_the_width_and_keeps_every_value(runs):
    names = [column.key for column in ID_STRUCTURE.columns]
    for seed in (0, 1, 2):
        put(runs, "商品の索引", folder="m", seed=seed, metrics={"id-quality": dict.fromkeys(names, 0.5 + seed)})
        put(runs, "hc", seed=seed, metrics={"id-quality": dict.fromkeys(names, 0.25)})
    text = terminal.render(build(ID_STRUCTURE, load_results(runs)))
    assert max(map(terminal.width, text.splitlines())) <= 120
    assert text.count("商品の索引") > 1 and "\033" not in text
    assert all(column.header in text for column in ID_STRUCTURE.columns)
    digits = [column.digits for column in ID_STRUCTURE.columns]
    assert text.count("0.2500 ± 0.0000") == digits.count(4) and text.count("Seeds") == 1
    tables = [block.splitlines() for block in text.split("\n\n") if "商品の索引" in block]
    assert all(terminal.width(line) == terminal.width(block[0]) for block in tables for line in block)


def test_terminal_marks_the_winner_with_a_star(runs):
    put(runs, "good", values=hits(0.9))
    put(runs, "poor", values=hits(0.1))
    text = terminal.render(build(RECOMMENDATION, load_results(runs)))
    number = r"0\.\d{4} ± 0\.\d{4}"
    assert re.search(rf"good +{number}\* ", text) and re.search(rf"poor +{number}  ", text)


def test_no_results_make_no_tables(runs):
    assert load_results(runs) == [] and build(SEARCH, []) == []
    assert [renderer.render([]) for renderer in (latex, markdown, terminal)] == ["", "", ""]
    assert json.loads(json_tables.render([])) == []


def test_shared_notes_stand_once_and_others_after_their_labels(runs):
    put(runs, "hc", values=hits(0.3), notes=["everyone", "hc only"])
    put(runs, "rqvae", values=hits(0.3), notes=["everyone"])
    (filled,) = build(RECOMMENDATION, load_results(runs))
    assert filled.footnotes[-2:] == ("everyone", "hc: hc only")


def test_a_note_of_some_seeds_names_them(runs):
    for seed in range(3):
        put(runs, "hc", seed=seed, values=hits(0.3), notes=["every seed", *["two of them"] * (seed > 0)])
        put(runs, "rqvae", seed=seed, values=hits(0.3), notes=["every seed", *["two of them"] * (seed == 0)])
    (filled,) = build(RECOMMENDATION, load_results(runs))
    assert filled.footnotes[-2:] == ("every seed", "hc (seeds 1, 2), rqvae (seed 0): two of them")


def test_reports_import_nothing_heavy():
    names = ("tables.filling", "paper", "renderers.markdown", "renderers.latex", "renderers.terminal")
    modules = ", ".join(f"benchmark.reports.{name}" for name in names)
    heavy = "{'torch', 'sklearn', 'pyarrow', 'scipy', 'pydantic', 'ir_measures'}"
    code = f"import sys, {modules}; found = {heavy} & sys.modules.keys(); assert not found, found"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_stability_is_the_agreement_of_the_seeds_first_codes(runs):
    """With scikit-learn's adjusted Rand index as the oracle; one seed, or a seed without IDs, leaves the cell empty."""
    random = np.random.default_rng(0)
    codes = random.integers(0, 3, size=(3, 40))
    for label, seeds in (("a", 3), ("alone", 1), ("bare", 2)):
        for seed in range(seeds):
            folder = put(runs, label, seed=seed, metrics={"id-quality": {"AMI": 0.5}})
            if label != "bare":
                rows = (f"i{row}\t{code}-{row}\n" for row, code in enumerate(codes[seed]))
                (folder / "ids.tsv").write_text("".join(rows))
    (filled,) = build(ID_QUALITY, load_results(runs))
    place = [column.key for column in filled.columns].index("stability@1")
    cells = {row.label: row.cells[place] for row in filled.rows}
    expected = np.mean([adjusted_rand_score(codes[a], codes[b]) for a, b in ((0, 1), (0, 2), (1, 2))])
    assert cells["a"].mean == pytest.approx(expected) and cells["a"].n == 3 and len(cells["a"].results) == 3
    assert cells["alone"].mean is None and cells["bare"].mean is None


@pytest.mark.parametrize(
    ("sentence", "said"),
    [
        ({"inputs": "words"}, "learned vectors of word pieces"),
        (
            {"inputs": "vector", "learning_layers": 2},
            "the sentence encoder's vector; the encoder's upper 2 layers learn",
        ),
        ({"inputs": "vector", "learning_layers": -1}, "the sentence encoder's vector; the whole encoder learns"),
        (
            {"inputs": "words", "learning_layers": 0, "neighbours": {"share": 0.5}},
            "learned vectors of word pieces; 50% of the targets are drawn from the items with the nearest texts",
        ),
    ],
)
def test_a_caption_says_what_the_reader_of_queries_learned_from(sentence: dict[str, object], said: str) -> None:
    generative = {"sentence": sentence, "search": {"simulated_per_item": 0, "item_texts": False}}
    assert captions._reader("sentence", generative) == f"reader sentence ({said})"


def test_a_metric_that_one_seed_lacks_takes_no_star_from_other_columns(runs):
    for seed in (0, 1):
        both = {"R@5": hits(0.8, seed), "R@10": hits(0.9, seed)}
        put(runs, "a", seed=seed, values=both if seed else {"R@5": both["R@5"]})
        put(runs, "b", seed=seed, values={name: hits(0.2, seed + 5) for name in both})
    (filled,) = build(RECOMMENDATION, load_results(runs))
    bold = {column.key: cell.bold for column, cell in zip(filled.columns, filled.rows[0].cells, strict=True)}
    assert bold == {"R@5": True, "R@10": False}
    assert any("Averaged over fewer seeds" in note and "R@10" in note for note in filled.footnotes)


@pytest.mark.parametrize("columns", [70, 100, 150])
def test_on_a_terminal_a_table_is_as_wide_as_it(runs, monkeypatch, columns):
    for seed in (0, 1):
        values = {name: hits(0.5, seed) for name in ("R@5", "R@10", "nDCG@5", "nDCG@10", "RR@20")}
        put(runs, "good", values=values, seed=seed)
        put(runs, "fair", values=values, seed=seed)
    tables = build(RECOMMENDATION, load_results(runs))
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setattr("benchmark.terminal.answers", lambda: SimpleNamespace(isatty=lambda: True))
    lines = terminal.render(tables).splitlines()
    assert max(map(len, lines)) <= columns
    assert sum(line.startswith("Method") for line in lines) == {70: 2, 100: 1, 150: 1}[columns]
