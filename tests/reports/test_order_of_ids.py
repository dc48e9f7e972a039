"""Recommendation by the order of item ids, against the raw sequences."""

from pathlib import Path

import pytest
from result_files import put

from benchmark.cli.main import main
from benchmark.reports.tables.order_of_ids import BY_ORDER
from benchmark.results.result_files import load_results
from benchmark.types.trec import read_run


def test_each_group_is_a_brute_force_over_the_raw_files(
    shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["run", "--dataset", str(shop), "--methods", "popularity,alphabet", "--tasks", "recommendation"]
    assert main([*words, "--runs", str(tmp_path), "--device", "cpu"]) == 0
    sequences = [line.split() for line in (shop / "sequences.txt").read_text().splitlines()]
    (filled,) = BY_ORDER.fill(load_results(tmp_path))
    for row in filled.rows:
        run = {user: list(items) for user, items in read_run(row.results[0].folder / "run.recommendation.trec").items()}
        shares = {}
        for name, is_of in (("smaller id", lambda a, b: b < a), ("greater id", lambda a, b: b > a)):
            found = [items[-1] in run[user][:10] for user, *items in sequences if is_of(items[-2], items[-1])]
            shares[f"{name} (n = {len(found)})"] = sum(found) / len(found)
        cells = {of.header: cell for of, cell in zip(filled.columns, row.cells, strict=True)}
        assert {name: cells[name].mean for name in shares} == pytest.approx(shares)
    out = tmp_path / "report"
    assert (
        main(["report", "--runs", str(tmp_path), "--tables", BY_ORDER.name, "--format", "md,json", "--out", str(out)])
        == 0
    )
    assert main(["verify", str(out), "--runs", str(tmp_path)]) == 0
    assert "greater id" in (out / "tables.md").read_text()


def test_numbers_are_compared_as_numbers_and_the_same_item_has_a_group_of_its_own(tmp_path: Path) -> None:
    folder = put(tmp_path, "mine", values={"R@10": [1, 0, 1, 1]})
    (folder / "qrels.recommendation.txt").write_text("q0 0 10 1\nq1 0 9 1\nq2 0 9 1\nq3 0 100 1\n")
    (tmp_path / "demo" / "inputs-f1.txt").write_text("q0 9\nq1 10\nq2 9\nq3 20\n")
    (filled,) = BY_ORDER.fill(load_results(tmp_path))
    cells = {of.header: cell.mean for of, cell in zip(filled.columns, filled.rows[0].cells, strict=True)}
    assert cells == {"smaller id (n = 1)": 0, "greater id (n = 2)": 1, "the same item (n = 1)": 1}


def test_without_the_inputs_there_is_no_table(tmp_path: Path) -> None:
    put(tmp_path, "mine", values={"R@10": [1, 0]})
    assert BY_ORDER.fill(load_results(tmp_path)) == []
