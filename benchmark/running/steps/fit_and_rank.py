"""The stage `rank.<task>` of a retriever or recommender, which is fitted and ranks, or of a run that is there."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.metrics.latency import latency, throughput
from benchmark.running.material import Material
from benchmark.running.steps.rankings import keep_rankings, results_to_ask
from benchmark.types.arrays import Int64
from benchmark.types.facts import Facts
from benchmark.types.method import Context, Precomputed, Recommender, Retriever
from benchmark.types.rankings import Rankings


def fit_and_rank(
    folder: Path, task: str, method: Retriever[Any] | Recommender[Any], material: Material, depth: int, context: Context
) -> Facts:
    """Fit a retriever or recommender and rank with it; its speed becomes facts.

    Where items are withheld it is fitted on the others. A retriever then indexes all; a recommender has learned which
    items there are, so that it ranks the known ones alone.
    """
    n, results, started = material.asked(task), results_to_ask(task, material, depth), time.perf_counter()
    if isinstance(method, Retriever):
        method.fit(material.learned_corpus, material.train_queries, context)
        if material.known:
            method.extend(material.corpus)
    else:
        method.fit(material.learned_corpus, *material.learned_histories, context)
    fitted = time.perf_counter()

    def ranked(rows: Int64) -> Rankings:
        if isinstance(method, Retriever):
            return method.search([material.test_queries.texts[row] for row in rows], results)
        histories, known = material.test_users[0].select(rows), material.known
        if known is None:
            return method.recommend(histories, results)
        return known.rankings(method.recommend(known.histories(histories), results))

    rankings = ranked(np.arange(n))
    seconds = time.perf_counter() - fitted
    context.facts["fit_seconds"] = round(fitted - started, 3)
    context.facts.update(throughput(n, seconds))
    context.facts.update(latency(lambda row: ranked(np.asarray([row])), n))
    return keep_rankings(folder, task, rankings, material, depth, context)


def keep_run(
    folder: Path, task: str, method: Precomputed[Any], material: Material, depth: int, context: Context
) -> Facts:
    """Keep what another system has ranked for the test users or queries; nothing of its speed is known."""
    names = material.test_queries.ids if task == "search" else material.test_users[0].users
    rankings = method.ranked(names, material.corpus, results_to_ask(task, material, depth), context)
    return keep_rankings(folder, task, rankings, material, depth, context)
