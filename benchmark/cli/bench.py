"""Time the suite's own code against what you would use instead, side by side in one run.

  benchmark bench decode      constrained beam search against Hugging Face generate
  benchmark bench kmeans      k-means against scikit-learn
  benchmark bench bm25        BM25 against rank-bm25
  benchmark bench dense       dense index against a bare faiss search
  benchmark bench lmindexer   LMIndexer's training step against a plain T5 step
  benchmark bench seal        SEAL's search: keys and queries per second, and where the time goes
"""

from __future__ import annotations

import argparse
import importlib

SUBJECTS = ("decode", "kmeans", "bm25", "dense", "lmindexer", "seal")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `benchmark bench`."""
    parser.add_argument("subject", choices=SUBJECTS)
    parser.add_argument("--small", action="store_true", help="a smaller size, for a quick look")


def execute(arguments: argparse.Namespace) -> int:
    """Run one comparison and print its rows."""
    module = importlib.import_module(f"benchmark.bench.{arguments.subject}")
    for line in module.run(small=arguments.small):
        print(line, flush=True)
    return 0
