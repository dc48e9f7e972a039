"""Ask a finished cell of an indexer: a query, or the items of a history, oldest first.

  benchmark ask runs/demo/rqvae "red desk lamp"
  benchmark ask runs/demo/rqvae "i12 i7" --task recommendation --most 5

Each answer has its ID and the way to it: code, its probability behind the codes before, and how many items have this
prefix. The last code is the dedup counter.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmark.cli.parsing import number_from
from benchmark.streams import answer, answer_json
from benchmark.terminal import print_table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `benchmark ask`."""
    parser.add_argument("cell", type=Path, help="a finished cell of an indexer, as RUNS/<dataset>/<label>")
    parser.add_argument("question", nargs="+", help="a query, or items separated by spaces; several are asked in turn")
    parser.add_argument("--task", choices=("search", "recommendation"), default="", help="default: what the words are")
    parser.add_argument(
        "--most", type=number_from(1, 1000), default=10, help="items of an answer (10; at most the cell's beams)"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--json", action="store_true")


def execute(arguments: argparse.Namespace) -> int:
    """Print the items of each answer, best first."""
    from benchmark.ids.asking import Answerer
    from benchmark.learning.devices import choose_device

    answerer = Answerer.open(arguments.cell, task=arguments.task, device=choose_device(arguments.device))
    answers = []
    for question in arguments.question:
        task, found = answerer.answer(question, task=arguments.task, most=arguments.most)
        answers.append({"question": question, "task": task, "items": [item.as_json() for item in found]})
        if not arguments.json:
            answer(f"{task}: {question}")
            rows = [
                [
                    str(item.rank), item.item, f"{item.score:.3f}",
                    " ".join(f"{step.code} ({step.probability:.2f}, {step.items:,})" for step in item.way), item.title,
                ]
                for item in found
            ]  # fmt: skip
            print_table(rows, header=["rank", "item", "score", "way: code (probability, items)", "title"])
    if arguments.json:
        answer_json(answers)
    return 0
