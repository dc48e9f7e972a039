"""Time the suite's own code against what you would use instead, side by side in one run.

benchmark bench decode      Hugging Face generate, constrained two ways and not at all, against our beam search
benchmark bench kmeans      k-means against scikit-learn
benchmark bench bm25        BM25 against rank-bm25
benchmark bench dense       dense index against a bare faiss search
benchmark bench lmindexer   LMIndexer's training step against a plain T5 step
benchmark bench generative  training with the reader `items` against SASRec and a T5 that reads texts
benchmark bench seal        SEAL's search: keys and queries per second, and where the time goes
benchmark bench scale       every stage of a run as the catalogue grows: seconds, memory, growth exponent
benchmark bench threads     a training step at one thread and at all, idle and beside busy processes
"""

from __future__ import annotations

import argparse
import inspect

from benchmark.cli.parsing import number_from, numbers_from
from benchmark.errors import UsageError
from benchmark.registry import load, registered
from benchmark.streams import answer

OPTIONS = ("rounds", "users", "device", "ids", "batch", "items")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `benchmark bench`."""
    parser.add_argument("subject", choices=registered("bench"))
    parser.add_argument("--small", action="store_true", help="a smaller size, for a quick look")
    parser.add_argument("--rounds", type=number_from(1), help="decode, generative, threads: rounds of the medians")
    parser.add_argument("--users", type=number_from(1), help="generative: histories of a round")
    parser.add_argument("--items", type=numbers_from(300), help="scale: items of the catalogues, e.g. 10000,100000")
    parser.add_argument("--device", help="generative: cpu, cuda, ..")
    parser.add_argument("--batch", type=number_from(1), help="decode: queries that are decoded together")
    parser.add_argument("--ids", type=numbers_from(1), help="decode: sizes of the catalogue, e.g. 12000,100000,1000000")


def execute(arguments: argparse.Namespace) -> int:
    """Run one comparison and print its rows. Raises UsageError when it has no such option."""
    run = load("bench", arguments.subject)
    given = {name: getattr(arguments, name) for name in OPTIONS if getattr(arguments, name) is not None}
    for name in given.keys() - inspect.signature(run).parameters:
        raise UsageError(f"benchmark bench {arguments.subject} has no option --{name}")
    for line in run(small=arguments.small, **given):
        answer(line)
    return 0
