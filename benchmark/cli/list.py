"""List methods, data sets, importers, tables, figures, formats or metrics: `benchmark list methods`."""

from __future__ import annotations

import argparse
import json

from benchmark.registry import describe, registered
from benchmark.terminal import print_table

WHAT = {
    "methods": "method", "datasets": "data set", "importers": "importer", "tables": "table", "figures": "figure",
    "formats": "format",
}  # fmt: skip
METRICS = {
    "AMI": "adjusted mutual information of the first code and the full category path (the paper's Table 1)",
    "AMI@depthN": "the same for the prefix of N codes",
    "AMI@levelN": "first code against the category path cut at level N",
    "NMI": "normalised mutual information of the first code and the full category path",
    "NMI (chance)": "mean NMI over all shufflings of the codes",
    "co_purchase@N": "share of neighbours in the training histories whose first N codes agree",
    "co_purchase@N (chance)": "the same for items drawn as often as they occur there",
    "co_purchase_lift@N": "the former divided by the latter",
    "stability@N": "adjusted Rand index of the groups that share N codes, mean over pairs of seeds",
    "unique": "share of items whose ID is unique before the dedup counter",
    "collision_rate": "1 - distinct IDs / items, before the dedup counter",
    "codes_used@N": "codes of position N that at least one item has",
    "dead_codes, dead_codes@N": "share of the codes that no item has, of all codebooks or position N's",
    "fan_out@N": "distinct prefixes of N codes per prefix of N - 1",
    "perplexity@N": "exp of the entropy of the codes of position N",
    "largest_group": "items in the largest group of equal IDs",
    "R@5, R@10, nDCG@5, nDCG@10, RR@20": "recommendation, full ranking, one held-out item per user",
    "nDCG@5, AP@5, R@1, R@10, nDCG@10, RR@10": "search, by ir-measures from the TREC run",
    "M (strict), M (expected), M (optimistic)": "R@k, nDCG@k, RR@k where items share an ID: last, mean, first of them",
    "nDCG@5 (published), AP@5 (published)": "search as LMIndexer's code computes them (normalised by what was found)",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `benchmark list`."""
    parser.add_argument("what", choices=[*WHAT, "metrics"])
    parser.add_argument("--json", action="store_true")


def execute(arguments: argparse.Namespace) -> int:
    """Print one line each: name, kind, first sentence."""
    if arguments.what == "metrics":
        rows = [{"name": name, "kind": "", "summary": text} for name, text in METRICS.items()]
    else:
        rows = []
        for name, entry in registered(WHAT[arguments.what]).items():
            kind, summary = describe(entry)
            rows.append({"name": name, "kind": kind if arguments.what == "methods" else "", "summary": summary})
    if arguments.json:
        print(json.dumps(rows, indent=2, ensure_ascii=False))
        return 0
    kinds = ("kind",) if any(row["kind"] for row in rows) else ()
    print_table([[row[column] for column in ("name", *kinds, "summary")] for row in rows])
    return 0
