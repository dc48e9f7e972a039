"""A log file says every half minute where a run is, and how long the rest may take."""

import time
from pathlib import Path

import pytest

from benchmark.cli.main import main
from benchmark.running import progress
from benchmark.running.progress import RunProgress


class Clock:
    now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(progress, "time", found)
    return found


def test_a_line_tells_the_step_its_count_and_what_is_left(clock: Clock) -> None:
    lines: list[str] = []
    shown = RunProgress(lines.append)
    shown.cell(1, 3, "rqvae, search, seed 0")
    shown.stage("train.search")
    clock.now += 10
    told = []
    for number in shown(range(2000), "train"):
        clock.now += 0.5
        if number == 399:  # 399 steps in 200 seconds; 1,601 are left
            told.append(shown.line())
            list(shown(iter("ab"), "within"))
    assert told == ["  train.search: train 399 of 2,000, this cell 4 min so far, about 13 min left in this part"]
    assert shown.line() == "  train.search, this cell 17 min so far"
    shown.cell(2, 3, "rqvae, search, seed 1")
    assert lines == [
        "cell 1 of 3: rqvae, search, seed 0",
        "cell 2 of 3: rqvae, search, seed 1 (17 min so far, about 34 min left)",
    ]


def test_a_loop_of_unknown_length_and_one_that_is_left_early_are_counted(clock: Clock) -> None:
    shown = RunProgress()
    for letter in shown(iter("abc"), "letters"):
        if letter == "b":
            assert shown.line() == "  at work: letters 1, this cell 0 s so far"
            break
    assert shown.line() == "  at work, this cell 0 s so far"


def test_lines_come_while_nothing_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "EVERY", 0.05)
    lines: list[str] = []
    with RunProgress(lines.append) as shown:
        shown.stage("ids")
        end = time.monotonic() + 30
        while len(lines) < 3 and time.monotonic() < end:
            time.sleep(0.05)
    told = len(lines)
    assert told >= 3 and set(lines) == {"  ids, this cell 0 s so far"}
    time.sleep(0.2)
    assert len(lines) <= told + 1


def test_a_run_says_which_cell_of_how_many(shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["run", "--dataset", str(shop), "--methods", "random,category", "--runs", str(tmp_path)]
    assert main([*words, "--tasks", "id-quality", "--device", "cpu"]) == 0
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("cell ")]
    assert lines[0] == "cell 1 of 2: random, id-quality, seed 0"
    assert lines[1].startswith("cell 2 of 2: category, id-quality, seed 0 (") and lines[1].endswith(" s left)")
