"""`benchmark run --metrics`: more columns for cells that are there already, and nothing else changes."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from conftest import FAST

from benchmark.cli.main import main
from benchmark.metrics.ranking import read_scores
from benchmark.reports.html.command import command
from benchmark.results.result_files import load_results
from benchmark.types.trec import read_qrels, read_run

ASKED = "nDCG@20 P@5 Bpref"
OWN = ["Bpref", "P@5", "nDCG@20"]


@pytest.fixture(scope="module")
def words(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """A finished run of two methods, without further metrics; the words that it was typed with."""
    folder = tmp_path_factory.mktemp("metrics") / "runs"
    words = ["run", "--methods", "popularity,rqkmeans", "--dataset", str(shop), "--runs", str(folder)]
    words += ["--set", "rqkmeans.codebook_size=8", "--set", "rqkmeans.levels=2", *FAST, "--device", "cpu"]
    assert main(words) == 0
    return words


@pytest.fixture(scope="module")
def scored(words: list[str]) -> Path:
    """The same run with further metrics."""
    assert main([*words, "--metrics", ASKED]) == 0
    return Path(words[words.index("--runs") + 1])


def planned(words: list[str], capsys: pytest.CaptureFixture[str], *more: str) -> list[dict[str, Any]]:
    capsys.readouterr()
    assert main([*words, *more, "--dry-run", "--json"]) == 0
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return found


def further(scored: Path, label: str) -> tuple[Path, dict[str, Any]]:
    """Return the folder and the content of the result with further metrics."""
    found = {path: json.loads(path.read_text()) for path in scored.glob(f"shop/{label}/*/seed-0/result.json")}
    assert len(found) == 2
    ((path, content),) = [pair for pair in found.items() if "further_metrics" in pair[1]]
    return path.parent, content


def test_finished_cells_are_scored_again_and_nothing_is_trained(words, capsys) -> None:
    before = planned(words, capsys)
    again = planned(words, capsys, "--metrics", "Bpref P@5 Rprec")
    assert all(cell["done"] for cell in before) and not any(cell["done"] for cell in again)
    assert all(state == "cached" for cell in again for state in cell["stages"].values())
    assert not {cell["folder"] for cell in before} & {cell["folder"] for cell in again}


def test_order_and_spelling_of_the_names_and_those_of_every_task_do_not_count(words, scored, capsys) -> None:
    for text in ("Precision@5, Bpref NDCG@20 R@10", "Bpref nDCG@20 P(rel=1)@5"):
        assert all(cell["done"] for cell in planned(words, capsys, "--metrics", text))
    assert planned(words, capsys, "--metrics", "R@10") == planned(words, capsys)


def test_a_report_says_that_the_metrics_alone_were_others(scored: Path, capsys) -> None:
    capsys.readouterr()
    assert main(["report", "--runs", str(scored)]) == 0
    assert "older results, with other --metrics, are left out" in capsys.readouterr().err


@pytest.mark.parametrize("task", ["recommendation", "search"])
def test_the_values_are_a_count_over_the_stored_ranking(scored: Path, task: str) -> None:
    folder, content = further(scored, "rqkmeans")
    assert content["further_metrics"] == OWN
    run, relevant = read_run(folder / f"run.{task}.trec"), {}
    for query, item, grade in read_qrels(folder / f"qrels.{task}.txt"):
        relevant.setdefault(query, set()).update({item} if grade > 0 else ())
    scores = read_scores(folder / f"scores.{task}.tsv")
    found = [len(relevant[query] & set(list(run.get(query, ()))[:5])) / 5 for query in scores.query_ids]
    assert scores.per_query["P@5"].tolist() == pytest.approx(found) and sum(found) > 0
    assert content["metrics"][task]["P@5"] == pytest.approx(sum(found) / len(found))
    # of judged items that are all relevant, Bpref is the share that was found
    shares = [len(relevant[query] & set(run.get(query, ()))) / len(relevant[query]) for query in scores.query_ids]
    assert scores.per_query["Bpref"].tolist() == pytest.approx(shares)
    assert "Bpref" not in content["metrics"]["id-quality"]


def test_they_are_columns_with_intervals_and_of_compare(words, scored: Path, capsys) -> None:
    capsys.readouterr()
    assert main(["report", "--runs", str(scored), "--format", "json"]) == 0
    tables = {table["name"]: table for table in json.loads(capsys.readouterr().out)}
    for task in ("recommendation", "search"):
        measures = [column["measure"] for column in tables[task]["columns"]]
        assert [name for name in measures if name in OWN] == OWN
        (row,) = [row for row in tables[task]["rows"] if row["label"] == "rqkmeans"]
        assert all(row["cells"][measures.index(name)]["interval"] for name in OWN)
    assert main(["report", "--runs", str(scored), "--columns", "P@5,nDCG@20", "--format", "md"]) == 0
    assert "| Method | P@5 | nDCG@20 |" in capsys.readouterr().out
    assert main(["compare", "rqkmeans", "popularity", "--runs", str(scored), "--json"]) == 0
    (task,) = json.loads(capsys.readouterr().out)
    assert {metric["measure"] for metric in task["metrics"]} >= set(OWN)


def test_the_page_names_the_command_with_them(scored: Path) -> None:
    assert "--metrics 'Bpref P@5 nDCG@20'" in command(
        [result for result in load_results(scored) if result.folder == further(scored, "rqkmeans")[0]]
    )


def test_verify_recomputes_what_it_can_and_says_what_it_cannot(scored: Path, capsys) -> None:
    assert main(["verify", str(scored)]) == 0
    printed = capsys.readouterr().out
    assert "0 do not follow, 0 missing, 0 not checked" in printed
    named = re.findall(r"^not recomputed: .*: (\w+), ([^:]*): computed by ir-measures", printed, re.M)
    assert sorted(set(named)) == [("recommendation", "Bpref"), ("search", "Bpref")]


@pytest.mark.parametrize("name", OWN)
def test_verify_finds_a_changed_mean_of_each(scored: Path, name: str, capsys) -> None:
    folder, content = further(scored, "rqkmeans")
    path = folder / "result.json"
    text = path.read_text()
    content["metrics"]["recommendation"][name] += 0.001
    path.write_text(json.dumps(content))
    assert main(["verify", str(scored)]) == 1
    assert re.search(rf"does not follow: .*: recommendation, {re.escape(name)}: says", capsys.readouterr().out)
    path.write_text(text)


def test_a_run_without_them_shows_the_tables_without_them(words, scored: Path, capsys) -> None:
    assert main(words) == 0
    assert "Bpref" not in capsys.readouterr().out
    assert main(["report", "--runs", str(scored)]) == 0
    assert "Bpref" not in capsys.readouterr().out
    assert main([*words, "--metrics", ASKED]) == 0
    assert "Bpref" in capsys.readouterr().out


def test_a_cut_off_beyond_the_rankings_and_a_run_without_rankings_are_refused(words, capsys) -> None:
    assert main([*words, "--metrics", "nDCG@100"]) == 2
    assert "rankings are 20 items deep" in capsys.readouterr().err
    assert main([*words, "--metrics", "P@5", "--tasks", "id-quality"]) == 2
    assert "no cell of this run has a ranking" in capsys.readouterr().err


def test_show_explains_a_name_and_sweep_passes_it_on(capsys) -> None:
    assert main(["show", "Rprec"]) == 0
    assert "by ir-measures" in capsys.readouterr().out
    words = ["sweep", "--methods", "item-knn", "--over", "neighbours=5,9", "--dataset", "demo"]
    assert main([*words, "--metrics", ASKED, "--print-commands"]) == 0
    assert capsys.readouterr().out.count(f"--metrics '{ASKED}'") == 2
