"""The tables of a task are printed as soon as it is complete; in the end each table has been printed once."""

import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import benchmark
from benchmark.api import run as api_run
from benchmark.cli import run_tables
from benchmark.cli.main import main
from benchmark.cli.parsing import parse_settings
from benchmark.registry import load
from benchmark.running.task_tally import TaskTally

pytestmark = pytest.mark.usefixtures("small_encoder")

TASKS = ["id-quality", "recommendation", "search"]
METHODS = "random,popularity,bm25"
QUICK = ["--set", "generative.recommendation.steps=1", "--set", "generative.search.steps=1"]
QUICK += ["--set", "generative.recommendation.epochs=0", "--set", "generative.search.epochs=0"]


@given(st.lists(st.tuples(st.sampled_from(TASKS), st.booleans()), max_size=12), st.randoms())
def test_a_task_is_told_when_its_cells_and_those_of_the_tasks_before_have_ended(drawn, random) -> None:
    cells = [SimpleNamespace(task=task, missing=missing) for task, missing in sorted(drawn, key=lambda cell: cell[0])]
    waiting, told = [cell for cell in cells if cell.missing], []
    tally = TaskTally(cells, list(waiting), told.append)
    tally.tell()
    random.shuffle(waiting)
    while True:
        open_tasks = [task for task in TASKS if any(cell.task == task for cell in waiting)]
        first_open = open_tasks[0] if open_tasks else "~"
        assert told == [task for task in TASKS if task < first_open and any(cell.task == task for cell in cells)]
        if not waiting:
            break
        tally.ended(waiting.pop())


def words_of(shop: Path, runs: Path) -> list[str]:
    words = ["run", "--dataset", str(shop), "--methods", METHODS, "--runs", str(runs), "--device", "cpu"]
    return [*words, "--preset", "tiny", "--wide", *QUICK]


@pytest.fixture(scope="module")
def told(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A run's folder, and what it said: tables on standard output and lines on standard error, in their order."""
    runs, told = tmp_path_factory.mktemp("runs"), []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_tables, "answer", lambda tables: told.append(str(tables)))
        patch.setattr(api_run, "to_stderr", told.append)
        assert main(words_of(shop, runs)) == 0
    return runs, told


def place(told: Sequence[str], start: str) -> int:
    return next(number for number, text in enumerate(told) if text.startswith(start))


def test_the_tables_of_a_task_come_before_the_first_cell_of_the_next_task(told: tuple[Path, list[str]]) -> None:
    lines = told[1]
    assert place(lines, "ID quality\n") < place(lines, "cell 2 of")
    assert place(lines, "Next-item recommendation\n") < place(lines, "cell 4 of") < place(lines, "Search\n")
    assert place(lines, "Search\n") < place(lines, "Cost\n")


def test_a_second_run_prints_the_same_tables_in_the_same_order(shop, told, capsys) -> None:
    runs, lines = told
    printed = "".join(f"{text}\n" for text in lines if text.count("\n") > 3)
    assert main(words_of(shop, runs)) == 0
    assert capsys.readouterr().out == printed
    assert printed == f"{benchmark.load_results(runs).table()}\n"


def test_the_command_below_an_overview_prints_every_table_and_column(shop, told, capsys) -> None:
    runs, lines = told
    words = [word for word in words_of(shop, runs) if word != "--wide"]
    assert main(words) == 0
    printed = capsys.readouterr().out
    *overview, last = printed.splitlines()
    assert "R@10" in printed and not {"R@5", "Train s", "p50 ms"} & set(printed.split())
    assert all(printed.count(line) == 1 for line in overview if line.startswith(("±", "All items", "AMI:")))
    command = shlex.split(last.partition(": ")[2])
    assert command[0] == "benchmark" and main(command[1:]) == 0
    assert capsys.readouterr().out == "".join(f"{text}\n" for text in lines if text.count("\n") > 3)
    assert main(["report", "--runs", str(runs)]) == 0
    assert capsys.readouterr().out == printed


def test_a_run_of_one_task_shows_that_task_alone_whatever_lies_in_the_folder(shop, told, tmp_path, capsys) -> None:
    """What is printed and returned is what a folder without earlier runs would give, but for when it was computed."""
    runs, _ = told
    printed, found = [], []
    for folder in (runs, tmp_path):
        words = [*words_of(shop, folder), "--tasks", "id-quality"]
        assert main(words) == 0
        tables = capsys.readouterr().out
        printed.append([line for line in tables.splitlines() if line.startswith(("ID ", "Next", "Search", "Cost"))])
        assert main([*words, "--json"]) == 0
        found.append([content["metrics"] for content in json.loads(capsys.readouterr().out)["results"]])
    assert printed[0] == printed[1] and "ID quality" in printed[0] and "Search" not in printed[0]
    assert found[0] == found[1] and [list(of) for of in found[0]] == [["id-quality"]]
    settings = parse_settings(QUICK[1::2])
    frame = benchmark.run(
        METHODS, shop, tasks=["recommendation"], preset="tiny", settings=settings, runs=runs, quiet=True, device="cpu"
    ).to_frame()
    assert set(frame.task) == {"recommendation"} and set(frame.label) == {"random", "popularity"}


def test_the_costs_of_a_run_of_one_task_are_those_of_its_stages(told) -> None:
    (result,) = (result for result in benchmark.load_results(told[0]) if result.label == "random")
    stages = result.of_tasks(["recommendation"]).cost["stages"]
    assert {"rank.recommendation", "ids"} <= stages.keys() and not any(name.endswith(".search") for name in stages)
    assert result.of_tasks(result.metrics) is result


def test_a_table_that_cannot_be_filled_costs_no_cell(shop, tmp_path, monkeypatch, capsys) -> None:
    def broken(*_: Any) -> list[Any]:
        raise RuntimeError("no such column")

    monkeypatch.setattr(type(load("table", "id-quality")), "fill", broken)
    with pytest.raises(RuntimeError, match="no such column"):
        main(words_of(shop, tmp_path))
    monkeypatch.undo()
    capsys.readouterr()
    assert main([*words_of(shop, tmp_path), "--dry-run"]) == 0
    assert "0 of 5 cells to compute" in capsys.readouterr().out
