"""How many cells are computed side by side, with how many threads each, and on which GPUs.

On CPU a cell has one thread unless OMP_NUM_THREADS says otherwise, however many there are: so a run leaves the same
bytes whether its cells are computed one after another or side by side.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from benchmark.errors import UsageError, quoted
from benchmark.learning.processes import processes
from benchmark.running.memory import available_memory
from benchmark.threads import asked_threads, threads, usable_cores

VARIABLE = "BENCHMARK_WORKERS"  # what `auto` means, where it is set
WORKER_MEMORY = 2 * 1024**3  # bytes that a worker more may need at the presets for CPUs
MOST = 1024


@dataclass(frozen=True)
class Crew:
    """So many workers, the threads of each, and the GPUs that they take in turn (none: the CPU)."""

    workers: int
    threads: int
    gpus: tuple[str, ...] = ()

    def gpu(self, worker: int) -> str:
        """Return the GPU of a worker as CUDA_VISIBLE_DEVICES names it, '' on CPU."""
        return self.gpus[worker % len(self.gpus)] if self.gpus else ""


def parse_workers(value: int | str, option: str = "--workers") -> int | None:
    """Return the number of workers, None for 'auto'. Raises UsageError, which names the option, for anything else."""
    text = str(value).strip()
    if text == "auto":
        return None
    if isinstance(value, bool) or not text.isdecimal() or len(text) > 4 or not 1 <= int(text) <= MOST:
        raise UsageError(f"{option} {quoted(value)}: auto, or a whole number from 1 to {MOST:,}")
    return int(text)


def make_crew(asked: int | None, device: str, gpus: tuple[str, ...] = ()) -> Crew:
    """Return the crew for a device ('cpu', 'cuda:0', ..) and the GPUs that may be used; None asks for a fitting number.

    That is one worker per GPU, or on CPU as many as cores and memory allow. Raises UsageError for workers under a
    launcher, whose processes work on one cell together.
    """
    if processes() > 1:
        if asked is not None and asked > 1:
            raise UsageError("--workers goes without a launcher, whose processes compute each cell together")
        return Crew(1, threads())
    wanted = asked if asked is not None else _said()
    if device.startswith("cuda"):
        workers = wanted or max(1, len(gpus))
        return Crew(workers, asked_threads() or max(1, usable_cores() // workers), gpus)
    each = asked_threads() or 1
    return Crew(wanted or _fitting(each), each)


def _said() -> int | None:
    return parse_workers(os.environ.get(VARIABLE, "").strip() or "auto", f"{VARIABLE}:")


def _fitting(each: int) -> int:
    memory = available_memory()
    by_memory = MOST if memory is None else memory // WORKER_MEMORY
    return max(1, min(usable_cores() // each, by_memory))


def visible_gpus(name: str, environment: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """Return the GPUs that 'auto' or 'cuda' stands for, or the one of 'cuda:N', as CUDA_VISIBLE_DEVICES names them."""
    import torch

    listed = [word.strip() for word in environment.get("CUDA_VISIBLE_DEVICES", "").split(",") if word.strip()]
    found = tuple(listed or map(str, range(torch.cuda.device_count())))
    number = name.partition(":")[2]
    return found[int(number) :][:1] if number else found
