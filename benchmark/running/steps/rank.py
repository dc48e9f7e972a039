"""The stage `rank.<task>`: the ranked items of every test user or query as rankings.npz."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.generative.config import GenerativeConfig
from benchmark.generative.finetune import rank_recommendation, rank_search
from benchmark.metrics.latency import latency, throughput
from benchmark.running.material import Material
from benchmark.running.steps.logs import keep_logs
from benchmark.types.arrays import Int64
from benchmark.types.codes import Codes
from benchmark.types.facts import Facts
from benchmark.types.method import Context, Recommender, Retriever
from benchmark.types.rankings import Rankings, check_rankings

FILE = "rankings.npz"


def rank_ids(
    folder: Path, task: str, codes: Codes, trained: Path, material: Material, depth: int, config: GenerativeConfig,
    context: Context,
) -> Facts:  # fmt: skip
    """Rank with the generator that lies in `trained`; `codes` carry the dedup counter."""
    if task == "search":
        queries = list(material.test_queries.texts)
        rankings = rank_search(trained, codes, material.corpus, queries, depth, config, context)
    else:
        users = material.test_users[0]
        rankings = rank_recommendation(trained, codes, material.corpus, users, depth, config, context)
    return _keep(folder, task, rankings, material, depth, context)


def fit_and_rank(
    folder: Path, task: str, method: Retriever[Any] | Recommender[Any], material: Material, depth: int, context: Context
) -> Facts:
    """Fit a retriever or recommender and rank with it; its speed becomes facts."""
    n, started = material.asked(task), time.perf_counter()
    if isinstance(method, Retriever):
        method.fit(material.corpus, material.train_queries, context)
    else:
        method.fit(material.corpus, material.split.train, material.split.validation, context)
    fitted = time.perf_counter()

    def ranked(rows: Int64) -> Rankings:
        if isinstance(method, Retriever):
            return method.search([material.test_queries.texts[row] for row in rows], depth)
        return method.recommend(material.test_users[0].select(rows), depth)

    rankings = ranked(np.arange(n))
    seconds = time.perf_counter() - fitted
    context.facts["fit_seconds"] = round(fitted - started, 3)
    context.facts.update(throughput(n, seconds))
    context.facts.update(latency(lambda row: ranked(np.asarray([row])), n))
    return _keep(folder, task, rankings, material, depth, context)


def read_rankings(folder: Path) -> Rankings:
    """Return the rankings of a finished stage."""
    saved = np.load(folder / FILE)
    return Rankings(saved["items"], saved["scores"])


def _keep(folder: Path, task: str, rankings: Rankings, material: Material, depth: int, context: Context) -> Facts:
    check_rankings(rankings, material.asked(task), len(material.corpus), depth)
    np.savez(folder / FILE, items=rankings.items, scores=rankings.scores)
    keep_logs(context.work, folder)
    return context.facts
