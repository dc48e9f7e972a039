"""Which tasks of a run are complete: so their tables can be shown while the other cells are computed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

from benchmark.running.cells import Cell


class TaskTally:
    """Tells each task once when its last cell has ended, failed or not; always in the order of the cells given."""

    def __init__(self, cells: Iterable[Cell], missing: Iterable[Cell], tell: Callable[[str], None]) -> None:
        """`cells` are those of the plan, `missing` those that are yet to end."""
        self._tasks = list(dict.fromkeys(cell.task for cell in cells))
        self._left = Counter(cell.task for cell in missing)
        self._tell = tell

    def ended(self, cell: Cell) -> None:
        """Take note that a cell has ended."""
        self._left[cell.task] -= 1
        self.tell()

    def tell(self) -> None:
        """Tell the tasks that are complete and come next."""
        while self._tasks and not self._left[self._tasks[0]]:
            self._tell(self._tasks.pop(0))
