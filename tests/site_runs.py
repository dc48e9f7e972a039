"""Results of several data sets, written by hand: what a site is made of."""

import json

import numpy as np
from result_files import N, hits, put

from benchmark.results.result_files import load_results


def ids_of(folder, codes):
    (folder / "ids.tsv").write_text("".join(f"i{item}\t{code}\n" for item, code in enumerate(codes)))


def shop(runs, name, ami, *, title="", search=True, **fields):
    """Write indexers (label -> AMI) with IDs and recommendation, and a retriever, of one data set."""
    dataset = {"name": name, "title": title or f"The {name}", "fingerprint": f"{name:0<16}"}
    for place, (label, value) in enumerate(ami.items()):
        shares = {"R@10": hits(0.2 + place / 10, seed=place), "nDCG@10": hits(0.1 + place / 10, seed=place) / 2}
        metrics = {"id-quality": {"AMI": value, "unique": 0.5}}
        folder = put(runs, label, dataset=dataset, values=shares, metrics=metrics, folder=f"row-{place}", **fields)
        ids_of(folder, [item % 3 for item in range(4)])
        rows = ({"id": f"i{item}", "title": f"item {item}", "categories": []} for item in range(4))
        listing = runs / name / f"items-{dataset['fingerprint'][:12]}.jsonl"
        listing.write_text("".join(json.dumps(row) + "\n" for row in rows))
    if search:
        found = {"nDCG@10": np.linspace(0, 1, N), "R@10": np.ones(N)}
        put(runs, "bm25", dataset=dataset, values=found, task="search", kind="retriever", **fields)
    return load_results(runs)
