"""How far a run is: bars on a terminal; in a log file a line every half minute, so that it never looks like a hang.

cell 12 of 40: rqvae, search, seed 0 (9 min so far, about 22 min left)
  train.search: train (may stop early), step 1,200 of 5,000, this cell 95 s so far, about 5 min left in this part
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sized
from dataclasses import dataclass, field
from typing import Any

from benchmark.durations import duration

EVERY = 30.0  # seconds between two lines


@dataclass(eq=False)
class _Loop:
    """One loop that a method or the suite goes through."""

    title: str
    total: int | None
    started: float = field(default_factory=lambda: time.monotonic())
    done: int = 0


class RunProgress:
    """Tells which cell a run is at, of how many, and how long the rest may take.

    Called with an iterable it is the `Progress` of methods: a bar if `bars`, or else what the next line tells. Lines
    are told by a thread, from `with` to its end, also where no loop moves.
    """

    def __init__(
        self, log: Callable[[str], None] = lambda message: None, *, bars: bool = False, every: float | None = None
    ) -> None:
        self._log, self._bars, self._every = log, bars, every
        self._started = self._cell_started = time.monotonic()
        self._stage = ""
        self._loops: list[_Loop] = []  # the innermost last
        self._ended = threading.Event()

    def __enter__(self) -> RunProgress:
        self._started, self._ended = time.monotonic(), threading.Event()
        if not self._bars:
            threading.Thread(target=self._tell, args=(self._ended, self._every or EVERY), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()

    def begin(self) -> None:
        """Count the time of a cell from now on."""
        self._cell_started, self._stage = time.monotonic(), ""

    def cell(self, number: int, total: int, title: str) -> None:
        """Say that a cell begins; the cells before it, which took as long as they took, say how long the rest may."""
        self.begin()
        seconds, before = self._cell_started - self._started, number - 1
        left = f"about {duration(seconds / before * (total - before))} left" if before else ""
        self._log(f"cell {number} of {total}: {title}" + (f" ({duration(seconds)} so far, {left})" if left else ""))

    def stage(self, name: str) -> None:
        """Say which stage of the cell begins."""
        self._stage = name

    def __call__(self, iterable: Iterable[Any], title: str, total: int | None = None) -> Iterable[Any]:
        """Go through an iterable and count."""
        if self._bars:
            from tqdm import tqdm

            bar: Iterable[Any] = tqdm(iterable, desc=f"  {title}", total=total, leave=False, dynamic_ncols=True)
            return bar
        if total is None and isinstance(iterable, Sized):
            total = len(iterable)
        return self._counted(iterable, _Loop(title, total))

    def _counted(self, iterable: Iterable[Any], loop: _Loop) -> Iterator[Any]:
        self._loops.append(loop)
        try:
            for thing in iterable:
                yield thing
                loop.done += 1
        finally:
            self._loops.remove(loop)

    def line(self) -> str:
        """Return where the run is now."""
        now = time.monotonic()
        parts = [f"this cell {duration(now - self._cell_started)} so far"]
        place = self._stage or "at work"
        if loop := next(reversed(self._loops), None):
            of = f" of {loop.total:,}" if loop.total else ""
            place += f": {loop.title} {loop.done:,}{of}"
            if loop.total and loop.done:
                left = (now - loop.started) / loop.done * (loop.total - loop.done)
                parts.append(f"about {duration(left)} left in this part")
        return f"  {place}, {', '.join(parts)}"

    def _tell(self, ended: threading.Event, every: float) -> None:
        while not ended.wait(every):
            self._log(self.line())
