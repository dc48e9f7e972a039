"""Cells that could not be computed, and why: whatever ends a cell, the next one is computed.

A method may raise anything, `SystemExit` and `KeyboardInterrupt` among it. Only a signal of the user's ends a run.
"""

from __future__ import annotations

import signal
import threading
import traceback
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from benchmark.errors import BenchmarkError
from benchmark.files import write_text
from benchmark.running.cells import Cell


@dataclass(frozen=True)
class Failure:
    """A cell that could not be computed, with the reason."""

    cell: Cell
    reason: str


def explain(cell: Cell, error: BaseException, folder: Path) -> str:
    """Return what to tell of a cell's error; the traceback of one that is not ours to explain goes into `folder`.

    Raises nothing: a full disk or an error without readable text must not cost the other cells.
    """
    try:
        message = str(error)
    except Exception:
        message = "(its text cannot be read)"
    if isinstance(error, BenchmarkError):
        return message
    what = f"{type(error).__name__}: {message}"
    if isinstance(error, SystemExit):
        what = f"the method called sys.exit({message})"
    trace = folder / f"{cell.variant.label}-{cell.task}-{cell.key}-{cell.seed}.txt"
    try:
        write_text(trace, "".join(traceback.format_exception(error)))
    except Exception as problem:
        last = traceback.extract_tb(error.__traceback__)[-1]
        return f"{what} (at {last.filename}:{last.lineno}; its traceback could not be kept: {problem})"
    return f"{what} (traceback: {trace})"


class Interrupts:
    """Tells Ctrl-C from a KeyboardInterrupt that a method raises; `pressed` says that the user's signal has come.

    `cut_short` is set by whoever else ends the process (a job that is preempted): what is raised then is no method's.
    Outside the main thread nobody can tell: there every KeyboardInterrupt counts as the user's.
    """

    def __init__(self) -> None:
        self.cut_short = False
        self.pressed = threading.current_thread() is not threading.main_thread()
        self._before = signal.getsignal(signal.SIGINT)

    def __enter__(self) -> Interrupts:
        if not self.pressed and callable(self._before):
            signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        if signal.getsignal(signal.SIGINT) == self._note:
            signal.signal(signal.SIGINT, self._before)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.pressed = True
        if callable(self._before):
            self._before(number, frame)
