"""`benchmark run` under a launcher of two processes: same files as one process leaves, same learning up to rounding."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import FAST

from benchmark.cli.main import main

METHODS = "rqvae,sasrec,popularity"
SETTINGS = [
    *FAST,
    *("--set", "rqvae.codebook_size=8", "--set", "rqvae.levels=2", "--set", "rqvae.restart_steps=4"),
    *("--set", "rqvae.training.epochs=0", "--set", "rqvae.training.steps=10"),
    *("--set", "sasrec.dropout=0", "--set", "sasrec.training.epochs=2", "--set", "sasrec.training.batch_size=16"),
]


def launched(launcher: list[str], shop: Path, runs: Path) -> dict[str, Path]:
    """Run the command to its end, here or with a launcher; return the results' folders by method."""
    words = ["run", "--dataset", str(shop), "--methods", METHODS, "--tasks", "recommendation", "--preset", "tiny"]
    words += [*SETTINGS, "--runs", str(runs), "--device", "cpu"]
    if launcher:
        command = [sys.executable, "-m", *launcher, "benchmark", *words]
        done = subprocess.run(command, capture_output=True, text=True, cwd=shop.parent)
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("Next-item recommendation") == 1
    else:
        assert main(words) == 0
    return {path.parent.parent.parent.name: path.parent for path in runs.glob("*/*/*/seed-0/result.json")}


@pytest.fixture(scope="module")
def folders(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Path], dict[str, Path]]:
    """Results of one process, and of two."""
    runs = tmp_path_factory.mktemp("runs")
    launcher = ["torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m"]
    return launched([], shop, runs / "one"), launched(launcher, shop, runs / "two")


def read(folder: Path, name: str) -> dict:
    return json.loads((folder / name).read_text())


def test_two_processes_leave_the_files_of_one(folders) -> None:
    one, two = folders
    assert set(one) == set(two) == set(METHODS.split(","))
    for method in one:
        names = [sorted(path.name for path in side[method].iterdir()) for side in (one, two)]
        assert names[0] == names[1]
        users = [len((side[method] / "qrels.recommendation.txt").read_text().splitlines()) for side in (one, two)]
        assert users[0] == users[1] > 0


def test_two_processes_learn_what_one_learns(folders) -> None:
    one, two = folders
    ids = [dict(line.split("\t", 1) for line in (side["rqvae"] / "ids.tsv").open()) for side in (one, two)]
    assert set(ids[0]) == set(ids[1])
    assert sum(ids[0][item] == ids[1][item] for item in ids[0]) >= 0.95 * len(ids[0])
    scores = [read(side["sasrec"], "result.json")["metrics"]["recommendation"]["nDCG@10"] for side in (one, two)]
    assert scores[0] == pytest.approx(scores[1], abs=0.02)


def test_the_device_says_how_many_processes_there_were(folders) -> None:
    one, two = folders
    assert "processes" not in read(one["sasrec"], "cost.json")["device"]
    assert read(two["sasrec"], "cost.json")["device"] == read(one["sasrec"], "cost.json")["device"] + ", 2 processes"
