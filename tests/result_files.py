"""Result files as `benchmark run` leaves them, written by hand: what tests of reports read."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.metrics.ranking import RankingScores, write_scores

N = 200  # queries


def put(
    runs: Path, label: str, *, seed: int = 0, values: Any = None, task: str = "recommendation", cost: Any = None,
    key: str = "k1", folder: str | None = None, **fields: Any,
) -> Path:  # fmt: skip
    """Write one result; `values` [queries] become a metric with per-query scores, other metrics come in `metrics`."""
    dataset = {"name": "demo", "title": "Demo shop", "fingerprint": "f1", "counts": {}} | fields.pop("dataset", {})
    path = runs / dataset["name"] / (folder or label) / key / f"seed-{seed}"
    path.mkdir(parents=True)
    metrics = fields.pop("metrics", {})
    if values is not None:
        measure = "R@5" if task == "recommendation" else "R@10"
        of_queries = values if isinstance(values, dict) else {measure: values}
        of_queries = {name: np.asarray(column, float) for name, column in of_queries.items()}
        ids = [f"q{row}" for row in range(len(next(iter(of_queries.values()))))]
        write_scores(path / f"scores.{task}.tsv", RankingScores({}, of_queries, ids))
        metrics = {task: {name: float(np.mean(column)) for name, column in of_queries.items()}, **metrics}
    result = {
        "format": 1, "dataset": dataset, "method": fields.pop("method", label), "label": label, "kind": "indexer",
        "preset": "small", "text_fields": ["title", "brand"], "seed": seed, "key": key,
        "config": {"method": {}, "generative": None, "protocol": {}}, "metrics": metrics, "queries": "simulated",
        "notes": [], "versions": {}, "revision": "r", **fields,
    }  # fmt: skip
    (path / "result.json").write_text(json.dumps(result))
    if cost is not None:
        (path / "cost.json").write_text(json.dumps(cost))
    return path


def at_preset(method: str, *, preset: str = "paper", dataset: str = "beauty", **settings: Any) -> dict[str, Any]:
    """Return the `config` that a run at a preset stores, with settings of `--set`."""
    from benchmark.running.plan import make_variants

    given = {f"{method}.{key}": value for key, value in settings.items()}
    (variant,) = make_variants([method], preset, given, dataset)
    generative = variant.generative.model_dump(mode="json") if variant.generative else None
    return {"method": variant.config.model_dump(mode="json"), "generative": generative, "protocol": {}}


def hits(share: float, seed: int = 0, n: int = N) -> Any:
    """Return 0 or 1 for each query, 1 with this probability."""
    return (np.random.default_rng(seed).random(n) < share).astype(float)
