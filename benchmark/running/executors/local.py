"""Cells side by side on this machine: a pool of one process for each worker.

A pool of several processes ends them all when one of them dies; so each worker has its own, and a killed one costs its
cell alone. Workers start anew (spawn), without the user's script, and end with the process that has started them,
however that ends.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.connection import wait as wait_for_end
from multiprocessing.process import BaseProcess
from types import ModuleType
from typing import Any

from benchmark.running.crew import Crew
from benchmark.running.executors.job import Job, Outcome, Worker
from benchmark.running.progress import RunProgress
from benchmark.streams import separated

MOMENT = 0.3  # seconds after which the schedule is looked at again
TOLD = 0.5  # seconds between two lines of progress that a worker sends

Tell = Callable[[int, str, str], None]  # cell, what it is (log, line or warning), text


class LocalEngine:
    """Workers of this machine, as many as the crew has; use it in a `with` block, which ends them all."""

    def __init__(self, job: Job, crew: Crew, tell: Tell) -> None:
        """Take what is to be computed; `tell` is called, by another thread, with what the workers say."""
        self._slots = [_Slot(job, crew.gpu(number), tell) for number in range(crew.workers)]

    def __enter__(self) -> LocalEngine:
        return self

    def __exit__(self, kind: Any, *_: object) -> None:
        for slot in self._slots:
            slot.close(kill=kind is not None)

    @property
    def free(self) -> int:
        """How many workers have nothing to do."""
        return sum(slot.future is None for slot in self._slots)

    def start(self, cells: Sequence[int]) -> None:
        """Give cells to workers that have nothing to do."""
        idle = [slot for slot in self._slots if slot.future is None]
        for slot, cell in zip(idle, cells, strict=False):
            slot.begin(cell)

    def wait(self) -> list[tuple[int, Outcome]]:
        """Return the cells that have ended, after a moment at most."""
        busy = {slot.future: slot for slot in self._slots if slot.future is not None}
        ended, _ = wait(busy, timeout=MOMENT, return_when=FIRST_COMPLETED)
        return [busy[future].end() for future in ended]


class _Slot:
    """One worker: a pool of one process, made when it is needed."""

    def __init__(self, job: Job, gpu: str, tell: Tell) -> None:
        self._job, self._gpu, self._tell = job, gpu, tell
        self._pool: ProcessPoolExecutor | None = None
        self._process: BaseProcess | None = None
        self.cell = -1
        self.future: Future[Outcome] | None = None

    def begin(self, cell: int) -> None:
        self.cell = cell
        if self._pool is not None:
            try:
                self.future = self._pool.submit(_compute, cell)
                return
            except BrokenProcessPool:  # it was killed while it had nothing to do
                self.close(kill=True)
        context = multiprocessing.get_context("spawn")
        heard, says = context.Pipe(duplex=False)
        self._pool = ProcessPoolExecutor(1, context, _begin, (self._job, self._gpu, says))
        before = multiprocessing.active_children()
        with _apart():
            self.future = self._pool.submit(_compute, cell)
        self._process = next(child for child in multiprocessing.active_children() if child not in before)
        says.close()  # the worker's is the only one: when it ends, nothing more is heard
        self._listening = threading.Thread(target=self._listen, args=(heard,), daemon=True)
        self._listening.start()

    def end(self) -> tuple[int, Outcome]:
        """Return the cell that has ended, and how."""
        future, self.future = self.future, None
        assert future is not None
        try:
            return self.cell, future.result()
        except BrokenProcessPool:
            reason = self._how_it_died()
            self.close(kill=True)
            return self.cell, Outcome(reason)
        except Exception as error:  # of what stands around the cell: its data, its answer
            return self.cell, Outcome(f"{type(error).__name__}: {error}")

    def close(self, *, kill: bool) -> None:
        if kill and self._process is not None:
            self._process.kill()
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._listening.join(10)
        self._pool = self._process = self.future = None

    def _how_it_died(self) -> str:
        process, pool = self._process, self._pool
        assert process is not None
        assert pool is not None
        pool.shutdown(wait=True)  # its thread waits for the process too, and only one of the two is told the exit code
        process.join()
        code = process.exitcode or 0
        if code >= 0:
            return f"its process ended by itself, with exit code {code}"
        name = signal.Signals(-code).name
        short = "; the system does so where memory runs out: fewer --workers need less" if name == "SIGKILL" else ""
        return f"its process was ended by the signal {name}{short}"

    def _listen(self, heard: Connection) -> None:
        while True:
            try:
                cell, kind, text = heard.recv()
            except (EOFError, OSError):
                return
            self._tell(cell, kind, text)


@contextmanager
def _apart() -> Iterator[None]:
    """Start a process that runs none of the user's script again, guarded or not, and hears no Ctrl-C.

    The terminal sends Ctrl-C to all; this process hears it, and ends the others.
    """
    main = sys.modules["__main__"]
    masks = hasattr(signal, "pthread_sigmask")
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}) if masks else None
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main
        if before is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


_worker: Worker
_messages: _Messages


def _begin(job: Job, gpu: str, says: Connection) -> None:
    """Make this process a worker."""
    global _worker, _messages
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if gpu:
        os.environ["CUDA_VISIBLE_DEVICES"] = gpu
    separated().__enter__()
    _messages = _Messages(says)
    logging.getLogger("benchmark").addHandler(_messages)
    progress = RunProgress(lambda line: _messages.send("line", line), every=TOLD)
    _worker = Worker(job, progress, lambda text: _messages.send("log", text))


def _compute(cell: int) -> Outcome:
    _messages.cell = cell
    return _worker.compute(cell)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait_for_end([parent.sentinel])
    os._exit(1)


class _Messages(logging.Handler):
    """Sends what a worker says to the process that has started it."""

    def __init__(self, says: Connection) -> None:
        super().__init__()
        self._says = says
        self.cell = -1  # the one that is computed

    def send(self, kind: str, text: str) -> None:
        """Send one message, whichever thread it comes from."""
        self.acquire()
        try:
            self._says.send((self.cell, kind, text))
        except OSError:
            pass  # nobody listens any more
        finally:
            self.release()

    def emit(self, record: logging.LogRecord) -> None:
        """Send a warning of the suite's."""
        self.send("warning", record.getMessage())
