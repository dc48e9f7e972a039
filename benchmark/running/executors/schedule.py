"""Which cell begins next: no stage is computed twice, and nobody waits for a stage that another is computing.

A cell begins as soon as no running cell is computing a stage that it lacks as well. Cells on whose stages most others
still wait come first, otherwise the order is the plan's. Cells are numbers here: their places in the plan.
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
        self._open = {cell: {stage.final for stage in own} for cell, own in self._lacks.items()}
        self._places = places or {}
        self.todo, self.running = list(self._lacks), list[int]()

    def begin(self, most: int) -> list[int]:
        """Return the cells that begin now, `most` at most."""
        begun: list[int] = []
        busy = {stage.final for cell in self.running for stage in self._still_lacking(cell)}
        for cell in self._in_order() if most else ():
            if len(begun) >= most:
                break
            own = {stage.final for stage in self._still_lacking(cell)}
            if not own & busy:
                begun.append(cell)
                busy |= own
        self.todo = [cell for cell in self.todo if cell not in begun]
        self.running += begun
        return begun

    def end(self, cell: int) -> None:
        """Take out a cell that has ended: nobody waits for its stages any more."""
        self.running.remove(cell)
        built = self._open.pop(cell)
        for stages in self._open.values():
            stages -= built

    def _in_order(self) -> list[int]:
        sharing = Counter(stage for stages in self._open.values() for stage in stages)
        waiting = {cell: sum(sharing[stage] - 1 for stage in self._open[cell]) for cell in self.todo}
        return sorted(self.todo, key=lambda cell: (self._places.get(cell, 0), -waiting[cell]))

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
            schedule.end(cell)
            ended(cell, outcome)
