"""`--tracker`: what is shown while a model trains is what its log says in the end, and no result depends on it."""

import json
from pathlib import Path
from typing import Any

import pytest
from accelerate.tracking import TensorBoardTracker
from conftest import FAST
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from benchmark.cli.main import main

RUN = ["--methods", "rqvae,gru4rec", "--tasks", "id-quality,recommendation", "--preset", "tiny", "--device", "cpu"]
RUN += [
    "--set",
    "rqvae.codebook_size=6",
    "--set",
    "rqvae.training.steps=20",
    "--set",
    "gru4rec.training.epochs=2",
    *FAST,
]


def run(shop: Path, runs: Path, *words: str) -> int:
    return main(["run", "--dataset", str(shop), *RUN, "--runs", str(runs), *words])


def logged(runs: Path) -> dict[tuple[str, str, str, int], float]:
    """Return (label, stage, name, step) -> value of every cell's log."""
    found = {}
    for path in runs.glob("shop/*/*/seed-0/log.jsonl"):
        for line in map(json.loads, path.read_text().splitlines()):
            label, stage, step = path.parents[2].name, line.pop("in"), line.pop("step")
            training = line.pop("stage")
            found |= {(label, stage, f"{training}/{name}", step): value for name, value in line.items()}
    return found


def shown(runs: Path) -> dict[tuple[str, str, str, int], float]:
    """Return the same of TensorBoard's files."""
    found = {}
    for folder in {path.parent for path in runs.glob("tensorboard/shop/**/events.*")}:
        _, label, seed, stage, _ = folder.relative_to(runs / "tensorboard").parts
        assert seed == "seed-0"
        reader = EventAccumulator(str(folder), size_guidance={"scalars": 0})
        reader.Reload()
        for tag in reader.Tags()["scalars"]:
            found |= {(label, stage, tag, event.step): event.value for event in reader.Scalars(tag)}
    return found


def files(runs: Path) -> dict[str, bytes]:
    """Return the result files that hold no times."""
    names = ("ids.tsv", "scores.recommendation.tsv", "log.jsonl")
    return {str(path.relative_to(runs)): path.read_bytes() for name in names for path in runs.rglob(name)}


@pytest.fixture(scope="module")
def untracked(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    runs = tmp_path_factory.mktemp("untracked")
    assert run(shop, runs, "--workers", "1") == 0
    return runs


@pytest.mark.parametrize("workers", ["1", "2"])
def test_tensorboard_shows_what_the_log_says_and_the_results_are_the_same_bytes(
    shop: Path, tmp_path: Path, untracked: Path, workers: str
) -> None:
    assert run(shop, tmp_path, "--workers", workers, "--tracker", "tensorboard") == 0
    expected = logged(tmp_path)
    assert {stage for _, stage, *_ in expected} == {"ids", "train.recommendation", "rank.recommendation"}
    assert shown(tmp_path) == pytest.approx(expected, rel=1e-6)
    assert files(tmp_path) == files(untracked) and not (untracked / "tensorboard").exists()


@pytest.mark.parametrize("where", ["start", "log"])
def test_a_tracker_that_fails_costs_a_note_and_no_training(
    shop: Path, tmp_path: Path, untracked: Path, where: str, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    def fails(self: Any, *args: Any, **kwargs: Any) -> None:
        raise OSError("no such host")

    monkeypatch.setattr(TensorBoardTracker, where, fails)
    assert run(shop, tmp_path, "--workers", "1", "--tracker", "tensorboard") == 0
    assert "the tracker is disabled, training continues: no such host" in capsys.readouterr().err
    assert files(tmp_path) == files(untracked)


def test_an_unknown_tracker_and_one_that_is_not_installed_are_misuse(
    shop: Path, tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(shop, tmp_path, "--tracker", "tensorbord", "--dry-run") == 2
    assert "Did you mean 'tensorboard'?" in capsys.readouterr().err
    monkeypatch.setattr("accelerate.tracking.get_available_trackers", list)
    assert run(shop, tmp_path, "--tracker", "mlflow", "--dry-run") == 2
    assert "--tracker mlflow: mlflow is not installed: pip install mlflow" in capsys.readouterr().err
