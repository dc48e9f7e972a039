"""What is told of cells that are computed side by side: one view of all, on a terminal or in a log file.

cell 3 of 12: hgn, recommendation, seed 0 (4 min so far, about 12 min left)
  rqvae, id-quality, seed 0: ids: 12.3 s
  hgn, recommendation, seed 0: rank.recommendation: train 400 of 5,000, this cell 95 s so far, ..
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from benchmark.durations import duration
from benchmark.running import progress
from benchmark.running.executors.job import Outcome


class Board:
    """Tells which cells begin and fail, and where each is: a line per cell, at the foot of a terminal or in a log."""

    def __init__(self, titles: Mapping[int, str], log: Callable[[str], None], *, bars: bool = False) -> None:
        self._titles, self._log, self._bars = titles, log, bars
        self._lines: dict[int, str] = {}  # of the running cells
        self._shown: dict[int, Any] = {}
        self._begun = self._done = 0
        self._said: set[str] = set()
        self._lock = threading.RLock()
        self._ended = threading.Event()

    def __enter__(self) -> Board:
        self._started = time.monotonic()
        if not self._bars:
            threading.Thread(target=self._tell, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for bar in self._shown.values():
            bar.close()

    def began(self, cell: int) -> None:
        """Say that a cell begins, and how long the rest may take, from what is done."""
        with self._lock:
            self._begun += 1
            seconds = time.monotonic() - self._started
            left = seconds / self._done * (len(self._titles) - self._done) if self._done else 0.0
            so_far = f" ({duration(seconds)} so far, about {duration(left)} left)" if self._done else ""
            self._say(f"cell {self._begun} of {len(self._titles)}: {self._titles[cell]}{so_far}")
            self._lines[cell] = "  begins"
            self._show(cell)

    def ended(self, cell: int, outcome: Outcome) -> None:
        """Say that a cell has failed; one that is there has said enough."""
        with self._lock:
            self._done += 1
            self._lines.pop(cell, None)
            if cell in self._shown:
                self._shown.pop(cell).close()
            if outcome.reason is not None:
                self._say(f"  {self._titles[cell]}: failed: {outcome.reason}")

    def hear(self, cell: int, kind: str, text: str) -> None:
        """Take what a worker says: a `log` line, a `warning` (told once), or the `line` that says where its cell is."""
        with self._lock:
            if kind == "line" and cell in self._lines:
                self._lines[cell] = text
                self._show(cell)
            elif kind == "log":
                self._say(f"  {self._titles[cell]}: {text.strip()}")
            elif kind == "warning" and text not in self._said:
                self._said.add(text)
                logging.getLogger("benchmark").warning("%s", text)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Leave the terminal to somebody else for a moment."""
        if not self._bars:
            yield
            return
        from tqdm import tqdm

        with self._lock, tqdm.external_write_mode(file=sys.stderr):
            yield

    def _say(self, text: str) -> None:
        with self.aside():
            self._log(text)

    def _show(self, cell: int) -> None:
        if not self._bars:
            return
        from tqdm import tqdm

        if cell not in self._shown:
            self._shown[cell] = tqdm(total=0, bar_format="{desc}", leave=False, dynamic_ncols=True, file=sys.stderr)
        self._shown[cell].set_description_str(self._line(cell))

    def _line(self, cell: int) -> str:
        return f"  {self._titles[cell]}: {self._lines[cell].strip()}"

    def _tell(self) -> None:
        while not self._ended.wait(progress.EVERY):
            with self._lock:
                for cell in list(self._lines):
                    self._log(self._line(cell))
