"""Recommendation by how often the next item was taken: against the raw sequences, and the report's check."""

import json
from collections import Counter
from pathlib import Path

import pytest
from result_files import put

from benchmark.cli.main import main
from benchmark.reports.tables.frequency import BY_FREQUENCY
from benchmark.results.result_files import load_results

NAME = "recommendation-by-frequency"


@pytest.fixture(scope="module")
def runs(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    words = ["run", "--dataset", str(shop), "--methods", "popularity,item-knn", "--tasks", "recommendation"]
    assert main([*words, "--runs", str(folder), "--device", "cpu"]) == 0
    return folder


def test_each_band_is_a_brute_force_over_the_raw_files(shop: Path, runs: Path) -> None:
    sequences = [line.split() for line in (shop / "sequences.txt").read_text().splitlines()]
    taken = Counter(item for _, *items in sequences for item in items[:-2])
    (filled,) = BY_FREQUENCY.fill(load_results(runs))
    least = {"0": (0, 0), "1 to 4": (1, 4), "5 to 9": (5, 9)}
    assert len(filled.rows) == 2 and 1 < len(filled.columns) <= 3
    for row in filled.rows:
        run: dict[str, list[str]] = {}
        for line in (row.results[0].folder / "run.recommendation.trec").read_text().splitlines():
            user, _, item, *_ = line.split()
            run.setdefault(user, []).append(item)
        for column, cell in zip(filled.columns, row.cells, strict=True):
            name, _, n = column.header.partition(" (n = ")
            low, high = least[name]
            found = [items[-1] in run[user][:10] for user, *items in sequences if low <= taken[items[-1]] <= high]
            assert len(found) == int(n.rstrip(")")) > 0
            assert cell.mean == pytest.approx(sum(found) / len(found))
            assert cell.low <= cell.mean <= cell.high


def result_of(runs: Path, label: str, seed: int, values: list[float]) -> Path:
    folder = put(runs, label, seed=seed, values={"R@10": values})
    (folder / "qrels.recommendation.txt").write_text("".join(f"q{i} 0 {item} 1\n" for i, item in enumerate("abcd")))
    return folder


def test_bands_begin_where_they_say_and_seeds_are_averaged(tmp_path: Path) -> None:
    events = {"a": 0, "b": 4, "c": 5, "d": 25}
    for seed, values in enumerate(([0, 1, 1, 0], [0, 0, 1, 1])):
        result_of(tmp_path, "mine", seed, values)
    history = " ".join(item for item, n in events.items() for _ in range(n))
    (tmp_path / "demo" / "histories-f1.txt").write_text(f"u {history}\n")
    put(tmp_path, "without-scores", metrics={"recommendation": {"R@10": 0.5}})
    (filled,) = BY_FREQUENCY.fill(load_results(tmp_path))
    assert [column.header for column in filled.columns] == [
        "0 (n = 1)", "1 to 4 (n = 1)", "5 to 9 (n = 1)", "20 or more (n = 1)"
    ]  # fmt: skip
    cells = {row.label: [cell.mean for cell in row.cells] for row in filled.rows}
    assert cells == {"mine": [0, 0.5, 1, 0.5], "without-scores": [None] * 4}


def test_without_the_histories_there_is_no_table_and_a_message(tmp_path: Path, capsys) -> None:
    result_of(tmp_path, "mine", 0, [0, 1, 1, 0])
    assert BY_FREQUENCY.fill(load_results(tmp_path)) == []
    assert main(["report", "--runs", str(tmp_path), "--tables", f"recommendation,{NAME}"]) == 0
    assert capsys.readouterr().err.count("has its values") == 1


def test_it_is_shown_when_it_is_asked_for_and_verified(runs: Path, tmp_path: Path, capsys) -> None:
    assert main(["report", "--runs", str(runs), "--wide"]) == 0
    assert "training events of the next item" not in capsys.readouterr().out
    formats = ["--format", "md,json,html,latex", "--out", str(tmp_path)]
    assert main(["report", "--runs", str(runs), "--tables", NAME, *formats]) == 0
    assert "training events of the next item" in (tmp_path / "tables.md").read_text()
    assert main(["verify", str(tmp_path), "--runs", str(runs)]) == 0
    tables = json.loads((tmp_path / "tables.json").read_text())
    tables[0]["rows"][0]["cells"][0]["mean"] += 0.01
    (tmp_path / "tables.json").write_text(json.dumps(tables))
    assert main(["verify", str(tmp_path), "--runs", str(runs)]) == 1
