"""Cells side by side on one machine: the bytes of a plain run, one failure per dead worker, no orphans."""

import json
import os
import signal
import subprocess
import sys
from concurrent.futures import wait
from pathlib import Path

import pytest
from conftest import FAST
from side_by_side import (
    alive,
    begin_nothing,
    install_actor,
    left_half_written,
    processes,
    results,
    run,
    say_process,
    settings,
    until,
    words,
)

from benchmark.running.executors import local

TWO = ("--workers", "2")


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of processes that find the indexer `actor`."""
    return install_actor(tmp_path_factory.mktemp("site") / "site")


def test_cells_side_by_side_leave_the_bytes_of_one_after_another(
    shop: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    environment = {name: value for name, value in environment.items() if not name.endswith("_NUM_THREADS")}
    small = settings("rqkmeans.codebook_size=8", "random.codebook_size=8")
    errors = []
    for workers in ("1", "2"):
        command = words(shop, tmp_path / workers, "rqkmeans,random", *small, *FAST, "--workers", workers)
        command[command.index("--tasks") + 1] = "id-quality,recommendation"
        errors.append(run(command, environment).stderr)
    one, two = results(tmp_path / "1"), results(tmp_path / "2")
    assert one == two and len([name for name in one if name.endswith("result.json")]) == 2
    assert [sum("encode: " in line and "left" not in line for line in text.splitlines()) for text in errors] == [1, 1]
    costs = [json.loads(path.read_text()) for path in tmp_path.rglob("*/seed-0/cost.json")]
    assert {stage["threads"] for cost in costs for stage in cost["stages"].values()} == {1}
    assert sorted({stage["workers"] for cost in costs for stage in cost["stages"].values()}) == [1, 2]
    assert "  rqkmeans, recommendation, seed 0: train.recommendation: " in errors[1] and "cell 4 of 4: " in errors[1]


def test_a_dead_worker_is_one_failed_cell(shop: Path, tmp_path: Path, environment: dict[str, str]) -> None:
    acts = settings("well.mark=w", "dies.action=kill", "leaves.action=exit", "stops.action=interrupt")
    methods = "dies=actor,leaves=actor,stops=actor,well=actor,random"
    done = run(words(shop, tmp_path, methods, *acts, "--set", "random.codebook_size=8", *TWO), environment, code=1)
    failed = [line for line in done.stderr.splitlines() if line.startswith("benchmark: failed: ")]
    assert [line.partition("seed 0: ")[2].partition(" (")[0] for line in failed] == [
        "its process was ended by the signal SIGKILL; the system does so where memory runs out: fewer --workers need "
        "less",
        "its process ended by itself, with exit code 3",
        "KeyboardInterrupt: nobody pressed it",
    ]
    assert {path.parts[-4] for path in tmp_path.rglob("result.json")} == {"well", "random"}
    assert "well" in done.stdout and "Traceback" not in done.stderr
    report = [sys.executable, "-m", "benchmark", "report", "--runs", str(tmp_path), "--wide"]
    assert "other cells may have run beside" in run(report, environment).stdout


def test_a_worker_that_dies_with_nothing_to_do_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "_begin", begin_nothing)
    monkeypatch.setattr(local, "_compute", say_process)
    slot = local._Slot(None, "", lambda cell, kind, text: None)  # type: ignore[arg-type]
    found = []
    for cell in range(2):
        slot.begin(cell)
        wait([slot.future])
        ended, outcome = slot.end()
        assert (ended, outcome.reason) == (cell, None)
        found.append(int(outcome.warnings[0]))
        os.kill(found[-1], signal.SIGKILL)
        until(lambda: not alive(found[-1]))
    slot.close(kill=True)
    assert found[0] != found[1]


def waiting(shop: Path, folder: Path, workers: str) -> list[str]:
    """Return the run of two cells that wait, each until its file is there."""
    acts = [f"{label}.{key}" for label in "ab" for key in ("action=wait", f"mark={folder / label}")]
    return words(shop, folder / "runs", "a=actor,b=actor", *settings(*acts), "--workers", workers)


def start_and_wait(shop: Path, folder: Path, environment: dict[str, str]) -> tuple[subprocess.Popen[str], list[int]]:
    """Start a run of two cells that wait in their workers; return it, and the numbers of the workers' processes."""
    command = waiting(shop, folder, "2")
    started = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True)
    until(lambda: len(processes(folder)) == 2 or started.poll() is not None)
    return started, processes(folder)


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_ends_all_and_the_same_command_resumes(shop: Path, tmp_path: Path, environment: dict[str, str]) -> None:
    started, workers = start_and_wait(shop, tmp_path, environment)
    os.killpg(started.pid, signal.SIGINT)  # as a terminal does
    _, said = started.communicate(timeout=300)
    assert started.returncode == 130 and "interrupted" in said and "Traceback" not in said
    until(lambda: not any(map(alive, workers)))
    assert len(workers) == 2 and not list(tmp_path.rglob("result.json"))
    for label in "ab":
        (tmp_path / f"{label}-go").touch()
    run(waiting(shop, tmp_path, "1"), environment)
    assert not left_half_written(tmp_path) and len(list(tmp_path.rglob("result.json"))) == 2


def test_workers_end_with_the_process_that_has_started_them(
    shop: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    started, workers = start_and_wait(shop, tmp_path, environment)
    assert len(workers) == 2 and all(map(alive, workers))
    started.kill()
    started.communicate(timeout=300)
    until(lambda: not any(map(alive, workers)))


def test_a_script_needs_no_guard(shop: Path, tmp_path: Path, environment: dict[str, str]) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import benchmark\nprint('begins')\n"
        f"results = benchmark.run(['a=actor', 'b=actor'], {str(shop)!r}, tasks='id-quality', workers=2, quiet=True,\n"
        "                        settings={'a.mark': 'a', 'b.mark': 'b'})\n"
        "print(sorted({result.label for result in results}))\n"
    )
    done = subprocess.run([sys.executable, script], env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout.split("\n")) == (0, ["begins", "['a', 'b']", ""]), done.stderr


def test_each_worker_sees_a_gpu_of_its_own(shop: Path, tmp_path: Path, environment: dict[str, str]) -> None:
    acts = {f"{label}.{key}": value for label in "ab" for key, value in (("action", "device"), ("mark", label))}
    code = (
        "from pathlib import Path\nfrom benchmark.api.run_request import RunRequest\n"
        "from benchmark.running.crew import Crew\nfrom benchmark.running.executors.execution import Execution\n"
        f"request = RunRequest({str(shop)!r}, ['a=actor', 'b=actor'], tasks=['id-quality'], settings={acts})\n"
        "execution = Execution(request.plan(), request.store, 'cpu', Crew(2, 1, ('GPU-7', 'GPU-8')))\n"
        "assert execution.run() == []\n"
    )
    subprocess.run([sys.executable, "-c", code], env=environment, cwd=tmp_path, check=True)
    assert sorted((tmp_path / f"{label}-device").read_text() for label in "ab") == ["GPU-7", "GPU-8"]
