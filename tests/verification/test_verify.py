"""`benchmark verify` against results that the suite made, against changed digits, and against hand-computed values."""

import json
import random
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import FAST
from hypothesis import given, settings
from hypothesis.strategies import integers, lists
from result_files import put

from benchmark.cli.main import main
from benchmark.verification.agreement import Agreement
from benchmark.verification.ranking import Rankings

pytestmark = pytest.mark.usefixtures("small_encoder")

LABELS = ("rqkmeans", "popularity", "bm25")
Edit = Callable[[Path], Any]


@pytest.fixture(scope="module")
def made(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seeds of three methods; four codes and one level, so that many items share an ID."""
    folder = tmp_path_factory.mktemp("made") / "runs"
    words = ["run", "--dataset", str(shop), "--methods", ",".join(LABELS), "--seeds", "0,1", "--runs", str(folder)]
    crowded = ["--set", "rqkmeans.codebook_size=4", "--set", "rqkmeans.levels=2"]
    assert main([*words, *crowded, *FAST, "--device", "cpu"]) == 0
    shutil.rmtree(folder / ".cache")
    return folder


@pytest.fixture
def runs(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "runs"))


def one(runs: Path, name: str, label: str = "rqkmeans") -> Path:
    return sorted(runs.glob(f"*/{label}/*/seed-0/{name}"))[0]


def found(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, list[dict[str, str]]]:
    """Return the exit code and the findings on numbers; those on changed bytes are the matter of test_digests.py."""
    capsys.readouterr()
    code = main(["verify", *map(str, words), "--json"])
    return code, [f for f in json.loads(capsys.readouterr().out)["findings"] if f["kind"] != "changed"]


def test_every_number_of_a_run_follows_and_every_metric_is_known(
    made: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", str(made)]) == 0
    assert re.match(
        r"6 results: [\d,]+ numbers checked, 0 do not follow, 0 missing, 0 not checked\.", capsys.readouterr().out
    )


def test_every_changed_digit_of_a_metric_is_named(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of each metric of each method one digit, at a random place among those that tables print (and beyond)."""
    draw = random.Random(0)
    for label in LABELS:
        path = one(runs, "result.json", label)
        text, due = path.read_text(), set()
        content = json.loads(text)
        for task, metrics in content["metrics"].items():
            for name, value in metrics.items():
                digits = re.match(r"-?\d+\.\d{1,6}", f"{value:.17f}")
                assert digits
                place = draw.choice([i for i, sign in enumerate(digits[0]) if sign.isdigit()])
                other = draw.choice([digit for digit in "0123456789" if digit != digits[0][place]])
                metrics[name] = float(digits[0][:place] + other + f"{value:.17f}"[place + 1 :])
                due.add(f"{task}, {name}")
        path.write_text(json.dumps(content))
        code, findings = found(capsys, runs)
        assert code == 1
        assert {f["what"] for f in findings} == due
        assert {(f["kind"], f["where"]) for f in findings} == {("wrong", str(path.parent.relative_to(runs)))}
        path.write_text(text)


@pytest.mark.parametrize("name", ["scores.recommendation.tsv", "scores.search.tsv"])
def test_a_changed_score_of_one_query_is_named(name: str, runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = one(runs, name)
    header, first, *rest = path.read_text().split("\n")
    query, value, *others = first.split("\t")
    path.write_text("\n".join([header, "\t".join([query, repr(1.0 - float(value) / 2), *others]), *rest]))
    code, findings = found(capsys, runs)
    measure = header.split("\t")[1]
    assert code == 1
    assert [(f["what"], f"'{query}'" in f["reason"]) for f in findings] == [(f"{name}, {measure}", True)]


def rewrite(pattern: str, replacement: str) -> Edit:
    return lambda path: path.write_text(re.sub(pattern, replacement, path.read_text(), count=1, flags=re.M))


def swap_ranks(path: Path) -> None:
    first, second, *rest = [line.split() for line in path.read_text().splitlines()]
    first[2], second[2] = second[2], first[2]
    path.write_text("\n".join(map(" ".join, [first, second, *rest])) + "\n")


def first_item_twice(path: Path) -> None:
    first, second, *rest = [line.split() for line in path.read_text().splitlines()]
    second[2] = first[2]
    path.write_text("\n".join(map(" ".join, [first, second, *rest])) + "\n")


def rename_query(path: Path) -> None:
    path.write_text(re.sub("^q0 ", "nobody ", path.read_text(), flags=re.M))


def one_rank_more(path: Path) -> None:
    lines = path.read_text().splitlines()
    ranked = [line.split() for line in lines if line.split()[0] == lines[0].split()[0]]
    fresh = next(f"i{row:02}" for row in range(60) if f"i{row:02}" not in {words[2] for words in ranked})
    query, q0, _, rank, score, tag = ranked[-1]
    lines.insert(len(ranked), f"{query} {q0} {fresh} {int(rank) + 1} {float(score) - 1} {tag}")
    path.write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize(
    ("name", "edit", "where", "reason"),
    [
        ("run.search.trec", first_item_twice, "run.search.trec", "names an item twice"),
        ("run.search.trec", one_rank_more, "run.search.trec", "deeper than 20"),
        ("run.search.trec", rewrite(r" i\d\d ", " stranger "), "run.search.trec", "'stranger'"),
        ("run.search.trec", rewrite(r" 2 (?=-)", " 7 "), "run.search.trec", "expected rank 2, got 7"),
        ("run.search.trec", rewrite(r" 2 -[\d.]+", " 2 99.5"), "run.search.trec", "does not fall"),
        ("run.search.trec", rename_query, "run.search.trec", "'nobody'"),
        ("run.recommendation.trec", rewrite(r" Q0", ""), "run.recommendation.trec", "trec:1:"),
        ("qrels.search.txt", rewrite(r" 1$", " x"), "qrels.search.txt", "txt:1:"),
        ("ids.tsv", rewrite(r"^(i\d\d\t)\d", r"\g<1>9"), "ids.tsv", "beyond codebook@1 = 4"),
        ("ids.tsv", rewrite(r"^i00", "i01"), "ids.tsv", "stands there twice"),
        ("ids.unique.tsv", rewrite(r"-\d$", "-55"), "ids.unique.tsv", "'i00' has"),
        ("result.json", rewrite(r'"seed": 0', '"seed": 3'), "seed", "the folder says 'seed-0'"),
        ("result.json", rewrite(r'"users": 30', '"users": 31'), "counts, recommendation, users", "have 30"),
        *((
            "result.json", rewrite(rf'"{name}": (\d+)', rf'"{name}": 9\1'), f"counts, recommendation, {name}", "give"
        ) for name in ("targets_unseen", "targets_compared", "targets_with_greater_id")),
        ("result.json", rewrite(r'"items": 60', '"items": 61'), "counts, id-quality, items", "has 60"),
        ("result.json", rewrite(r'"metrics": \{', '"metrics": ['), "result.json", "not valid JSON"),
        ("result.json", rewrite(r'"unique": [\d.]+', '"unique": "all"'), "result.json", "not a number"),
    ],
)  # fmt: skip
def test_a_file_that_says_what_cannot_be_is_named(
    name: str, edit: Edit, where: str, reason: str, runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = one(runs, name).read_text()
    edit(one(runs, name))
    assert one(runs, name).read_text() != before
    code, findings = found(capsys, runs)
    assert code == 1
    assert any(f["kind"] == "wrong" and f["what"] == where and reason in f["reason"] for f in findings)
    assert {f["where"] for f in findings} == {str(one(runs, name).parent.relative_to(runs))}


def test_a_ranking_in_another_order_changes_what_it_gives(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for label in LABELS[1:]:
        name = "run.recommendation.trec" if label == "popularity" else "run.search.trec"
        path = one(runs, name, label)
        qrels = {tuple(line.split()[::2]) for line in path.with_name(name.replace("run", "qrels")[:-4] + "txt").open()}
        rows = [line.split() for line in path.read_text().splitlines()]
        hit = (
            next(i for i, row in enumerate(rows) if (row[0], row[2]) in qrels and row[3] == "1")
            if label == "bm25"
            else 0
        )
        rows[hit][2], rows[hit + 1][2] = rows[hit + 1][2], rows[hit][2]
        path.write_text("\n".join(map(" ".join, rows)) + "\n")
    _, findings = found(capsys, runs)
    assert {f["what"] for f in findings} >= {"search, R@1", "scores.search.tsv, RR@10"}


@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        ("run.search.trec", "of search"),
        ("qrels.recommendation.txt", "of recommendation"),
        ("scores.search.tsv", "search"),
    ],
)
def test_a_missing_file_is_named_apart_from_what_is_wrong(
    name: str, numbers: str, runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one(runs, name).unlink()
    code, findings = found(capsys, runs)
    assert code == 1
    assert [(f["kind"], f["what"]) for f in findings] == [("missing", name)]
    assert numbers in findings[0]["reason"]


def test_without_the_data_sets_files_the_metrics_that_need_them_are_missing(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in [*runs.glob("*/items-*"), *runs.glob("*/histories-*")]:
        path.unlink()
    code, findings = found(capsys, runs)
    said = " ".join(f["reason"] for f in findings)
    assert code == 1
    assert {f["kind"] for f in findings} == {"missing"}
    assert "AMI@level2" in said and "co_purchase_lift@1" in said and "unique" not in said


def test_a_deleted_result_is_missing_and_a_metric_that_nobody_knows_is_not_passed(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one(runs, "result.json", "bm25").unlink()
    path = one(runs, "result.json", "popularity")
    content = json.loads(path.read_text())
    content["metrics"]["recommendation"]["Novelty@5"] = 0.5
    path.write_text(json.dumps(content))
    code, findings = found(capsys, runs)
    assert code == 1
    assert [(f["kind"], f["what"]) for f in findings] == [
        ("missing", "result.json"), ("not checked", "recommendation, Novelty@5"),
    ]  # fmt: skip


def test_a_folder_without_results_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(tmp_path)]) == 2
    assert f"no results below {tmp_path}" in capsys.readouterr().err
    assert main(["verify", str(tmp_path / "nowhere")]) == 2


# Reports


@pytest.fixture
def report(runs: Path, tmp_path: Path) -> Path:
    out = tmp_path / "out"
    words = ["report", "--runs", str(runs), "--format", "md,latex,json,terminal", "--out", str(out)]
    assert main([*words, "--tables", "id-quality,recommendation,search,cost,paper"]) == 0
    return out


def test_every_number_of_a_report_follows_from_its_results(
    report: Path, runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, findings = found(capsys, report, "--runs", runs)
    assert (code, findings) == (0, [])


def test_a_changed_cell_of_a_report_is_named(report: Path, runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = report / "tables.json"
    tables = json.loads(path.read_text())
    table = next(table for table in tables if table["name"] == "recommendation")
    row = next(row for row in table["rows"] if row["label"] == "rqkmeans")
    row["cells"][1]["mean"] += 1e-4
    row["cells"][2]["low"] -= 1e-4
    row["cells"][3]["bold"] = not row["cells"][3]["bold"]
    path.write_text(json.dumps(tables))
    code, findings = found(capsys, report, "--runs", runs)
    title, headers = table["title"], [column["header"] for column in table["columns"]]
    assert code == 1
    assert {f["what"] for f in findings} == {
        f"{title}, rqkmeans, {headers[1]}", f"{title}, rqkmeans, {headers[1]}, mean",
        f"{title}, rqkmeans, {headers[2]}, low", f"{title}, rqkmeans, {headers[3]}, bold",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["tables.md", "tables.tex", "tables.txt"])
def test_a_changed_digit_of_a_written_table_is_named(
    name: str, report: Path, runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = report / name
    lines = path.read_text().split("\n")
    row = next(i for i, line in enumerate(lines) if "rqkmeans" in line and re.search(r"0\.\d{4}", line))
    lines[row] = re.sub(r"(0\.\d{3})(\d)", lambda m: m[1] + str((int(m[2]) + 1) % 10), lines[row], count=1)
    path.write_text("\n".join(lines))
    _, findings = found(capsys, report, "--runs", runs)
    assert [(f["where"], f["what"]) for f in findings] == [(name, f"line {row + 1}")]


def test_a_result_that_changed_after_the_report_is_named_with_its_cell(
    report: Path, runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = one(runs, "result.json")
    content = json.loads(path.read_text())
    content["metrics"]["search"]["RR@10"] += 1e-3
    path.write_text(json.dumps(content))
    _, findings = found(capsys, report, "--runs", runs)
    assert "search, RR@10" in {f["what"] for f in findings}
    assert any(f["what"] == "Search, rqkmeans, RR@10" for f in findings)
    assert any(f["where"] == "tables.md" for f in findings)


def test_a_report_without_its_runs_is_refused_and_a_lost_result_is_missing(
    report: Path, runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", str(report), "--runs", str(tmp_path / "nowhere")]) == 2
    assert "--runs" in capsys.readouterr().err
    shutil.rmtree(one(runs, "").parent)
    _, findings = found(capsys, report, "--runs", runs)
    assert ("missing", "result.json") in {(f["kind"], f["what"]) for f in findings}


def test_a_file_beside_the_tables_is_not_passed_silently(
    report: Path, runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (report / "summary.html").write_text("<p>0.99</p>")
    code, findings = found(capsys, report, "--runs", runs)
    assert code == 1
    assert [(f["kind"], f["where"]) for f in findings] == [("not checked", "summary.html")]


# The second definitions, by hand and by scikit-learn


def by_hand(name: str, ids: dict[str, tuple[int, ...]] | None = None) -> float:
    grades = {"q": {"a": 2, "b": 1, "c": 1, "x": 0, "z": 3}}
    return float(Rankings(grades, {"q": ["x", "b", "a", "y", "c"]}, ids, 10).values(name)[0])


def test_ranking_metrics_are_what_the_definitions_give_by_hand() -> None:
    discount = [1 / np.log2(rank + 1) for rank in range(1, 6)]
    assert by_hand("R@3") == 2 / 4
    assert by_hand("RR@10") == 1 / 2
    assert by_hand("RR@1") == 0
    assert by_hand("AP@5") == pytest.approx((1 / 2 + 2 / 3 + 3 / 5) / 4)
    assert by_hand("AP@5 (published)") == pytest.approx((1 / 2 + 2 / 3 + 3 / 5) / 3)
    dcg = discount[1] + 2 * discount[2] + discount[4]
    assert by_hand("nDCG@5") == pytest.approx(dcg / (3 * discount[0] + 2 * discount[1] + discount[2] + discount[3]))
    hits = discount[1] + discount[2] + discount[4]
    assert by_hand("nDCG@5 (published)") == pytest.approx(hits / sum(discount[:3]))


def test_collision_aware_metrics_are_what_the_definitions_give_by_hand() -> None:
    """The IDs in ranked order: {x}, {b, y, w}, {a}: the relevant b stands at rank 2, 3 or 4, a at 5."""
    ids = {"x": (0,), "b": (1,), "y": (1,), "w": (1,), "a": (2,), "c": (3,), "z": (4,)}
    assert [by_hand(f"RR@5 ({reading})", ids) for reading in ("strict", "optimistic")] == [1 / 4, 1 / 2]
    assert by_hand("RR@5 (expected)", ids) == pytest.approx((1 / 2 + 1 / 3 + 1 / 4) / 3)
    assert by_hand("RR@2 (expected)", ids) == pytest.approx(1 / 2 / 3)
    assert by_hand("R@3 (expected)", ids) == pytest.approx(2 / 3 / 4)
    assert [by_hand(f"R@3 ({reading})", ids) for reading in ("strict", "optimistic")] == [0, 1 / 4]
    assert by_hand("R@5 (strict)", ids) == 2 / 4


@settings(max_examples=40, deadline=None)
@given(lists(integers(0, 4), min_size=4, max_size=60), integers(0, 99))
def test_mutual_information_is_what_scikit_learn_gives(labels: list[int], seed: int) -> None:
    from sklearn.metrics import adjusted_mutual_info_score, mutual_info_score, normalized_mutual_info_score
    from sklearn.metrics.cluster import contingency_matrix, expected_mutual_information

    clusters = np.random.default_rng(seed).integers(0, 5, len(labels)).tolist()
    own = Agreement(clusters, labels)
    table = contingency_matrix(labels, clusters, sparse=True)
    assert own.information == pytest.approx(mutual_info_score(labels, clusters), abs=1e-12)
    assert own.expected == pytest.approx(expected_mutual_information(table, len(labels)), abs=1e-12)
    if len(set(labels)) > 1 and len(set(clusters)) > 1 and own.adjusted is not None:
        assert own.adjusted == pytest.approx(adjusted_mutual_info_score(labels, clusters), abs=1e-9)
        assert own.normalized == pytest.approx(normalized_mutual_info_score(labels, clusters), abs=1e-12)


def test_a_report_with_chosen_columns_is_verified_by_these(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [
        "report",
        "--runs",
        str(made),
        "--columns",
        "R@10,AMI",
        "--format",
        "json,md",
        "--out",
        str(tmp_path / "out"),
    ]
    assert main(words) == 0
    assert main(["verify", str(tmp_path / "out"), "--runs", str(made)]) == 0, capsys.readouterr().out
    path = tmp_path / "out" / "tables.md"
    path.write_text(path.read_text().replace("0.", "9.", 1))
    assert found(capsys, tmp_path / "out", "--runs", made)[0] == 1


def test_a_report_whose_results_lie_elsewhere_is_refused_with_one_line(
    runs: Path, report: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    others = tmp_path / "others"
    put(others, "other", metrics={"search": {"R@10": 0.5}})
    capsys.readouterr()
    assert main(["verify", str(report), "--runs", str(others)]) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "results that" in said and "was made from lies there; name the folder of results" in said
