"""Rows of the tables of new items: of one configuration each, with the remarks of their own runs."""

from pathlib import Path

import pytest

from benchmark.cli.main import main
from benchmark.data.cold_start import withheld_items

DATA = "planted:items=120,users=200,queries=20,train_queries=60,departments=2,categories=2,leaves=2"


def run(runs: Path, *words: str) -> int:
    return main(["run", "--dataset", DATA, "--preset", "small", "--runs", str(runs), "--device", "cpu", *words])


def table(runs: Path, name: str, capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    assert main(["report", "--runs", str(runs), "--tables", name, "--format", "md"]) == 0
    return capsys.readouterr().out


def test_one_label_of_two_methods_is_two_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for method, task in (("bm25", "search"), ("item-knn", "recommendation")):
        assert run(tmp_path, "--methods", f"mine={method}", "--split", "cold-start", "--tasks", task) == 0
    out = table(tmp_path, "cold-start", capsys)
    rows = [[cell.strip() == "–" for cell in line.split("|")[2:-2]] for line in out.splitlines() if "| mine" in line]
    assert sorted(rows) == [[False, False, True, True], [True, True, False, False]]


def test_settings_that_were_chosen_with_all_items_are_named_with_their_row(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, "--methods", "bm25,popularity", "--split", "cold-start") == 0
    out = table(tmp_path, "cold-start", capsys)
    assert "- bm25: its settings were chosen with all items known" in out and "of leave-one-out" not in out


def test_shares_of_new_items_are_told_apart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--methods", "random", "--tasks", "id-quality")
    for split in ("leave-one-out", "cold-start:0.12", "cold-start:0.125"):
        assert run(tmp_path, *words, "--split", split) == 0
    assert run(tmp_path, *words, "--split", "cold-start:0.3", "--seeds", "5") == 0
    (header,) = (line for line in table(tmp_path, "id-growth", capsys).splitlines() if line.startswith("| Method"))
    assert [cell.strip() for cell in header.split("|") if cell.strip().endswith("new: ID")] == [
        "12% new: ID", "12.5% new: ID",
    ]  # fmt: skip


def test_compare_takes_the_papers_split_and_their_tables_leave_new_items_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for split in ("leave-one-out", "cold-start"):
        assert run(tmp_path, "--methods", "random,shuffled", "--tasks", "id-quality", "--split", split) == 0
    capsys.readouterr()
    assert main(["compare", "random", "shuffled", "--runs", str(tmp_path)]) == 0
    assert "cold-start" not in capsys.readouterr().out
    assert "cold-start" not in table(tmp_path, "table1", capsys)


def test_a_share_that_leaves_nobody_to_test_is_explained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    known, withheld = sorted("ab", key=lambda item: bool(withheld_items(2, 0.5)["ab".index(item)]))
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "items.jsonl").write_text('{"id": "a", "title": "x"}\n{"id": "b", "title": "y"}\n')
    (tmp_path / "set" / "sequences.txt").write_text(f"u {withheld} {known}\n")
    words = ["run", "--dataset", str(tmp_path / "set"), "--preset", "small", "--runs", str(tmp_path / "runs")]
    words += ["--methods", "popularity", "--device", "cpu", "--tasks", "recommendation", "--split", "cold-start:0.5"]
    assert main(words) == 1
    assert "no user has a known item before the test item; withhold fewer items" in capsys.readouterr().err
