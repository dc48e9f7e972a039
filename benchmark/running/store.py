"""Content-addressed stages: a result is found by the hash of all that decides it, and written whole or not at all.

    CACHE/<stage>/<key>/         a finished stage, sealed: its files and cost.json (seconds, peak memory, device, date)
    CACHE/<stage>/<key>.work/    what survives a kill of a running stage (checkpoints); gone when the stage is whole
    CACHE/<stage>/<key>.lock     held by the process that builds the stage; others are told for whom they wait

The key of a stage holds its inputs' keys, its configuration and a hash of the code that computes it (`code_version`),
so a changed codebook or a repaired bug invalidates exactly what depends on it.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmark.errors import DiskFullError
from benchmark.files import digest, full_disk_names, remove, write_json
from benchmark.learning.processes import process_rank
from benchmark.locks import lock
from benchmark.running.memory import peak_memory, reset_peak_memory
from benchmark.sealing import damage, looks_whole, note_damage, sealed
from benchmark.threads import threads_in_use
from benchmark.types.facts import NESTED_SECONDS, Facts


@dataclass(frozen=True)
class Stage:
    """One stage: a folder under its key. `final` exists only when the stage is whole; the store finds damage."""

    name: str
    key: str
    final: Path

    @property
    def done(self) -> bool:
        """Whether it is there, as far as that can be said without reading its files."""
        return looks_whole(self.final)

    @property
    def work(self) -> Path:
        return self.final.with_name(self.final.name + ".work")

    def cost(self) -> dict[str, Any]:
        """Seconds, peak memory, device and date of the run that built this stage."""
        content: dict[str, Any] = json.loads((self.final / "cost.json").read_text("utf-8"))
        return content


@dataclass(frozen=True)
class Store:
    """All stages below one cache folder."""

    root: Path
    workers: int = field(default=1, compare=False)  # cells that may be computed side by side
    _checked: set[Path] = field(default_factory=set, compare=False, repr=False)  # stages found as they were written

    def stage(self, name: str, decided_by: Mapping[str, Any]) -> Stage:
        """Return the stage that these contents decide."""
        key = digest(decided_by)
        return Stage(name, key, self.root / name / key)

    def has(self, stage: Stage) -> bool:
        """Say whether a finished stage is there to be used; one that is damaged is named and removed."""
        if stage.final in self._checked:
            return True
        if not stage.final.exists():
            return False
        with _alone(stage):
            return self._is_whole(stage)

    def build(
        self, stage: Stage, make: Callable[[Path, Path], Mapping[str, Any]], *, device: str, collective: bool = True
    ) -> Stage:
        """Make the stage unless it is there: `make(folder, work)` fills the folder and returns facts of its own.

        The folder takes its final name only when whole. Under `accelerate launch` every process makes a collective
        stage (training needs them all) and the first process's files count; of any other stage the rest wait for
        the first. Raises BenchmarkError on a full disk.
        """
        if self.has(stage):
            return stage
        if process_rank() > 0 and not collective:
            return self._wait(stage)
        with _alone(stage):  # a process that works side by side may be at the same stage
            return stage if self._is_whole(stage) else self._build(stage, make, device)

    def _is_whole(self, stage: Stage) -> bool:
        if not stage.final.exists():
            return False
        problem = damage(stage.final)
        if problem and process_rank() == 0:
            note_damage(stage.final, problem)
            remove(stage.final)
        elif not problem:
            self._checked.add(stage.final)
            remove(stage.work)  # of a process that was killed right after the stage was whole
        return not problem

    def _build(self, stage: Stage, make: Callable[[Path, Path], Mapping[str, Any]], device: str) -> Stage:
        try:
            with full_disk_names(stage.final):
                return self._write(stage, make, device)
        except DiskFullError as error:
            raise DiskFullError(f"the disk is full: stage '{stage.name}' needs space below {self.root}") from error

    def _write(self, stage: Stage, make: Callable[[Path, Path], Mapping[str, Any]], device: str) -> Stage:
        resumed = stage.work.is_dir() and any(stage.work.iterdir())
        stage.work.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(_NotMine), sealed(stage.final) as folder:
            reset_peak_memory()
            started = time.perf_counter()
            facts = Facts(make(folder, stage.work))
            if process_rank() > 0:
                raise _NotMine
            nested = facts.pop(NESTED_SECONDS, 0.0)
            cost = {
                "seconds": round(time.perf_counter() - started - nested, 3),
                "peak_memory": peak_memory(),
                "device": device,
                "threads": threads_in_use(),
                "workers": self.workers,
                "date": datetime.now(UTC).date().isoformat(),
                "resumed": resumed,  # after a kill, `seconds` counts the last part only
                "facts": dict(facts),
            }
            write_json(folder / "cost.json", cost)
        if process_rank() > 0:
            return self._wait(stage)
        self._checked.add(stage.final)
        remove(stage.work)
        return stage

    def _wait(self, stage: Stage) -> Stage:
        while not self._is_whole(stage):  # if the first process fails, the launcher ends this one
            time.sleep(0.2)
        return stage


class _NotMine(Exception):
    """The first process's files count, so this process drops its own."""


@contextlib.contextmanager
def _alone(stage: Stage) -> Iterator[None]:
    """Hold the stage's lock; of the processes of one launch only the first takes it."""
    if process_rank() > 0:
        yield
        return
    with lock(stage.final.with_name(f"{stage.final.name}.lock"), signed=True):
        yield
