"""One number of threads for every library: that of the cores which this process may use, or the user's."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmark.threads import (
    OPENMP,
    SET_HERE,
    VARIABLES,
    asked_threads,
    bound_cores,
    limit_threads,
    threads,
    usable_cores,
)

COUNT = (
    "import benchmark, torch, faiss, numba, threadpoolctl, numpy; "
    "print(torch.get_num_threads(), faiss.omp_get_max_threads(), numba.config.NUMBA_NUM_THREADS, "
    "*{pool['num_threads'] for pool in threadpoolctl.threadpool_info()})"
)


@pytest.mark.parametrize(
    ("files", "worth"),
    [
        ({"cpu.max": "50000 100000\n"}, 1), ({"cpu.max": "150000 100000\n"}, 2), ({"cpu.max": "max 100000\n"}, None),
        ({"cpu/cpu.cfs_quota_us": "100000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 1),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, None), ({}, None),
        ({"cpu.max": "nonsense"}, None),
    ],
)  # fmt: skip
def test_a_quota_is_worth_its_cores(tmp_path: Path, files: dict[str, str], worth: int | None) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    nowhere = tmp_path / "nowhere"
    assert usable_cores(tmp_path, nowhere) == min(bound_cores(), worth or bound_cores())


@pytest.mark.parametrize(
    ("line", "file"),
    [
        ("0::/user.slice/job", "user.slice/job/cpu.max"), ("0::/user.slice/job", "user.slice/cpu.max"),
        ("4:cpu,cpuacct:/slurm/job", "cpu/slurm/job/cpu.cfs_quota_us"), ("4:memory:/a\n0::/b", "b/cpu.max"),
    ],
)  # fmt: skip
def test_quotas_count_of_the_group_and_of_those_above_it(tmp_path: Path, line: str, file: str) -> None:
    (tmp_path / "members").write_text(f"{line}\n")
    path = tmp_path / "cgroup" / file
    path.parent.mkdir(parents=True)
    path.write_text("100000 100000\n" if path.name == "cpu.max" else "100000\n")
    (path.parent / "cpu.cfs_period_us").write_text("100000\n")
    assert usable_cores(tmp_path / "cgroup", tmp_path / "members") == 1


def test_what_the_user_has_set_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    assert threads() == usable_cores()
    monkeypatch.setattr("benchmark.threads.bound_cores", lambda: 64)
    monkeypatch.setenv(OPENMP, "3")
    monkeypatch.setenv("NUMBA_NUM_THREADS", "5")
    limit_threads()
    assert threads() == 3
    assert {name: os.environ[name] for name in VARIABLES} == dict.fromkeys(VARIABLES, "3") | {"NUMBA_NUM_THREADS": "5"}


def test_what_a_quota_has_set_is_not_what_the_user_asks_for(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    assert asked_threads() is None
    monkeypatch.delenv(SET_HERE, raising=False)
    monkeypatch.setattr("benchmark.threads.usable_cores", lambda: 2)
    monkeypatch.setattr("benchmark.threads.bound_cores", lambda: 64)
    limit_threads()
    assert (threads(), asked_threads()) == (2, None)
    monkeypatch.setenv(OPENMP, "3")
    assert asked_threads() == 3
    for name in (*VARIABLES, SET_HERE):  # `limit_threads` has set them outside of the fixture
        monkeypatch.delenv(name)


def test_without_a_quota_nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("benchmark.threads.usable_cores", bound_cores)
    limit_threads()
    assert not any(name in os.environ for name in VARIABLES)


@pytest.mark.skipif(bound_cores() < 2, reason="one core: every library has one thread anyway")
def test_every_library_has_the_same_answer() -> None:
    for name, value in ((OPENMP, "1"), ("OMP_WAIT_POLICY", "PASSIVE")):
        kept = {key: text for key, text in os.environ.items() if key not in VARIABLES} | {name: value}
        done = subprocess.run([sys.executable, "-c", COUNT], env=kept, capture_output=True, text=True, check=True)
        expected = {"1"} if name == OPENMP else {str(usable_cores())}
        assert set(done.stdout.split()) == expected


@pytest.mark.skipif(bound_cores() < 2, reason="one core: every library has one thread anyway")
def test_threads_are_limited_for_a_while() -> None:
    before, meanwhile, afterwards = _counted(
        "import torch, faiss, threadpoolctl, numpy\n"
        "from benchmark.threads import limited_to\n"
        "def count(): print(torch.get_num_threads(), *{p['num_threads'] for p in threadpoolctl.threadpool_info()})\n"
        "count()\nwith limited_to(1):\n    count()\ncount()\n"
    )
    assert set(before.split()) == set(afterwards.split()) == {str(usable_cores())} and set(meanwhile.split()) == {"1"}


@pytest.mark.skipif(bound_cores() < 2, reason="one core: every library has one thread anyway")
def test_what_is_loaded_under_a_limit_keeps_to_it() -> None:
    (meanwhile,) = _counted(
        "from benchmark.threads import limited_to\nwith limited_to(1):\n    import torch, faiss, threadpoolctl, numpy\n"
        "    print(torch.get_num_threads(), *{p['num_threads'] for p in threadpoolctl.threadpool_info()})\n"
    )
    assert set(meanwhile.split()) == {"1"}


def _counted(code: str) -> list[str]:
    """Return the lines that a program prints in which nobody has set a number of threads."""
    kept = {name: text for name, text in os.environ.items() if name not in VARIABLES}
    done = subprocess.run([sys.executable, "-c", code], env=kept, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_the_bench_compares_one_thread_with_all(capsys: pytest.CaptureFixture[str]) -> None:
    from benchmark.cli.main import main

    assert main(["bench", "threads", "--small"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == ["idle", "busy"]
    assert all(float(line.split("ratio")[1]) > 0 for line in lines[1:])
