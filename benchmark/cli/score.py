"""Score rankings of any systems against judgments: means, intervals, and whether the first differs from the others.

  benchmark score qrels.txt run.trec
  benchmark score qrels.txt bm25.trec mine=run.csv --metrics "nDCG@20 P@5"
  benchmark score qrels.txt base.trec 'mine=run-{seed}.trec' --json

Needs no data set. `benchmark run --run-file` puts the same files into the tables beside the suite's own rows.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmark.streams import answer, answer_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `benchmark score`."""
    parser.add_argument("qrels", type=Path, metavar="QRELS", help="TREC judgments: query 0 item grade")
    parser.add_argument(
        "run_files", nargs="+", metavar="[LABEL=]RUN",
        help="TREC runs, or CSV files query,item,score; {seed} in a name stands for several seeds",
    )  # fmt: skip
    parser.add_argument(
        "--metrics", default="nDCG@10 R@10 RR@10 AP", metavar="'NAME ..'",
        help="names of ir-measures (default '%(default)s')",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print JSON")


def execute(arguments: argparse.Namespace) -> int:
    """Print the means, then one table and one sentence per pair."""
    from benchmark.api.score import score

    found = score(arguments.qrels, arguments.run_files, metrics=arguments.metrics)
    if arguments.json:
        answer_json(found.to_dict(), indent=1)
    else:
        answer(found)
    return 0
