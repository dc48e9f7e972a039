"""The stage `rank.<task>` of an indexer: its trained generator ranks."""

from __future__ import annotations

from pathlib import Path

from benchmark.generative.config import GenerativeConfig
from benchmark.generative.finetune import rank_recommendation, rank_search
from benchmark.running.material import Material
from benchmark.running.steps.rankings import keep_rankings, results_to_ask
from benchmark.types.codes import Codes
from benchmark.types.facts import Facts
from benchmark.types.method import Context


def rank_ids(
    folder: Path, task: str, codes: Codes, trained: Path, material: Material, depth: int, config: GenerativeConfig,
    context: Context,
) -> Facts:  # fmt: skip
    """Rank with the generator that lies in `trained`; `codes` carry the dedup counter.

    Where queries are themselves items, the beam is one wider: one of its places is the query's own.
    """
    if task == "search":
        queries, results = list(material.test_queries.texts), results_to_ask(task, material, depth)
        config = config.model_copy(update={"beams": config.beams + results - depth})
        rankings = rank_search(trained, codes, material.corpus, queries, results, config, context)
    else:
        users = material.test_users[0]
        rankings = rank_recommendation(trained, codes, material.corpus, users, depth, config, context)
    return keep_rankings(folder, task, rankings, material, depth, context)
