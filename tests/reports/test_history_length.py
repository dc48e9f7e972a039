"""Recommendation by length of the training history: against the raw sequences and ir-measures."""

import json
from pathlib import Path

import ir_measures
import pytest
from result_files import put

from benchmark.cli.main import main
from benchmark.reports.tables.history_length import BY_HISTORY
from benchmark.results.result_files import load_results

NAME = "recommendation-by-history"


@pytest.fixture(scope="module")
def runs(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    words = ["run", "--dataset", str(shop), "--methods", "popularity,item-knn", "--tasks", "recommendation"]
    assert main([*words, "--runs", str(folder), "--device", "cpu"]) == 0
    return folder


def test_each_group_is_what_ir_measures_gives_for_its_users(shop: Path, runs: Path) -> None:
    """Sequences have 4 to 8 items, six users each: training histories of 2 to 6 events."""
    sequences = {user: items for user, *items in map(str.split, (shop / "sequences.txt").read_text().splitlines())}
    lengths = {"short: 2 to 3 events": (2, 3), "medium: 4 events": (4, 4), "long: 5 to 6 events": (5, 6)}
    (filled,) = BY_HISTORY.fill(load_results(runs))
    headers = [f"{measure}, {name}" for measure in ("R@10", "nDCG@10") for name in lengths]
    assert [column.header.partition(" (n = ")[0] for column in filled.columns] == headers
    for row in filled.rows:
        folder = row.results[0].folder
        run = list(ir_measures.read_trec_run(str(folder / "run.recommendation.trec")))
        qrels = list(ir_measures.read_trec_qrels(str(folder / "qrels.recommendation.txt")))
        for column, cell in zip(filled.columns, row.cells, strict=True):
            measure, _, name = column.header.partition(", ")
            low, high = lengths[name.partition(" (n = ")[0]]
            users = {user for user, items in sequences.items() if low <= len(items) - 2 <= high}
            assert f"(n = {len(users)})" in column.header
            parsed = ir_measures.parse_measure(measure)
            of_users = [q for q in qrels if q.query_id in users]
            due = ir_measures.calc_aggregate([parsed], of_users, [d for d in run if d.query_id in users])[parsed]
            assert cell.mean == pytest.approx(due)
            assert cell.low <= cell.mean <= cell.high


@pytest.mark.parametrize(
    ("lengths", "headers"),
    [
        ([1, 1, 1, 1], ["short: 1 event (n = 4)"]),
        ([0, 9, 9, 9], ["short: 0 events (n = 1)", "medium: 9 events (n = 3)"]),
        ([1, 2, 3, 3], ["short: 1 event (n = 1)", "medium: 2 events (n = 1)", "long: 3 events (n = 2)"]),
        ([5, 1, 3, 2, 6, 4], ["short: 1 to 2 events (n = 2)", "medium: 3 to 4 events (n = 2)",
                              "long: 5 to 6 events (n = 2)"]),
    ],
)  # fmt: skip
def test_groups_end_nearest_to_thirds_and_equal_lengths_stay_together(
    lengths: list[int], headers: list[str], tmp_path: Path
) -> None:
    users = [f"q{row}" for row in range(len(lengths))]
    values = [float(row % 2) for row in range(len(lengths))]
    folder = put(tmp_path, "mine", values={"R@10": values, "nDCG@10": values})
    (folder / "qrels.recommendation.txt").write_text("".join(f"{user} 0 a 1\n" for user in users))
    histories = "".join(" ".join([user, *["b"] * n]) + "\n" for user, n in zip(users, lengths, strict=True) if n)
    (tmp_path / "demo" / "histories-f1.txt").write_text(histories)
    (filled,) = BY_HISTORY.fill(load_results(tmp_path))
    assert [column.header for column in filled.columns][: len(headers)] == [f"R@10, {name}" for name in headers]
    assert len(filled.columns) == 2 * len(headers)


def test_verify_recomputes_it_and_finds_an_edit(runs: Path, tmp_path: Path, capsys) -> None:
    assert main(["report", "--runs", str(runs), "--tables", NAME, "--format", "json,md", "--out", str(tmp_path)]) == 0
    assert main(["verify", str(tmp_path), "--runs", str(runs)]) == 0
    tables = json.loads((tmp_path / "tables.json").read_text())
    tables[0]["rows"][1]["cells"][4]["mean"] += 0.01
    (tmp_path / "tables.json").write_text(json.dumps(tables))
    capsys.readouterr()
    assert main(["verify", str(tmp_path), "--runs", str(runs)]) == 1
    assert "the files of its runs give" in capsys.readouterr().out


def test_without_the_histories_there_is_no_table(tmp_path: Path, capsys) -> None:
    put(tmp_path, "mine", values={"R@10": [1, 0]})
    assert BY_HISTORY.fill(load_results(tmp_path)) == []
