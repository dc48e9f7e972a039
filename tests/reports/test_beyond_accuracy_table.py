"""The table beyond-accuracy against the raw files of the data set, and the report's check of it."""

import json
from collections import Counter
from itertools import combinations
from math import log2
from pathlib import Path
from statistics import fmean

import pytest
from result_files import put

from benchmark.cli.main import main
from benchmark.reports.tables.beyond_accuracy import BEYOND_ACCURACY
from benchmark.results.result_files import load_results

NAME = "beyond-accuracy"
MEASURES = ["R@10", "coverage@10", "item_gini@10", "novelty@10", "popularity@10", "diversity@10"]


@pytest.fixture(scope="module")
def runs(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    words = ["run", "--dataset", str(shop), "--methods", "popularity,item-knn", "--tasks", "recommendation"]
    assert main([*words, "--seeds", "0,1", "--runs", str(folder), "--device", "cpu"]) == 0
    return folder


def test_every_number_is_a_count_over_the_raw_files(shop: Path, runs: Path) -> None:
    items = {entry["id"]: entry["categories"] for line in (shop / "items.jsonl").open() if (entry := json.loads(line))}
    sequences = [line.split() for line in (shop / "sequences.txt").read_text().splitlines()]
    taken = Counter(item for _, *history in sequences for item in history[:-2])
    (filled,) = BEYOND_ACCURACY.fill(load_results(runs))
    assert [column.measure for column in filled.columns] == MEASURES and len(filled.rows) == 2
    for row in filled.rows:
        lists: dict[str, list[str]] = {}
        for line in (row.results[0].folder / "run.recommendation.trec").read_text().splitlines():
            user, _, item, *_ = line.split()
            lists.setdefault(user, []).append(item)
        shown = [ranked[:10] for ranked in lists.values()]
        times = Counter(item for ranked in shown for item in ranked)
        apart = sum(abs(times[a] - times[b]) for a in items for b in items)
        rarer = {item: [(taken[other] < taken[item]) + (taken[other] == taken[item]) / 2 for other in items]
                 for item in items}  # fmt: skip
        alike = [[sum(x == y for x, y in zip(items[a], items[b], strict=True)) / 3 for a, b in combinations(ranked, 2)]
                 for ranked in shown]  # fmt: skip
        due = [
            fmean(history[-1] in lists[user][:10] for user, *history in sequences),
            len(times) / len(items),
            apart / (2 * len(items) * times.total()),
            fmean(fmean(-log2(max(taken[item], 1) / taken.total()) for item in ranked) for ranked in shown),
            fmean(fmean(fmean(rarer[item]) for item in ranked) for ranked in shown),
            fmean(1 - fmean(pairs) for pairs in alike),
        ]
        assert [cell.mean for cell in row.cells] == pytest.approx(due)
        assert all(cell.low - 1e-6 <= cell.mean <= cell.high + 1e-6 for cell in row.cells[3:])


def test_verify_recomputes_every_number_with_other_code(runs: Path, tmp_path: Path, capsys) -> None:
    formats = ["--format", "md,json,html,latex,csv", "--out", str(tmp_path)]
    assert main(["report", "--runs", str(runs), "--tables", NAME, *formats]) == 0
    assert "Diversity@10" in (tmp_path / "tables.md").read_text()
    assert main(["verify", str(tmp_path), "--runs", str(runs)]) == 0
    for place in range(1, len(MEASURES)):
        tables = json.loads((tmp_path / "tables.json").read_text())
        tables[0]["rows"][0]["cells"][place]["mean"] += 0.001
        (tmp_path / "edited").mkdir(exist_ok=True)
        (tmp_path / "edited" / "tables.json").write_text(json.dumps(tables))
        capsys.readouterr()
        assert main(["verify", str(tmp_path / "edited"), "--runs", str(runs)]) == 1
        assert "the files of its runs give" in capsys.readouterr().out


def test_it_is_shown_when_it_is_asked_for_and_narrowed_by_columns(runs: Path, capsys) -> None:
    capsys.readouterr()
    assert main(["report", "--runs", str(runs)]) == 0
    assert "Beyond accuracy" not in capsys.readouterr().out
    words = ["report", "--runs", str(runs), "--tables", NAME, "--columns", "Coverage@10,novelty@10", "--format", "md"]
    assert main(words) == 0
    assert "| Method | Coverage@10 | Novelty@10 | Seeds |" in capsys.readouterr().out


def test_without_the_histories_there_is_no_table_and_without_a_ranking_no_number(tmp_path: Path) -> None:
    for label in ("mine", "without-ranking"):
        folder = put(tmp_path, label, values={"R@10": [1, 0]})
        (folder / "qrels.recommendation.txt").write_text("q0 0 a 1\nq1 0 b 1\n")
        if label == "mine":
            (folder / "run.recommendation.trec").write_text("q0 Q0 a 1 2 t\nq0 Q0 b 2 1 t\nq1 Q0 a 1 1 t\n")
    items = [{"id": name, "title": name, "categories": []} for name in "abcd"]
    (tmp_path / "demo" / "items-f1.jsonl").write_text("".join(json.dumps(item) + "\n" for item in items))
    assert BEYOND_ACCURACY.fill(load_results(tmp_path)) == []
    (tmp_path / "demo" / "histories-f1.txt").write_text("q0 a a a\nq1 b\n")
    (filled,) = BEYOND_ACCURACY.fill(load_results(tmp_path))
    assert [column.measure for column in filled.columns] == MEASURES[:-1], "no categories, no diversity"
    cells = {row.label: [cell.mean for cell in row.cells] for row in filled.rows}
    bits = [(-log2(3 / 4) - log2(1 / 4)) / 2, -log2(3 / 4)]
    # a is shown twice, b once: pairs differ by 1, 2, 2, 1, 1 and 0; percentiles: a 7/8, b 5/8, c and d 1/4
    assert cells["mine"] == pytest.approx([0.5, 0.5, 2 * 7 / (2 * 4 * 3), fmean(bits), 13 / 16])
    assert cells["without-ranking"] == [0.5, None, None, None, None]
