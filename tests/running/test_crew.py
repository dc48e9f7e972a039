"""How many workers there are, with how many threads each, on which GPUs."""

from pathlib import Path

import pytest

from benchmark.errors import UsageError
from benchmark.running import crew
from benchmark.running.crew import Crew, make_crew, parse_workers
from benchmark.running.memory import available_memory

GIB = 1024**3


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight cores, 64 GiB, and nothing set by the user."""
    for name in ("OMP_NUM_THREADS", "BENCHMARK_WORKERS", "WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(crew, "usable_cores", lambda: 8)
    monkeypatch.setattr(crew, "available_memory", lambda: 64 * GIB)


def test_on_cpu_there_is_a_worker_of_one_thread_for_each_core() -> None:
    assert make_crew(None, "cpu") == Crew(8, 1)
    assert make_crew(3, "cpu") == Crew(3, 1)  # the threads stay one: so do the bytes


def test_memory_and_the_users_threads_leave_fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crew, "available_memory", lambda: 5 * GIB)
    assert make_crew(None, "cpu").workers == 2
    monkeypatch.setattr(crew, "available_memory", lambda: 0)
    assert make_crew(None, "cpu").workers == 1
    monkeypatch.setattr(crew, "available_memory", lambda: None)
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    assert make_crew(None, "cpu") == Crew(2, 4)


def test_a_variable_sets_what_auto_means(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCHMARK_WORKERS", "5")
    assert (make_crew(None, "cpu").workers, make_crew(2, "cpu").workers) == (5, 2)
    monkeypatch.setenv("BENCHMARK_WORKERS", "many")
    with pytest.raises(UsageError, match="many"):
        make_crew(None, "cpu")


def test_each_gpu_has_a_worker_and_its_share_of_the_cores() -> None:
    four = make_crew(None, "cuda:0", ("0", "1", "2", "3"))
    assert (four.workers, four.threads, [four.gpu(n) for n in range(4)]) == (4, 2, ["0", "1", "2", "3"])
    shared = make_crew(3, "cuda:0", ("GPU-5f", "GPU-61"))
    assert [shared.gpu(number) for number in range(3)] == ["GPU-5f", "GPU-61", "GPU-5f"]
    assert make_crew(None, "cuda:0", ("7",)).workers == 1


def test_gpus_are_those_that_are_visible(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.device_count", lambda: 3)
    assert crew.visible_gpus("auto", {}) == ("0", "1", "2")
    assert crew.visible_gpus("cuda", {"CUDA_VISIBLE_DEVICES": "4, 6"}) == ("4", "6")
    assert crew.visible_gpus("cuda:1", {"CUDA_VISIBLE_DEVICES": "4,6"}) == ("6",)


def test_a_launcher_has_its_own_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert make_crew(None, "cpu").workers == make_crew(1, "cpu").workers == 1
    with pytest.raises(UsageError, match="launcher"):
        make_crew(2, "cpu")


@pytest.mark.parametrize("value", ["0", "-1", "two", "", "1.5", 2048, True, "9" * 5000])
def test_a_number_of_workers_is_checked(value: int | str) -> None:
    with pytest.raises(UsageError, match="--workers"):
        parse_workers(value)


def test_auto_and_numbers_are_read() -> None:
    assert [parse_workers(value) for value in ("auto", "2", 3)] == [None, 2, 3]


def test_available_memory_is_the_smaller_of_machine_and_container(tmp_path: Path) -> None:
    (tmp_path / "meminfo").write_text("MemTotal: 9 kB\nMemAvailable:    4096 kB\n")
    assert available_memory(tmp_path / "meminfo", tmp_path) == 4096 * 1024
    for name, text in (("max", "3000000"), ("current", "2000000"), ("stat", "anon 1\ninactive_file 500000\n")):
        (tmp_path / f"memory.{name}").write_text(text)
    assert available_memory(tmp_path / "meminfo", tmp_path) == 1_500_000
    (tmp_path / "memory.max").write_text("max\n")
    assert available_memory(tmp_path / "meminfo", tmp_path) == 4096 * 1024
    assert available_memory(tmp_path / "none", tmp_path / "nowhere") is None
