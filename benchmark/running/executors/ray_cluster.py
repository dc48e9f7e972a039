"""Cells on a Ray cluster: one task per cell, with the cores, GPUs and memory that it asks for.

What is lost with a machine or a killed process is computed again on another one (Ray's `max_retries`); a training
resumes from its checkpoint in the shared folder of runs.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from benchmark.errors import BenchmarkError, MissingDependency, UsageError
from benchmark.running.executors.cluster import RETRIES, Executor, Needs, compute_cell
from benchmark.running.executors.job import Job, Outcome

MOMENT = 0.5  # seconds after which the schedule is looked at again
SHARE = 0.9  # of the largest machine's memory that one cell may ask for


class RayEngine:
    """All cells that may begin are handed to Ray, which starts each where there is room."""

    free = sys.maxsize

    def __init__(self, job: Job, executor: Executor, needs: Callable[[int], Needs]) -> None:
        """Join the cluster of the option `address`, of RAY_ADDRESS, or one on this machine.

        Raises MissingDependency without Ray, BenchmarkError where the cluster cannot be joined, or no machine of it
        has a GPU and one is asked for.
        """
        self._ray = ray = _ray()
        if unknown := executor.options.keys() - {"address"}:
            raise UsageError(f"--executor ray: unknown option '{min(unknown)}'; it has: address")
        self._joined = not ray.is_initialized()
        if self._joined:
            address = {"address": executor.options["address"]} if "address" in executor.options else {}
            _join(ray, address)
        self._needs = needs
        self._cells: dict[Any, int] = {}  # of the tasks that have not ended
        self._job = ray.put(job)
        self._task = ray.remote(compute_cell)

    def __enter__(self) -> RayEngine:
        return self

    def __exit__(self, kind: Any, *_: object) -> None:
        for task in self._cells:
            self._ray.cancel(task, force=True)
        if self._joined:
            self._ray.shutdown()

    def start(self, cells: Sequence[int]) -> None:
        """Hand cells to Ray."""
        for cell in cells:
            task = self._task.options(max_retries=RETRIES, **self._resources(self._needs(cell)))
            self._cells[task.remote(self._job, cell)] = cell

    def wait(self) -> list[tuple[int, Outcome]]:
        """Return the cells that have ended, after a moment at most."""
        ended, _ = self._ray.wait(list(self._cells), num_returns=1, timeout=MOMENT)
        return [(self._cells.pop(task), self._outcome(task)) for task in ended]

    def _outcome(self, task: Any) -> Outcome:
        try:
            outcome: Outcome = self._ray.get(task)
        except self._ray.exceptions.RayError as error:
            lines = [line.strip() for line in str(error).splitlines() if line.strip()]
            return Outcome(f"Ray: {lines[0] if lines else type(error).__name__} (after {RETRIES} retries)")
        return outcome

    def _resources(self, needs: Needs) -> dict[str, Any]:
        """Return what to ask for: never more than some one machine has, or the cell would wait for ever."""
        machines = [node["Resources"] for node in self._ray.nodes() if node["Alive"]]
        able = [machine for machine in machines if machine.get("GPU", 0.0) >= needs.gpus]
        if not able:
            raise BenchmarkError("--device cuda: no machine of the Ray cluster has a GPU; use --device cpu")
        largest = max(able, key=lambda machine: (machine.get("memory", 0.0), machine.get("CPU", 0.0)))
        return {
            "num_cpus": min(needs.cpus, largest.get("CPU", 0.0)), "num_gpus": needs.gpus,
            "memory": int(min(needs.memory, SHARE * largest.get("memory", 0.0))),
        }  # fmt: skip


def _join(ray: Any, address: Mapping[str, str]) -> None:
    try:
        ray.init(**address, include_dashboard=False, logging_level=logging.WARNING)
    except Exception as error:  # Ray raises many kinds
        lines = str(error).splitlines() or [type(error).__name__]
        where = address.get("address") or "of RAY_ADDRESS, or a new one on this machine"
        raise BenchmarkError(f"--executor ray: the cluster {where} cannot be joined: {lines[0]}") from error


def _ray() -> Any:
    try:
        import ray
        import ray.exceptions
    except ImportError:
        raise MissingDependency("--executor ray needs Ray: pip install 'lmindexer-benchmark[ray]'") from None
    return ray
