"""Carries out a plan: in this process, in several side by side, or on a cluster. The bytes are the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

from benchmark.results.result_files import load_results
from benchmark.running.cells import Cell, Plan
from benchmark.running.crew import Crew
from benchmark.running.executors.board import Board
from benchmark.running.executors.cluster import Executor, needs_of
from benchmark.running.executors.job import Job, Outcome
from benchmark.running.executors.local import LocalEngine
from benchmark.running.executors.ray_cluster import RayEngine
from benchmark.running.executors.schedule import Schedule, compute_all
from benchmark.running.executors.slurm import SlurmEngine
from benchmark.running.failures import Failure
from benchmark.running.progress import RunProgress
from benchmark.running.runner import Runner
from benchmark.running.stages import Stages
from benchmark.running.store import Store
from benchmark.threads import asked_threads, limited_to


@dataclass(frozen=True)
class Execution:
    """A plan, where its stages are kept, and what computes its cells."""

    plan: Plan
    store: Store
    device: str
    crew: Crew
    log: Callable[[str], None] = lambda message: None
    bars: bool = False
    executor: Executor = field(default_factory=Executor)
    ended: Callable[[Cell], None] = lambda cell: None  # called after each cell that was missing
    tracker: str = ""  # what shows training curves while they are made

    def run(self) -> list[Failure]:
        """Compute the missing cells; return those that failed, in the plan's order."""
        missing = [number for number, cell in enumerate(self.plan.cells) if not cell.done()]
        if missing and (self.executor.name != "local" or min(self.crew.workers, len(missing)) > 1):
            return self._elsewhere(missing)
        shown = RunProgress(self.log, bars=self.bars)
        with limited_to(self.crew.threads):
            runner = Runner(
                self.plan, self.store, device=self.device, progress=shown, log=self.log, ended=self.ended,
                tracker=self.tracker,
            )  # fmt: skip
            return runner.run()

    def _elsewhere(self, missing: list[int]) -> list[Failure]:
        plan, cells = self.plan, self.plan.cells
        Runner(plan, self.store, log=self.log).prepare()  # here, so that wrong data end the run, and are parsed once
        reasons: dict[int, str] = {}

        def ended(number: int, outcome: Outcome) -> None:
            board.ended(number, outcome)
            plan.dataset.warnings += [said for said in outcome.warnings if said not in plan.dataset.warnings]
            if outcome.reason is not None:
                reasons[number] = outcome.reason
            with board.aside():  # tables may be printed now
                self.ended(cells[number])

        stages = Stages(plan, self.store)
        tasks = list(dict.fromkeys(cell.task for cell in cells))
        places = {number: tasks.index(cells[number].task) for number in missing}
        schedule = Schedule({number: stages.of(cells[number]) for number in missing}, places)
        titles = {number: cells[number].title for number in missing}
        with Board(titles, self.log, bars=self.bars) as board, self._engine(len(missing), board) as engine:
            compute_all(schedule, engine, board.began, ended)
        return [Failure(cells[number], reasons[number]) for number in missing if number in reasons]

    def _engine(self, cells: int, board: Board) -> LocalEngine | RayEngine | SlurmEngine:
        crew = replace(self.crew, workers=min(self.crew.workers, cells))
        device = (
            "cuda:0" if self.device.startswith("cuda") and (crew.gpus or self.executor.name != "local") else self.device
        )
        if self.executor.name == "local":
            store = replace(self.store, workers=crew.workers)
            return LocalEngine(Job(self.plan, store, device, crew.threads, self.tracker), crew, board.hear)
        threads = asked_threads() or 1  # this machine's cores say nothing of those that compute
        job = Job(self.plan, replace(self.store, workers=len(self.plan.cells)), device, threads, self.tracker)
        results = load_results(self.store.root.parent)
        needs = partial(needs_of, self.plan, results=results, threads=threads, device=device)
        kind = RayEngine if self.executor.name == "ray" else SlurmEngine
        return kind(job, self.executor, needs)
