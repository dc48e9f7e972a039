"""Commands in processes of their own, forked from one that has imported what they import: they start at once.

What is tested is what a process leaves behind, alive or killed; how Python starts is tested where it matters.
"""

import multiprocessing
import os
import socket
import sys
from collections.abc import Callable, Sequence
from multiprocessing.forkserver import ensure_running
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest
import smaller

TESTS = Path(__file__).parent
FORKING = multiprocessing.get_context("forkserver")
FORKING.set_forkserver_preload(["warm"])


def start(words: Sequence[str], folder: Path, site: Path | None = None) -> BaseProcess:
    """Begin `benchmark WORDS` in a folder; what it prints goes to out.txt and err.txt there.

    `site` is a folder of installed plugins.
    """
    return begin(f"from benchmark.cli.main import main\nsys.exit(main({list(words)!r}))", folder, site)


def finish(words: Sequence[str], folder: Path, site: Path | None = None, code: int = 0) -> str:
    """Run `benchmark WORDS` to its end, which must have this exit code; return what it printed."""
    return ended(start(words, folder, site), folder, code)


def begin(program: str, folder: Path, site: Path | None = None) -> BaseProcess:
    """Begin a Python program in a folder, as `start` does with a command; it has `sys`."""
    process = _forked(_run, program, folder, site, smaller.encoder)
    process.start()
    return process


def ended(process: BaseProcess, folder: Path, code: int = 0) -> str:
    """Wait for the end of a process, which must have this exit code; return what it printed."""
    process.join()
    printed = (folder / "out.txt").read_text()
    assert process.exitcode == code, printed + (folder / "err.txt").read_text()
    return printed


def together(function: Callable[..., None], ranks: int, *arguments: Any) -> None:
    """Let processes work together on a function of a test's module, as a launcher would start them."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    places = [
        {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(ranks), "LOCAL_WORLD_SIZE": str(ranks),
         "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
        for rank in range(ranks)
    ]  # fmt: skip
    processes = [_forked(_part, function, place, arguments) for place in places]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * ranks


def _forked(function: Callable[..., None], *arguments: Any) -> BaseProcess:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(TESTS), prepend=os.pathsep)  # the server has it, and not yet our sys.path
        ensure_running()
    return FORKING.Process(target=function, args=arguments)


def _part(function: Callable[..., None], place: dict[str, str], arguments: tuple[Any, ...]) -> None:
    os.environ |= place
    function(*arguments)


def _run(program: str, folder: Path, site: Path | None, encoder: Path | None) -> None:
    os.chdir(folder)
    for name, stream in (("out.txt", 1), ("err.txt", 2)):
        with open(name, "wb") as file:
            os.dup2(file.fileno(), stream)
    if site is not None:
        sys.path.insert(0, str(site))
    with smaller.unflushed(), smaller.few_timed_queries(), smaller.packaged_encoder(encoder):
        exec(program, {"sys": sys})
