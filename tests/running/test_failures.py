"""Whatever ends a cell, the others are computed, and the exit code is 0 only if every asked cell was printed."""

import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmark import files
from benchmark.cli.main import main
from benchmark.methods.controls import Random


def run(shop: Path, runs: Path, *more: str, methods: str = "random,category") -> int:
    words = ["run", "--dataset", str(shop), "--methods", methods, "--runs", str(runs), "--tasks", "id-quality"]
    return main([*words, "--device", "cpu", *more])


class Unreadable(Exception):
    def __str__(self) -> str:
        raise RuntimeError


ENDS = {
    "sys.exit(0)": (SystemExit(0), "the method called sys.exit(0)"),
    "sys.exit()": (SystemExit(), "the method called sys.exit()"),
    "Ctrl-C that nobody pressed": (KeyboardInterrupt("x"), "KeyboardInterrupt: x"),
    "GeneratorExit": (GeneratorExit(), "GeneratorExit"),
    "an error without text": (Unreadable(), "Unreadable: (its text cannot be read)"),
    "no memory": (MemoryError("too large"), "MemoryError: too large"),
    "a full disk": (OSError(errno.ENOSPC, "No space left on device"), "the disk is full"),
}


@pytest.mark.parametrize("name", ENDS)
def test_a_cell_that_ends_in_any_way_is_reported_and_costs_no_other(
    shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    error, message = ENDS[name]

    def fit(self: Any, corpus: Any, context: Any) -> Any:
        raise error

    monkeypatch.setattr(Random, "fit", fit)
    assert run(shop, tmp_path) == 1
    captured = capsys.readouterr()
    assert f"benchmark: failed: random, id-quality, seed 0: {message}" in captured.err
    assert "category" in captured.out and [path.parts[-4] for path in tmp_path.rglob("result.json")] == ["category"]
    kept = [path.read_text() for path in (tmp_path / "errors").glob("*")]
    assert len(kept) == (name != "a full disk") and all("Traceback" in text and ", in fit" in text for text in kept)


@pytest.mark.parametrize("problem", [PermissionError("read-only"), OSError(errno.ENOSPC, "No space left on device")])
def test_a_traceback_that_cannot_be_kept_costs_no_other_cell(
    shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, problem: OSError
) -> None:
    def fit(self: Any, corpus: Any, context: Any) -> Any:
        raise RuntimeError("no luck")

    mkdtemp = files.tempfile.mkdtemp

    def full(prefix: str, dir: Path) -> str:
        if "errors" in dir.parts:
            raise problem
        return mkdtemp(prefix=prefix, dir=dir)

    monkeypatch.setattr(Random, "fit", fit)
    monkeypatch.setattr(files.tempfile, "mkdtemp", full)
    assert run(shop, tmp_path) == 1
    captured = capsys.readouterr()
    assert "random, id-quality, seed 0: RuntimeError: no luck (at " in captured.err and "category" in captured.out


def test_standard_error_that_cannot_be_written_costs_nothing(shop: Path, tmp_path: Path) -> None:
    words = ["run", "--dataset", str(shop), "--methods", "random", "--runs", str(tmp_path), "--tasks", "id-quality"]
    with open("/dev/full", "w") as full:
        done = subprocess.run([sys.executable, "-m", "benchmark", *words], stdout=subprocess.PIPE, stderr=full)
    assert done.returncode == 0 and b"random" in done.stdout


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_ends_a_run(
    shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr(Random, "fit", lambda self, corpus, context: os.kill(os.getpid(), signal.SIGINT))
    assert run(shop, tmp_path) == 130
    assert "interrupted" in capsys.readouterr().err and not list(tmp_path.rglob("result.json"))
    assert signal.getsignal(signal.SIGINT) == before


def test_a_cell_whose_result_cannot_be_read_afterwards_is_a_failure(
    shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import benchmark.api.run as api

    def keep_current(cells: Any) -> None:
        for path in tmp_path.rglob("random/*/*/result.json"):
            path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 99}))
        raise PermissionError("read-only")

    monkeypatch.setattr(api, "keep_current", keep_current)
    assert run(shop, tmp_path) == 1
    captured = capsys.readouterr()
    assert "failed: random, id-quality, seed 0: " in captured.err and "format is 99" in captured.err
    assert "category" in captured.out


def test_a_command_that_a_plugin_ends_did_not_go_well(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import benchmark.cli.doctor as command

    def execute(arguments: Any) -> int:
        raise SystemExit(0)

    monkeypatch.setattr(command, "execute", execute)
    assert main(["doctor"]) == 1
    assert "sys.exit(0)" in capsys.readouterr().err


def test_a_failure_while_scoring_leaves_nothing_that_looks_like_a_lost_result(
    shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise ValueError("a metric that cannot be")

    words = ["run", "--dataset", str(shop), "--methods", "popularity", "--runs", str(tmp_path), "--device", "cpu"]
    with monkeypatch.context() as patch:
        patch.setattr("benchmark.metrics.ranking.write_scores", fail)
        assert main([*words, "--tasks", "recommendation"]) == 1
    assert not list(tmp_path.rglob("run.recommendation.trec")) and not list(tmp_path.rglob("result.json"))
    assert main([*words, "--tasks", "recommendation"]) == 0 and main(["verify", str(tmp_path)]) == 0
