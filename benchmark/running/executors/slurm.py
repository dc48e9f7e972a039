"""Cells as Slurm jobs, by submitit: those that may begin together are one job array.

Walltime and memory come from what earlier runs took. A job that is preempted, or runs out of its time, is queued again
(submitit's checkpoint hook), and its training resumes from the checkpoint in the shared folder of runs.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from benchmark.errors import MissingDependency, UsageError
from benchmark.running.executors.cluster import RETRIES, Executor, Needs, compute_cell, cut_short
from benchmark.running.executors.job import Job, Outcome

MOMENT = 1.0  # seconds after which jobs are looked at again
GIB = 1024**3


class CellJob:
    """One cell as a job: what submitit calls, and what it queues again where the job is cut short."""

    def __init__(self, job: Job, cell: int) -> None:
        self.job, self.cell = job, cell

    def __call__(self) -> Outcome:
        return compute_cell(self.job, self.cell)

    def checkpoint(self) -> Any:
        """Return what takes the job's place: the same cell, whose stages are kept and whose training resumes."""
        from submitit.helpers import DelayedSubmission

        cut_short()
        return DelayedSubmission(CellJob(self.job, self.cell))


class SlurmEngine:
    """Submits cells and waits for them; the command stays until the last one has ended."""

    free = sys.maxsize

    def __init__(self, job: Job, executor: Executor, needs: Callable[[int], Needs]) -> None:
        """Take the options of Slurm: partition, account, qos, constraint, ..; `cluster` is submitit's, 'slurm'."""
        self._submitit = submitit = _submitit()
        options = dict(executor.options)
        cluster = options.pop("cluster", "slurm")
        if cluster not in ("slurm", "local", "debug"):
            raise UsageError(f"--executor slurm: cluster '{cluster}': slurm, local or debug")
        folder = (job.folder / job.store.root / "jobs").resolve()
        self._executor = submitit.AutoExecutor(folder, cluster=cluster, slurm_max_num_timeout=RETRIES)
        self._options = {f"slurm_{key}": int(value) if value.isdecimal() else value for key, value in options.items()}
        self._job, self._needs, self._logs = job, needs, folder
        self._cells: dict[Any, int] = {}  # of the jobs that have not ended

    def __enter__(self) -> SlurmEngine:
        return self

    def __exit__(self, kind: Any, *_: object) -> None:
        for job in self._cells:
            job.cancel()

    def start(self, cells: Sequence[int]) -> None:
        """Submit cells as one job array, each with what the largest of them needs."""
        needs = [self._needs(cell) for cell in cells]
        asked: dict[str, Any] = {
            "name": "benchmark", "timeout_min": math.ceil(max(each.seconds for each in needs) / 60),
            "cpus_per_task": needs[0].cpus, "mem_gb": math.ceil(max(each.memory for each in needs) / GIB),
        }  # fmt: skip
        if needs[0].gpus:
            asked["gpus_per_node"] = needs[0].gpus
        try:
            self._executor.update_parameters(**asked, **self._options)
        except (NameError, TypeError) as error:
            raise UsageError(f"--executor slurm: {str(error).splitlines()[0]}") from error
        with self._executor.batch():
            jobs = [self._executor.submit(CellJob(self._job, cell)) for cell in cells]
        self._cells |= dict(zip(jobs, cells, strict=True))

    def wait(self) -> list[tuple[int, Outcome]]:
        """Return the cells that have ended, after a moment at most."""
        end = time.monotonic() + MOMENT
        while not (ended := [job for job in self._cells if job.done()]) and time.monotonic() < end:
            time.sleep(MOMENT / 10)
        return [(self._cells.pop(job), self._outcome(job)) for job in ended]

    def _outcome(self, job: Any) -> Outcome:
        error = job.exception()
        if error is None:
            outcome: Outcome = job.result()
            return outcome
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        return Outcome(f"job {job.job_id}, {job.state}: {lines[0] if lines else type(error).__name__} ({self._logs})")


def _submitit() -> Any:
    try:
        import submitit
    except ImportError:
        raise MissingDependency("--executor slurm needs submitit: pip install 'lmindexer-benchmark[slurm]'") from None
    return submitit
