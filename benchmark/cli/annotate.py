"""Let people judge the IDs (Table 13 of the paper): a blinded page for judges, and what their answers say.

  benchmark annotate make --runs runs --dataset demo --methods rqvae,hc --groups 20 --out page.html
  benchmark annotate score --key page.key.json answers-a.json answers-b.json --runs runs

The page is one file that loads nothing; give it to the judges and keep the key, which says what it hides. Each group
is of items whose IDs begin with the same codes; accuracy is the share of groups whose items belong together. Judge
`random` too: its accuracy is what judges say of items that share nothing. `score` writes human-evaluation.json into the
folder of runs, where 'benchmark report --tables table13' finds it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmark.results.result_files import RUNS
from benchmark.terminal import print_table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `benchmark annotate`."""
    actions = parser.add_subparsers(dest="action", required=True)
    make = actions.add_parser("make", help="draw groups of items from several methods' IDs and write the judges' page")
    make.add_argument("--dataset", required=True, help="the data set's name")
    make.add_argument("--methods", required=True, help="comma-separated labels, or folders of results")
    make.add_argument("--groups", type=int, default=20, help="groups of each method (default 20)")
    make.add_argument("--items", type=int, default=2, help="items in a group (default 2)")
    make.add_argument("--prefix", type=int, default=1, help="codes that the items of a group share (default 1)")
    make.add_argument("--seed", type=int, default=0, help="of the draw (default 0)")
    make.add_argument("--out", type=Path, default=Path("page.html"), help="the page; its key comes beside it")
    score = actions.add_parser("score", help="accuracy of each method and the judges' agreement from their answers")
    score.add_argument("--key", type=Path, required=True, help="the key that 'make' wrote")
    score.add_argument("answers", type=Path, nargs="+", help="the files that the judges saved")
    for action in (make, score):
        action.add_argument("--runs", type=Path, default=RUNS, help="folder of results (default runs)")


def execute(arguments: argparse.Namespace) -> int:
    """Make a page or score answers."""
    return _make(arguments) if arguments.action == "make" else _score(arguments)


def _make(arguments: argparse.Namespace) -> int:
    from benchmark.cli.parsing import words
    from benchmark.registry import load
    from benchmark.results.result_files import newest, results_below

    made = load("tool", "annotation-page")(
        newest(results_below(arguments.runs)), words(arguments.methods), arguments.out, dataset=arguments.dataset,
        runs=arguments.runs, groups=arguments.groups, items=arguments.items, prefix=arguments.prefix,
        seed=arguments.seed,
    )  # fmt: skip
    print(f"{made.page}: {made.groups} groups; give this file to the judges")
    print(f"{made.key}: what the page hides; keep it from them until all have answered")
    return 0


def _score(arguments: argparse.Namespace) -> int:
    from benchmark.registry import load
    from benchmark.results.result_files import results_below

    results = results_below(arguments.runs)
    judged, path = load("tool", "annotation-score")(results, arguments.key, arguments.answers, runs=arguments.runs)
    lines = []
    for label, row in judged["rows"].items():
        interval = f"[{row['low']:.4f}, {row['high']:.4f}]"
        lines.append([label, f"{row['accuracy']:.4f}", interval, str(row["groups"]), str(row["judgments"])])
    print_table(lines, header=["", "accuracy", "95% interval", "groups", "judgments"], numbers=True)
    alpha = judged["alpha"]
    undefined = "undefined (it needs two judges of one group, and both answers)"
    print(f"Krippendorff's alpha of {judged['judges']} judges: {undefined if alpha is None else f'{alpha:.3f}'}")
    print(f"{path}: 'benchmark report --tables table13' shows it")
    return 0
