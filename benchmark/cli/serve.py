"""Serve a finished cell of an indexer as a small local web page and JSON API: ask it, and walk through its IDs.

  benchmark serve runs/demo/rqvae
  benchmark serve runs/demo/rqvae --port 8123 --task search

The page is served to this machine alone unless --host names another address; nobody is asked for a password there.
Ctrl-C ends it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmark.streams import answer, answers


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `benchmark serve`."""
    parser.add_argument("cell", type=Path, help="a finished cell of an indexer, as RUNS/<dataset>/<label>")
    parser.add_argument(
        "--task", choices=("search", "recommendation"), default="", help="default: all it was trained for"
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1: this machine alone)")
    parser.add_argument("--port", type=int, default=8000, help="port (8000; 0 takes a free one)")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")


def execute(arguments: argparse.Namespace) -> int:
    """Serve until Ctrl-C."""
    from benchmark.ids.asking import Answerer
    from benchmark.ids.serving import Server
    from benchmark.learning.devices import choose_device

    answerer = Answerer.open(arguments.cell, task=arguments.task, device=choose_device(arguments.device))
    with Server(answerer, arguments.host, arguments.port) as server:
        answer(f"{answerer.result.label} on {server.address} (Ctrl-C ends)")
        answers().flush()
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            answer("ended")
    return 0
