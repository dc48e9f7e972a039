"""The one lock, against other threads and processes. Who waits for it is told which process holds it.

A lock file has content only while a process holds it for long: which process that is, on which machine.
"""

from __future__ import annotations

import json
import logging
import os
import platform
import shlex
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from benchmark.durations import duration

AT_ONCE, AGAIN = 0.5, 30.0  # seconds of waiting until it is said first, and then again


@contextmanager
def lock(path: Path, *, signed: bool = False) -> Iterator[None]:
    """Hold a lock file; it is free again when its holder ends, however it ends.

    A `signed` one says who holds it, so that others know for whom they wait: for work of more than a moment.
    """
    from filelock import FileLock, Timeout

    path.parent.mkdir(parents=True, exist_ok=True)
    handle, started, patience = FileLock(path), time.monotonic(), AT_ONCE
    while not handle.is_locked:
        try:
            handle.acquire(timeout=patience)
        except Timeout:
            waited = duration(time.monotonic() - started)
            logging.getLogger("benchmark").warning("waiting for %s (%s so far): %s", _holder(path), waited, path)
            patience = AGAIN
    try:
        if signed:
            _sign(path)
        yield
    finally:
        if signed:
            with suppress(OSError):
                os.truncate(path, 0)
        handle.release()


def _sign(path: Path) -> None:
    program = Path(sys.argv[0])
    name = program.parent.name if program.name == "__main__.py" else program.name
    holder = {"host": platform.node(), "process": os.getpid(), "command": shlex.join([name, *sys.argv[1:]])[:200]}
    with suppress(OSError):  # a lock without a name is still a lock
        path.write_text(json.dumps(holder), "utf-8")


def _holder(path: Path) -> str:
    """Return who holds a lock, in words that cannot move a terminal's cursor."""
    try:
        said = json.loads(path.read_text("utf-8"))
        text = f"process {said['process']} on {said['host']} ({said['command']})"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
    return "".join(sign if sign.isprintable() else " " for sign in text)
