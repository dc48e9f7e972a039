"""Cells as jobs, by submitit's local executor: the bytes of a plain run, also of a job that was preempted."""

import os
import signal
import subprocess
from pathlib import Path

import pytest
from side_by_side import alive, install_actor, processes, results, run, settings, until, words

pytest.importorskip("submitit", reason="submitit is not installed (the extra `slurm`)")


def test_a_preempted_job_is_queued_again(shop: Path, tmp_path: Path) -> None:
    environment = install_actor(tmp_path / "site")
    acts = settings("a.action=wait", f"a.mark={tmp_path / 'a'}")
    command = words(shop, tmp_path / "jobs", "a=actor", *acts, "--executor", "slurm:cluster=local")
    started = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    until(lambda: len(processes(tmp_path)) == 1 or started.poll() is not None)
    os.kill(processes(tmp_path)[0], signal.SIGUSR2)  # Slurm's warning, as submitit asks for it
    until(lambda: len(processes(tmp_path)) == 2 or started.poll() is not None)
    (tmp_path / "a-go").touch()
    _, said = started.communicate(timeout=300)
    assert started.returncode == 0 and len(processes(tmp_path)) == 2, said
    run(words(shop, tmp_path / "plain", "a=actor", *acts, "--workers", "1"), environment)
    assert results(tmp_path / "jobs") == results(tmp_path / "plain")
    assert not any(map(alive, processes(tmp_path)))


def test_a_job_that_dies_is_one_failed_cell(shop: Path, tmp_path: Path) -> None:
    environment = install_actor(tmp_path / "site")
    acts = settings("dies.action=exit", "well.mark=x")
    command = words(shop, tmp_path / "runs", "dies=actor,well=actor", *acts, "--executor", "slurm:cluster=local")
    said = run(command, environment, code=1).stderr
    assert "benchmark: failed: dies, id-quality, seed 0: job " in said and "Traceback" not in said
    assert [path.parts[-4] for path in tmp_path.rglob("result.json")] == ["well"]
