"""What engines for several machines share: what a cell asks for, and the worker in a process of the cluster.

All machines see the same folders under the same paths: data, the folder of runs, and the one that the command was
typed in. The suite is installed on each.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from benchmark.errors import UsageError, did_you_mean
from benchmark.results.result_files import Result
from benchmark.running.cells import Plan
from benchmark.running.estimates import estimate_or_guess
from benchmark.running.executors.job import Job, Outcome, Worker
from benchmark.running.progress import RunProgress

EXECUTORS = ("local", "ray", "slurm")
RETRIES = 3  # of a cell that is lost with its machine or its process
START, MARGIN = 600, 3.0  # seconds to begin with, and how much longer than estimated a cell may take
HEADROOM, LEAST = 1.5, 2 * 1024**3  # of memory: more than estimated, and never less than this many bytes


@dataclass(frozen=True)
class Executor:
    """Where cells are computed, and the options of it: 'slurm:partition=gpu,account=lab'."""

    name: str = "local"
    options: Mapping[str, str] = field(default_factory=dict)


def parse_executor(text: str) -> Executor:
    """Read NAME or NAME:KEY=VALUE,KEY=VALUE. Raises UsageError for an unknown name."""
    name, _, rest = text.partition(":")
    if name not in EXECUTORS:
        raise UsageError(f"--executor: unknown executor '{name[:80]}'.{did_you_mean(name, EXECUTORS)}")
    options = {}
    for part in filter(None, (part.strip() for part in rest.split(","))):
        key, equals, value = part.partition("=")
        if not equals or not key.strip().isidentifier():
            raise UsageError(f"--executor {name}: option '{part[:80]}' should read KEY=VALUE")
        options[key.strip()] = value.strip()
    if name == "local" and options:
        raise UsageError("--executor local has no options")
    return Executor(name, options)


@dataclass(frozen=True)
class Needs:
    """What one cell asks a cluster for: cores, GPUs, bytes of memory, seconds."""

    cpus: int
    gpus: int
    memory: int
    seconds: float


def needs_of(plan: Plan, cell: int, results: Sequence[Result], *, threads: int, device: str) -> Needs:
    """Return what a cell may need, from what earlier runs took, or else from its preset."""
    estimate = estimate_or_guess(plan.cells[cell], plan, results)
    memory = max(LEAST, int(HEADROOM * estimate.memory))
    return Needs(threads, int(device.startswith("cuda")), memory, START + MARGIN * estimate.seconds)


_worker: Worker | None = None


def cut_short() -> None:
    """Let whatever is raised from now on end this process's cell without being its failure: the process must end."""
    if _worker is not None:
        _worker.interrupts.cut_short = True


def compute_cell(job: Job, cell: int) -> Outcome:
    """Compute one cell in a process of a cluster; the next cell of the same job finds what this one has loaded."""
    global _worker
    title = job.plan.cells[cell].title

    def log(text: str) -> None:
        print(f"{title}: {text.strip()}", file=sys.stderr, flush=True)

    if _worker is None or _worker.job.token != job.token:
        if _worker is not None:
            _worker.close()
        _worker = Worker(job, RunProgress(lambda text: print(text.strip(), file=sys.stderr, flush=True)), log)
    _worker.log = log
    print(f"{title} begins (process {os.getpid()})", file=sys.stderr, flush=True)
    return _worker.compute(cell)
