"""Recompute random numbers of a folder of runs without the suite: raw data, stored rankings and IDs, public tools.

    python tests/independent/recompute.py RUNS DATA [--numbers 10] [--seed 0]

RUNS is what `benchmark run --runs RUNS` wrote, DATA a folder of data sets in the neutral layout (`DATA/<name>/`).
Nothing of the suite is imported. Rankings are scored by ir_measures against judgments from the raw files
(recommendation: each user's last item in sequences.txt; search: qrels.txt, or the file of the query set; of simulated
queries, which exist nowhere else, the judgments that were stored). AMI and NMI are scikit-learn's, from the stored IDs
and the category paths of the raw items.jsonl; `unique` is counted. Exit code 1 if a number differs by more than 1e-6.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ir_measures
from sklearn.metrics import adjusted_mutual_info_score, normalized_mutual_info_score

RANKING = ("R@1", "R@5", "R@10", "nDCG@5", "nDCG@10", "AP@5", "RR@10", "RR@20")
OF_IDS = ("AMI", "NMI", "unique")
QUERY_SETS = {"judged": "qrels.txt", "judged-dev": "qrels.dev.txt"}


def lines(path: Path) -> Iterator[str]:
    """Yield the lines of a raw file, which may be compressed."""
    packed = path.with_name(path.name + ".gz")
    with gzip.open(packed, "rt", encoding="utf-8") if packed.is_file() else path.open(encoding="utf-8") as file:
        yield from (line.rstrip("\n") for line in file)


def judgments(folder: Path, data: Path, task: str, queries: str | None) -> list[ir_measures.Qrel]:
    """Return what is relevant, from the raw files wherever it stands in them."""
    if task == "recommendation":
        rows = (line.split() for line in lines(data / "sequences.txt"))
        return [ir_measures.Qrel(row[0], row[-1], 1) for row in rows if len(row) > 2]  # a user and at least two items
    path = data / QUERY_SETS.get(queries or "", f"qrels.{queries}.txt")
    if queries == "simulated":
        path = folder / "qrels.search.txt"
    found = (line.split() for line in lines(path))
    return [ir_measures.Qrel(query, item, max(0, int(grade))) for query, _, item, grade in found]


def ranking(folder: Path, data: Path, task: str, measure: str, queries: str | None) -> float:
    """Score a stored ranking with ir_measures; a query without any ranked item counts 0."""
    qrels = judgments(folder, data, task, queries)
    run = list(ir_measures.read_trec_run(str(folder / f"run.{task}.trec")))
    scored = {metric.query_id: metric.value for metric in
              ir_measures.iter_calc([ir_measures.parse_measure(measure)], qrels, run)}  # fmt: skip
    asked = {qrel.query_id for qrel in qrels}
    return sum(scored.get(query, 0.0) for query in asked) / len(asked)


def of_ids(folder: Path, data: Path, measure: str) -> float:
    """Score stored IDs against the raw category paths."""
    ids = dict(line.split("\t") for line in lines(folder / "ids.tsv") if line)
    if measure == "unique":
        counts = Counter(ids.values())
        return sum(count == 1 for count in counts.values()) / len(ids)
    items = [json.loads(line) for line in lines(data / "items.jsonl") if line]
    labels = {str(item["id"]): "\t".join(item.get("categories") or ()) for item in items}
    pairs = [(labels[item], codes.split("-")[0]) for item, codes in ids.items() if labels[item]]
    score = adjusted_mutual_info_score if measure == "AMI" else normalized_mutual_info_score
    return float(score([label for label, _ in pairs], [code for _, code in pairs]))


def candidates(runs: Path, data: Path) -> list[tuple[Path, dict[str, Any], str, str]]:
    """Return every number that can be recomputed from what is there: folder, result, task, measure."""
    found = []
    for path in sorted(runs.glob("*/*/*/seed-*/result.json")):
        content = json.loads(path.read_text("utf-8"))
        own = content["config"].get("protocol") or {}
        plain = not {"split", "ties", "first_look"} & own.keys() and "self_retrieval" not in own
        if not plain or not (data / content["dataset"]["name"]).is_dir():
            continue
        for task, values in content["metrics"].items():
            names = OF_IDS if task == "id-quality" else RANKING
            needed = "ids.tsv" if task == "id-quality" else f"run.{task}.trec"
            if (path.parent / needed).is_file():
                found += [(path.parent, content, task, name) for name in names if name in values]
    return found


def main() -> int:
    """Print stored and recomputed values; return 1 if one differs, 2 if there is nothing to recompute."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--numbers", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    every = candidates(arguments.runs, arguments.data)
    if not every:
        print(f"nothing in {arguments.runs} can be recomputed from the data sets in {arguments.data}", file=sys.stderr)
        return 2
    wrong = 0
    for folder, content, task, measure in random.Random(arguments.seed).sample(
        every, min(arguments.numbers, len(every))
    ):
        data = arguments.data / content["dataset"]["name"]
        stored = float(content["metrics"][task][measure])
        ours = of_ids(folder, data, measure) if task == "id-quality" else ranking(
            folder, data, task, measure, content.get("queries")
        )  # fmt: skip
        same = abs(stored - ours) <= 1e-6
        wrong += not same
        place = f"{content['dataset']['name']}, {content['label']}, seed {content['seed']}, {task}, {measure}"
        print(f"{'same' if same else 'WRONG'}  {stored:.8f}  {ours:.8f}  {place}")
    print(f"{wrong} of {min(arguments.numbers, len(every))} numbers differ")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
