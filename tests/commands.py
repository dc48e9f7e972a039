"""Commands in processes of their own, forked from one that has imported what they import: they start at once.

What is tested is what a process leaves behind, alive or killed; how Python starts is tested where it matters.
"""

import multiprocessing
import os
import socket
import sys
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import smaller

FORKING = multiprocessing.get_context("forkserver")
FORKING.set_forkserver_preload(["sentence_transformers", "accelerate", "benchmark.api.run", "benchmark.running.record"])


def start(words: list[str], folder: Path) -> BaseProcess:
    """Begin `benchmark WORDS` in a folder; what it prints goes to out.txt and err.txt there."""
    process = FORKING.Process(target=_command, args=(words, folder, smaller.encoder))
    process.start()
    return process


def finish(words: list[str], folder: Path) -> str:
    """Run `benchmark WORDS` to its good end; return what it printed."""
    process = start(words, folder)
    process.join()
    assert process.exitcode == 0, (folder / "err.txt").read_text()
    return (folder / "out.txt").read_text()


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
    processes = [FORKING.Process(target=_part, args=(function, place, arguments)) for place in places]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * ranks


def _part(function: Callable[..., None], place: dict[str, str], arguments: tuple[Any, ...]) -> None:
    os.environ |= place
    function(*arguments)


def _command(words: list[str], folder: Path, encoder: Path | None) -> None:
    os.chdir(folder)
    for name, stream in (("out.txt", 1), ("err.txt", 2)):
        with open(name, "wb") as file:
            os.dup2(file.fileno(), stream)
    from benchmark.cli.main import main

    with smaller.unflushed(), smaller.few_timed_queries(), smaller.packaged_encoder(encoder):
        sys.exit(main(words))
