"""The tables id-neighbours and id-churn: from the raw files of a data set, and the report's check of them."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import FAST
from sklearn.feature_extraction.text import TfidfVectorizer

from benchmark.cli.main import main
from benchmark.reports.tables.id_churn import ID_CHURN
from benchmark.reports.tables.id_neighbours import ID_NEIGHBOURS
from benchmark.results.result_files import load_results, read_id_lines

CODES = ["--set", "random.codebook_size=4", "--set", "rqkmeans.codebook_size=4"]


@pytest.fixture(scope="module")
def runs(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    words = ["run", "--dataset", str(shop), "--methods", "rqkmeans,random", "--tasks", "id-quality", "--seeds", "0,1"]
    assert main([*words, *CODES, "--runs", str(folder), "--device", "cpu"]) == 0
    return folder


@pytest.fixture(scope="module")
def cut(small_demo: Iterator[None], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results of a split by time, and of leave-one-out."""
    folder = tmp_path_factory.mktemp("cut")
    words = ["run", "--dataset", "planted:items=200,users=80,days=60", "--methods", "random,popularity", *CODES[:2]]
    words += ["--tasks", "recommendation", *FAST, "--runs", str(folder), "--device", "cpu"]
    assert main([*words, "--split", "time:0.7"]) == 0
    return folder


def test_neighbours_are_counted_over_the_raw_titles(shop: Path, runs: Path) -> None:
    entries = [json.loads(line) for line in (shop / "items.jsonl").open()]
    vectors = TfidfVectorizer().fit_transform([entry["title"] for entry in entries]).toarray()
    (filled,) = ID_NEIGHBOURS.fill(load_results(runs))
    assert [row.label for row in filled.rows] == ["rqkmeans", "random"]
    for row in filled.rows:
        due: dict[str, list[float]] = {}
        for result in row.results:
            ids = list(read_id_lines(result.folder / "ids.tsv").values())
            for depth in (1, 2):
                same = [[a[:depth] == b[:depth] for b in ids] for a in ids]
                hits = []
                for a in range(len(ids)):
                    order = sorted((-round(float(vectors[a] @ vectors[b]), 9), b) for b in range(len(ids)) if b != a)
                    near = [b for cosine, b in order[:10] if cosine]
                    hits.append(sum(same[a][b] for b in near) / len(near))
                chance = (sum(map(sum, same)) - len(ids)) / (len(ids) * (len(ids) - 1))
                due.setdefault(f"neighbour_hit@{depth}", []).append(sum(hits) / len(hits))
                due.setdefault(f"neighbour_hit@{depth} (chance)", []).append(chance)
                due.setdefault(f"neighbour_lift@{depth}", []).append(sum(hits) / len(hits) / chance)
        for column, cell in zip(filled.columns, row.cells, strict=True):
            assert cell.mean == pytest.approx(sum(due[column.measure]) / 2), column.measure
    lift = {row.label: row.cells[2].mean for row in filled.rows}
    assert lift["rqkmeans"] > 1.5 > lift["random"]


def test_churn_is_counted_over_the_stored_events(cut: Path) -> None:
    results = load_results(cut)
    (filled,) = ID_CHURN.fill(results)
    assert [row.label for row in filled.rows] == ["random"]
    (row,) = filled.rows
    result = row.results[0]
    ids = read_id_lines(result.folder / "ids.tsv")
    before = [item for line in result.histories_file.open() for item in line.split()[1:]]
    after = [line.split()[2] for line in (result.folder / "qrels.recommendation.txt").open()]
    due = [sum(item not in before for item in after) / len(after)]
    for depth in (1, 2, 3):
        due.append(sum(ids[item][:depth] not in [ids[b][:depth] for b in before] for item in after) / len(after))
    shares = [[sum(ids[i][0] == code for i in events) / len(events) for code in range(4)] for events in (before, after)]
    due.append(sum(abs(p - q) for p, q in zip(*shares, strict=True)) / 2)
    assert [cell.mean for cell in row.cells] == pytest.approx(due)


def test_without_a_split_by_time_there_is_no_churn(runs: Path) -> None:
    assert ID_CHURN.fill(load_results(runs)) == []


@pytest.mark.parametrize("name", ["id-neighbours", "id-churn"])
def test_verify_recomputes_every_number_with_other_code(name: str, request: pytest.FixtureRequest, tmp_path, capsys):
    runs = request.getfixturevalue("runs" if name == "id-neighbours" else "cut")
    formats = ["--format", "md,json,html,latex,csv", "--out", str(tmp_path)]
    assert main(["report", "--runs", str(runs), "--tables", name, *formats]) == 0
    assert main(["verify", str(tmp_path), "--runs", str(runs)]) == 0
    tables = json.loads((tmp_path / "tables.json").read_text())
    (tmp_path / "edited").mkdir()
    for cell in tables[0]["rows"][0]["cells"]:
        cell["mean"] += 0.001
        (tmp_path / "edited" / "tables.json").write_text(json.dumps(tables))
        capsys.readouterr()
        assert main(["verify", str(tmp_path / "edited"), "--runs", str(runs)]) == 1
        assert "the files of its runs give" in capsys.readouterr().out
        cell["mean"] -= 0.001
