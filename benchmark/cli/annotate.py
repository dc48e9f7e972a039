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
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.errors import UsageError, did_you_mean
from benchmark.terminal import print_table

if TYPE_CHECKING:
    from benchmark.results.result_files import Result


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
        action.add_argument("--runs", type=Path, default=Path("runs"), help="folder of results (default runs)")


def execute(arguments: argparse.Namespace) -> int:
    """Make a page or score answers."""
    if not arguments.runs.is_dir():
        raise UsageError(f"--runs {arguments.runs}: no such folder; 'benchmark run' makes it")
    return _make(arguments) if arguments.action == "make" else _score(arguments)


def _make(arguments: argparse.Namespace) -> int:
    from benchmark.cli.words import words
    from benchmark.files import write_json, write_text
    from benchmark.reports.annotation.corpus import read_codes, titles
    from benchmark.reports.annotation.page import html, key
    from benchmark.reports.annotation.sample import draw
    from benchmark.results.result_files import load_results

    for name, least in (("groups", 1), ("items", 2), ("prefix", 1), ("seed", 0)):
        if getattr(arguments, name) < least:
            raise UsageError(f"--{name} {getattr(arguments, name)}: at least {least} is needed")
    results = load_results(arguments.runs)
    chosen = [_result(results, name, arguments.dataset, arguments.runs) for name in words(arguments.methods)]
    labels = [result.label for result in chosen]
    if len(set(labels)) < len(labels):
        raise UsageError(
            f"--methods: the labels {', '.join(labels)} are not different; a judged row needs its own name"
        )
    if len({result.dataset["fingerprint"] for result in chosen}) > 1:
        raise UsageError(f"--methods: the results of {', '.join(labels)} are of different versions of the data set")
    shown = titles(chosen[0].items_file)
    methods = {result.label: read_codes(result.folder / "ids.tsv", shown) for result in chosen}
    items = [item for item, title in shown.items() if title]
    how = {"prefix": arguments.prefix, "seed": arguments.seed}
    questions = draw(methods, items, groups=arguments.groups, size=arguments.items, **how)
    texts = [[shown[item] for item in question.items] for question in questions]
    dataset = {name: chosen[0].dataset[name] for name in ("name", "fingerprint")}
    places = {result.label: "/".join(result.folder.parts[-4:]) for result in chosen}
    hidden = arguments.out.with_name(f"{arguments.out.stem}.key.json")
    write_json(hidden, key(questions, texts, {"dataset": dataset, **how}, places))
    write_text(arguments.out, html(str(chosen[0].dataset["title"]), texts))
    print(f"{arguments.out}: {len(texts)} groups; give this file to the judges")
    print(f"{hidden}: what the page hides; keep it from them until all have answered")
    return 0


def _result(results: Sequence[Result], name: str, dataset: str, runs: Path) -> Result:
    """Return the result of a label (or folder) with the lowest seed that has IDs."""
    from benchmark.results.result_files import group_seeds

    here = [group for group in group_seeds(results) if group[0].dataset["name"] == dataset]
    if not here:
        raise UsageError(f"no results of the data set '{dataset}' in {runs}")
    indexers = [seeds for group in here if (seeds := [r for r in group if r.kind == "indexer"])]
    folder = Path(name).resolve()
    inside = [s for s in indexers if any(folder in (r.folder.resolve(), *r.folder.resolve().parents[:2]) for r in s)]
    found = inside or [seeds for seeds in indexers if seeds[0].label == name]
    if not found:
        known = did_you_mean(name, {seeds[0].label for seeds in indexers})
        raise UsageError(f"no IDs of '{name}' for {dataset} in {runs}.{known}")
    if len(found) > 1:
        folders = ", ".join(sorted(str(seeds[0].folder.parent) for seeds in found))
        raise UsageError(f"'{name}' has {len(found)} results; give one of their folders: {folders}")
    return next((r for r in found[0] if r.folder.resolve() == folder), found[0][0])


def _score(arguments: argparse.Namespace) -> int:
    from benchmark.files import write_json
    from benchmark.reports.annotation.scoring import read_answers, read_key, score
    from benchmark.reports.paper.human import FILE
    from benchmark.results.result_files import load_results

    key = read_key(arguments.key)
    known = {
        result.label for result in load_results(arguments.runs)
        if not result.problem and result.dataset["name"] == key["dataset"]["name"]
    }  # fmt: skip
    for label, place in key["results"].items():
        if label not in known:
            near = did_you_mean(label, known)
            raise UsageError(f"{arguments.key}: {arguments.runs} has no results of '{label}'.{near}")
        if not (arguments.runs / place).is_dir():
            raise UsageError(
                f"{arguments.key}: the groups of '{label}' were drawn from {place}, not in {arguments.runs}"
            )
    judged = score(key, read_answers(arguments.answers, key))
    lines = []
    for label, row in judged["rows"].items():
        interval = f"[{row['low']:.4f}, {row['high']:.4f}]"
        lines.append([label, f"{row['accuracy']:.4f}", interval, str(row["groups"]), str(row["judgments"])])
    print_table(lines, header=["", "accuracy", "95% interval", "groups", "judgments"], numbers=True)
    alpha = judged["alpha"]
    undefined = "undefined (it needs two judges of one group, and both answers)"
    print(f"Krippendorff's alpha of {judged['judges']} judges: {undefined if alpha is None else f'{alpha:.3f}'}")
    path = arguments.runs / FILE
    write_json(path, judged)
    print(f"{path}: 'benchmark report --tables table13' shows it")
    return 0
