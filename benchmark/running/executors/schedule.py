"""Which cell begins next: no stage is computed twice, and nobody waits for a stage that another is computing.

A cell begins as soon as no running cell is computing a stage that it lacks as well. Cells on whose stages most others
wait come first, otherwise the order is the plan's. Cells are numbers here: their places in the plan.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from benchmark.running.executors.job import Outcome
from benchmark.running.store import Stage


class Engine(Protocol):
    """Where cells are computed: processes of this machine, or a cluster."""

    @property
    def free(self) -> int:
        """How many more cells may begin now."""
        ...

    def start(self, cells: Sequence[int]) -> None:
        """Let cells begin, all at once."""
        ...

    def wait(self) -> list[tuple[int, Outcome]]:
        """Return the cells that have ended, after a moment at most."""
        ...


class Schedule:
    """The cells that have not begun, and those that are running."""

    def __init__(self, stages: Mapping[int, Sequence[Stage]], places: Mapping[int, int] | None = None) -> None:
        """Take the stages of each cell, and the place of its task: cells of a task end together, and have tables."""
        self._lacks = {cell: [stage for stage in own if not stage.done] for cell, own in stages.items()}
        sharing = Counter(stage.final for own in self._lacks.values() for stage in own)
        waiting = {cell: sum(sharing[stage.final] - 1 for stage in own) for cell, own in self._lacks.items()}
        self.todo = sorted(self._lacks, key=lambda cell: ((places or {}).get(cell, 0), -waiting[cell]))
        self.running: list[int] = []

    def begin(self, most: int) -> list[int]:
        """Return the cells that begin now, `most` at most."""
        begun: list[int] = []
        busy = {stage.final for cell in self.running for stage in self._still_lacking(cell)}
        for cell in self.todo:
            if len(begun) >= most:
                break
            own = {stage.final for stage in self._still_lacking(cell)}
            if not own & busy:
                begun.append(cell)
                busy |= own
        self.todo = [cell for cell in self.todo if cell not in begun]
        self.running += begun
        return begun

    def _still_lacking(self, cell: int) -> list[Stage]:
        self._lacks[cell] = [stage for stage in self._lacks[cell] if not stage.done]
        return self._lacks[cell]


def compute_all(
    schedule: Schedule, engine: Engine, began: Callable[[int], None], ended: Callable[[int, Outcome], None]
) -> None:
    """Compute all cells of a schedule, and tell of each when it begins and ends."""
    while schedule.todo or schedule.running:
        begun = schedule.begin(engine.free)
        for cell in begun:
            began(cell)
        if begun:
            engine.start(begun)
        for cell, outcome in engine.wait():
            schedule.running.remove(cell)
            ended(cell, outcome)
