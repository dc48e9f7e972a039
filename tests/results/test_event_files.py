"""Training curves for TensorBoard: what its own reader finds is what the log says."""

import json
import sys
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from benchmark.cli.main import main

LINES = [
    {"in": "train.search", "stage": "train", "step": 1, "loss": 3.5},
    {"in": "train.search", "stage": "train", "step": 2, "loss": 2.25, "accuracy": 0.5},
    {"in": "ids", "stage": "full", "step": 7, "macro_f1": 0.125},
    {"in": "ids", "step": 8, "loss": 1},
]


@pytest.fixture
def cell(tmp_path: Path) -> Path:
    cell = tmp_path / "cell"
    cell.mkdir()
    (cell / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in LINES))
    return cell


def export(cell: Path, out: Path) -> int:
    return main(["export", str(cell), "--format", "tensorboard", "--out", str(out)])


def test_tensorboard_reads_what_the_log_says(cell: Path, tmp_path: Path) -> None:
    assert export(cell, tmp_path / "curves") == 0
    found = {}
    for folder in (tmp_path / "curves").iterdir():
        reader = EventAccumulator(str(folder))
        reader.Reload()
        for tag in reader.Tags()["scalars"]:
            found |= {(folder.name, tag, event.step): event.value for event in reader.Scalars(tag)}
    assert found == {
        ("train.search", "train/loss", 1): 3.5, ("train.search", "train/loss", 2): 2.25,
        ("train.search", "train/accuracy", 2): 0.5, ("ids", "full/macro_f1", 7): 0.125, ("ids", "loss", 8): 1.0,
    }  # fmt: skip


def test_a_folder_that_is_there_is_left_as_it_is(
    cell: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "curves").mkdir()
    assert export(cell, tmp_path / "curves") == 2
    assert "is already there" in capsys.readouterr().err and not list((tmp_path / "curves").iterdir())


def test_a_damaged_line_is_named_and_nothing_is_written(
    cell: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with (cell / "log.jsonl").open("a") as log:
        log.write('{"in": "../ids", "step": 1, "loss": 1}\n')
    assert export(cell, tmp_path / "curves") == 2
    assert "log.jsonl:5: not a step of a training curve" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cell"]


def test_a_cell_without_curves_and_a_missing_folder_are_misuse(
    cell: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", str(cell), "--format", "tensorboard"]) == 2
    (cell / "log.jsonl").rename(cell / "result.json")
    assert export(cell, tmp_path / "curves") == 2
    said = capsys.readouterr().err
    assert "needs --out FOLDER" in said and "nothing in this cell was trained step by step" in said


def test_without_tensorboard_the_extra_is_named(cell: Path, tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.setitem(sys.modules, "tensorboard.summary.writer.event_file_writer", None)
    assert export(cell, tmp_path / "curves") == 1
    assert "pip install 'lmindexer-benchmark[tensorboard]'" in capsys.readouterr().err
