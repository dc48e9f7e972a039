"""A foreign run is one more row: the numbers are those of ir_measures on the file, and what cannot be is named."""

import json

import ir_measures
import pytest

from benchmark.cli.main import main
from benchmark.methods.run_file import RunFileConfig
from benchmark.results.result_files import load_results


def test_a_trec_run_scores_as_ir_measures_says_and_verifies(shop, tmp_path, capsys):
    qrels = list(ir_measures.read_trec_qrels(str(shop / "qrels.txt")))
    lines = [f"q{q} Q0 i{(q * 5 + shift) % 60:02} 0 {10 - shift} mine\n" for q in range(11) for shift in range(5)]
    run = tmp_path / "mine.trec"
    run.write_text("".join(lines))
    runs = tmp_path / "runs"
    words = ["--run-file", str(run), "--methods", "bm25", "--dataset", str(shop), "--tasks", "search"]
    assert main(["run", *words, "--runs", str(runs), "--device", "cpu"]) == 0
    assert "mine" in capsys.readouterr().out
    (result,) = [result for result in load_results(runs) if result.label == "mine"]
    measures = [ir_measures.parse_measure(name) for name in ("nDCG@10", "R@1", "RR@10")]
    due = ir_measures.calc_aggregate(measures, qrels, list(ir_measures.read_trec_run(str(run))))
    for measure, value in due.items():
        assert result.metrics["search"][str(measure)] == pytest.approx(value)
    assert any("1 users or queries are not in the file and count 0" in note for note in result.notes)
    assert main(["verify", str(runs)]) == 0


def test_ranks_without_scores_are_noted_below_the_table(shop, tmp_path, capsys):
    """trec_eval reads no ranks either: with one score a query, ir_measures says the same of the file."""
    text = "".join(f"q{q} Q0 i{(q * 5 + rank) % 60:02} {rank} {1.0 if q < 9 else -rank} x\n"
                   for q in range(12) for rank in range(1, 6))  # fmt: skip
    run = tmp_path / "mine.trec"
    run.write_text(text)
    words = ["--run-file", str(run), "--dataset", str(shop), "--tasks", "search", "--runs", str(tmp_path / "runs")]
    assert main(["run", *words, "--device", "cpu"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert (
        "9 users or queries have one score for all their items: the rank column is not read, as in trec_eval" in shown
    )
    (result,) = load_results(tmp_path / "runs")
    qrels = list(ir_measures.read_trec_qrels(str(shop / "qrels.txt")))
    due = ir_measures.calc_aggregate([ir_measures.RR @ 10], qrels, list(ir_measures.read_trec_run(str(run))))
    assert result.metrics["search"]["RR@10"] == pytest.approx(due[ir_measures.RR @ 10])


def test_a_file_taken_for_one_task_is_not_shown_with_what_it_was_taken_for_before(shop, tmp_path, capsys):
    run = tmp_path / "other.trec"
    run.write_text("q0 Q0 i00 1 2.0 x\nu0 Q0 i01 1 2.0 x\n")
    words = [
        "run",
        "--run-file",
        f"o={run}",
        "--dataset",
        str(shop),
        "--runs",
        str(tmp_path / "runs"),
        "--device",
        "cpu",
    ]
    assert main([*words, "--tasks", "search"]) == 0 and "Search" in capsys.readouterr().out
    assert main([*words, "--tasks", "recommendation"]) == 0
    printed = capsys.readouterr().out
    assert "Next-item recommendation" in printed and "Search" not in printed


def test_csv_with_a_seed_in_its_name_is_a_row_with_seeds(shop, tmp_path):
    users = [line.split() for line in (shop / "sequences.txt").read_text().splitlines()]
    for seed in (0, 1):
        rows = [(user, items[-1] if (row + seed) % 2 else items[0], 1.0) for row, (user, *items) in enumerate(users)]
        text = "user,item,score\n" + "".join(f"{user},{item},{score}\n" for user, item, score in rows)
        (tmp_path / f"mine-{seed}.csv").write_text(text)
    runs, pattern = tmp_path / "runs", tmp_path / "mine-{seed}.csv"
    words = ["--run-file", f"mine={pattern}", "--dataset", str(shop), "--tasks", "recommendation", "--seeds", "0,1"]
    assert main(["run", *words, "--runs", str(runs), "--device", "cpu"]) == 0
    found = {result.seed: result.metrics["recommendation"]["R@5"] for result in load_results(runs)}
    assert found == {0: 0.5, 1: 0.5}  # every other user's test item
    scores = {result.seed: (result.folder / "scores.recommendation.tsv").read_text() for result in load_results(runs)}
    assert scores[0] != scores[1]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("q0 Q0 nowhere 1 2.0 x\n", "1 of its items are not in the data set, e.g. 'nowhere'"),
        ("q0 Q0 i00 1 high x\n", ":1: the score 'high' is not a number"),
        ("q0 Q0 i00 1 5 x\nq0 Q0 i01 1 nan x\n", ":2: the score 'nan' is not a finite number"),
        ("zz Q0 i00 1 2.0 x\n", "it has none of the 12 that are asked for"),
        ("", "it holds no ranking"),
    ],
)
def test_a_wrong_file_is_named(shop, tmp_path, capsys, text, words):
    (tmp_path / "bad.trec").write_text(text)
    run = ["run", "--run-file", str(tmp_path / "bad.trec"), "--dataset", str(shop), "--runs", str(tmp_path / "runs")]
    assert main([*run, "--tasks", "search", "--device", "cpu"]) in (1, 2)
    assert words in capsys.readouterr().err


