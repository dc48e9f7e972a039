"""`benchmark reproduce`: plan, cost estimate, holes, and the same cells as `benchmark run`."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from result_files import put

from benchmark.api.reproduce import _variant, estimate, parts_of
from benchmark.api.run_request import RunRequest
from benchmark.cli.main import main
from benchmark.reports import paper
from benchmark.reports.paper.paper_table import PaperTable
from benchmark.results import registered_tables as output
from benchmark.results.result_files import load_results


@pytest.fixture
def small_table(monkeypatch: pytest.MonkeyPatch) -> PaperTable:
    """Table 4 with the rows of BM25 and of an indexer that has no such preset."""
    table = replace(paper.TABLE4)
    rows = [row for row in table.spec.rows if row.method in ("bm25", "hc")]
    vars(table)["spec"] = replace(table.spec, rows=tuple(rows), readings=("trec_eval",))
    monkeypatch.setattr(output, "chosen_tables", lambda names=None: [table])
    return table


def words(shop: Path, runs: Path, *more: str) -> list[str]:
    dataset = ["--dataset", str(shop), "--preset", "published", "--runs", str(runs), "--device", "cpu"]
    return ["reproduce", "table4", *dataset, *more]


def put_preset(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give bm25, and it alone, the preset `published`."""
    from benchmark.running import plan

    load = plan.load_presets
    with_bm25 = {"bm25": {"published": {}}}
    monkeypatch.setattr(plan, "load_presets", lambda path, name, _: with_bm25.get(name) or load(path, name))


def test_it_computes_what_run_would_and_names_what_cannot_run(shop, tmp_path, small_table, monkeypatch, capsys):
    put_preset(monkeypatch)
    runs = tmp_path / "runs"
    assert main(words(shop, runs, "--dry-run")) == 1, "one row cannot run"
    plan = capsys.readouterr().out
    assert "to do  shop: bm25, search, seed 0" in plan and "no earlier run says what these cost" in plan
    assert "cannot run  " in plan and "HC indexer at preset published: the method 'hc' has no preset" in plan
    assert not runs.exists(), "a dry run computes nothing and keeps nothing"

    plans: list[int] = []
    make_plan = RunRequest.plan
    monkeypatch.setattr(RunRequest, "plan", lambda request: plans.append(1) or make_plan(request))
    assert main(words(shop, runs)) == 1
    assert len(plans) == 1
    printed = capsys.readouterr().out
    assert "Table 4: product search on A small shop" in printed and "bm25" in printed
    (result,) = load_results(runs)
    assert result.text_fields[-1] == "category", "the paper's text fields"

    same = ["--methods", "bm25", "--dataset", str(shop), "--preset", "published", "--tasks", "search"]
    assert main(["run", *same, "--text-fields", "paper", "--runs", str(runs), "--dry-run"]) == 0
    assert "0 of 1 cells to compute" in capsys.readouterr().out, "the very cell of benchmark run"

    assert main(words(shop, runs, "--dry-run", "--seeds", "0,1")) == 1
    plan = capsys.readouterr().out
    assert "done   shop: bm25, search, seed 0" in plan and "to do  shop: bm25, search, seed 1" in plan
    assert "cost   shop, preset published: about " in plan and "from earlier runs on it, cpu" in plan


def test_a_data_set_that_is_not_at_hand_is_a_hole_and_the_table_is_still_printed(tmp_path, capsys):
    runs = tmp_path / "runs"
    assert main(["reproduce", "table1", "--dataset", "sports", "--runs", str(runs), "--data-root", str(tmp_path)]) == 1
    printed = capsys.readouterr()
    assert "cannot run  sports:" in printed.err and "missing (paper 0.2774)" in printed.out


def test_only_tables_of_runs_can_be_reproduced_and_only_their_rows_be_set(tmp_path, capsys):
    assert main(["reproduce", "table13"]) == 2 and main(["reproduce", "cost"]) == 2
    assert main(["reproduce", "tabel3"]) == 2
    assert "Did you mean 'table3'?" in capsys.readouterr().err
    assert main(["reproduce", "table3", "--set", "hcc.children=3", "--runs", str(tmp_path)]) == 2
    assert "no row 'hcc' in this table. Did you mean 'hc'?" in capsys.readouterr().err


def test_at_the_papers_preset_the_reprinted_rows_run_at_published():
    presets = {preset: [row.method for row in rows] for preset, rows in parts_of(paper.TABLE3.spec, "paper").items()}
    published = ["hgn", "gru4rec", "bert4rec", "fdsa", "popularity", "tiger"]
    assert presets == {"published": published, "paper": ["rqvae", "hc", "lmindexer"]}
    assert list(parts_of(paper.TABLE3.spec, "small")) == ["small"]


def test_a_row_is_planned_with_its_preset_for_the_data_set():
    """LMIndexer's codebooks at `paper`: 512 codes on Amazon, 5,120 on NQ320k."""
    (row,) = [row for row in paper.TABLE6.spec.rows if row.method == "lmindexer"]
    sizes = {name: _variant(row, "paper", {}, name)[0].config.codebook_size for name in ("beauty", "nq320k")}
    assert sizes == {"beauty": 512, "nq320k": 5120}


def test_costs_are_those_of_the_methods_earlier_runs_scaled_by_items(shop, tmp_path, monkeypatch, capsys):
    """100 s of shared stages once per seed, 10 s for the task; twice the items in the earlier data set."""
    stages = {"encode": {"seconds": 40}, "ids": {"seconds": 160}, "rank.search": {"seconds": 20}}
    runs = tmp_path / "runs"
    cost = {"device": "abacus", "stages": stages, "facts": {}}
    metrics = {"search": {"nDCG@5": 0.1}, "id-quality": {"AMI": 0.1}}
    put(runs, "hc", cost=cost, metrics=metrics, dataset={"counts": {"items": 120}}, preset="tiny")
    asked = ["reproduce", "table5", "--dataset", str(shop), "--preset", "tiny", "--runs", str(runs), "--dry-run"]
    table = replace(paper.TABLE4)
    row = next(row for row in table.spec.rows if row.method == "hc")
    vars(table)["spec"] = replace(table.spec, rows=(row,), columns=(*table.spec.columns, *paper.TABLE1.spec.columns))
    monkeypatch.setattr(output, "chosen_tables", lambda names=None: [table])
    assert main(asked) == 0
    assert "about 110 s (hc 110 s), scaled by items from demo, abacus" in capsys.readouterr().out
    assert estimate([], load_results(runs)) == []
    assert json.loads(next(runs.glob("demo/*/*/*/cost.json")).read_text()) == cost
