"""What computes cells in another process: it is sent a job, and answers with one outcome per cell."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from benchmark.running.cells import Plan
from benchmark.running.failures import Interrupts
from benchmark.running.progress import RunProgress
from benchmark.running.runner import Runner
from benchmark.running.store import Store
from benchmark.threads import limited_to


@dataclass(frozen=True)
class Job:
    """A plan, and how its cells are to be computed."""

    plan: Plan
    store: Store
    device: str
    threads: int
    tracker: str = ""
    folder: Path = field(default_factory=Path.cwd)  # relative paths count from here, in every process
    token: str = field(default_factory=lambda: uuid4().hex)  # of this job and no other


@dataclass(frozen=True)
class Outcome:
    """How a cell ended: the reason of its failure, None where it is there; and what was said of the data."""

    reason: str | None = None
    warnings: tuple[str, ...] = ()


@dataclass
class Worker:
    """Computes cells of one job in this process; what they share stays in memory from one to the next."""

    job: Job
    progress: RunProgress
    log: Callable[[str], None]

    def __post_init__(self) -> None:
        os.chdir(self.job.folder)
        self.interrupts, self._kept = Interrupts(), ExitStack()
        self._kept.enter_context(limited_to(self.job.threads))
        self._kept.enter_context(self.progress)
        job = self.job
        self._runner = Runner(
            job.plan, job.store, device=job.device, progress=self.progress, log=self._tell, tracker=job.tracker
        )

    def _tell(self, text: str) -> None:
        self.log(text)  # whichever it is now

    def close(self) -> None:
        """Give back the threads and end the progress of this job."""
        self._kept.close()

    def compute(self, number: int) -> Outcome:
        """Compute the plan's cell of this number."""
        plan = self.job.plan
        cell = plan.cells[number]
        self.progress.begin()
        _ = self._runner.material.corpus, plan.dataset.counts()
        failure = self._runner.compute(cell, self.interrupts)
        return Outcome(failure.reason if failure else None, tuple(plan.dataset.warnings))