def test_a_missing_file_and_an_unsaid_task_are_misuse(shop, tmp_path, capsys):
    run = ["run", "--dataset", str(shop), "--runs", str(tmp_path / "runs"), "--device", "cpu", "--run-file"]
    assert main([*run, str(tmp_path / "none.trec"), "--tasks", "search"]) in (1, 2)
    assert "no such file" in capsys.readouterr().err
    (tmp_path / "mine.trec").write_text("q0 Q0 i00 1 2.0 x\n")
    assert main([*run, str(tmp_path / "mine.trec")]) == 2
    assert "--tasks recommendation or search" in capsys.readouterr().err


def test_a_changed_file_is_another_result_and_the_same_one_is_not_computed_again(shop, tmp_path, capsys):
    run = tmp_path / "mine.trec"
    words = ["run", "--run-file", str(run), "--dataset", str(shop), "--tasks", "search", "--device", "cpu"]
    run.write_text("q0 Q0 i00 1 2.0 x\n")
    for text in ("q0 Q0 i00 1 2.0 x\n", "q0 Q0 i00 1 2.0 x\n", "q0 Q0 i01 1 2.0 x\n"):
        run.write_text(text)
        assert main([*words, "--runs", str(tmp_path / "runs")]) == 0
    assert len(list((tmp_path / "runs").glob("shop/mine/*"))) == 2
    contents = [json.loads(path.read_text()) for path in (tmp_path / "runs").glob("shop/mine/*/*/result.json")]
    assert {content["kind"] for content in contents} == {"run"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("q0,i00,O.9\nq0,i01,2\n", ":1: the score 'O.9' is not a number"),
        ("q0,i00,nan\nq0,i01,2\n", ":1: the score 'nan' is not a finite number"),
        ("query,item,score\nq0,i00,inf\n", ":2: the score 'inf' is not a finite number"),
        ("query,item,score\nq0,i00,1,2\n", ":2: expected query,item,score, found 4 columns"),
    ],
)
def test_a_damaged_line_of_csv_is_not_taken_for_a_header(shop, tmp_path, capsys, text, words):
    (tmp_path / "bad.csv").write_text(text)
    run = ["run", "--run-file", str(tmp_path / "bad.csv"), "--dataset", str(shop), "--runs", str(tmp_path / "runs")]
    assert main([*run, "--tasks", "search", "--device", "cpu"]) in (1, 2)
    assert words in capsys.readouterr().err


def test_files_that_change_seeds_are_other_results(tmp_path):
    for seed, item in ((0, "a"), (1, "b")):
        (tmp_path / f"run-{seed}.trec").write_text(f"q Q0 {item} 1 1 x\n")
    before = RunFileConfig(path=str(tmp_path / "run-{seed}.trec")).content
    (tmp_path / "run-1.trec").rename(tmp_path / "run-2.trec")
    (tmp_path / "run-0.trec").rename(tmp_path / "run-1.trec")
    assert RunFileConfig(path=str(tmp_path / "run-{seed}.trec")).content != before
