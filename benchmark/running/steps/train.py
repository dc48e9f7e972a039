"""The stage `train.<task>`: a reader and the ID decoder behind it, trained on histories or queries."""

from __future__ import annotations

from pathlib import Path

from benchmark.generative.config import GenerativeConfig
from benchmark.generative.finetune import finetune_recommendation, finetune_search
from benchmark.generative.search_examples import search_examples
from benchmark.learning.encoders import EmbedTexts
from benchmark.running.material import Material
from benchmark.running.steps.logs import keep_logs
from benchmark.types.codes import Codes
from benchmark.types.facts import Facts
from benchmark.types.method import Context


def train_recommendation(
    folder: Path, codes: Codes, material: Material, config: GenerativeConfig, context: Context, start: Path
) -> Facts:
    """Train on user histories; `start` is what the indexer of the codes has handed over.

    `codes` carry the dedup counter and are those of the items that are learned from.
    """
    histories, validation = material.learned_histories
    facts = finetune_recommendation(
        folder, codes, material.learned_corpus, histories, config, context, start, validation
    )
    context.facts.update(facts)
    keep_logs(context.work, folder)
    return context.facts


def train_search(
    folder: Path, codes: Codes, material: Material, config: GenerativeConfig, context: Context, start: Path,
    embed_texts: EmbedTexts,
) -> Facts:  # fmt: skip
    """Train on queries; otherwise the same."""
    corpus = material.learned_corpus
    queries, development = search_examples(material.learned_queries, material.training_queries, config.search)
    facts = finetune_search(folder, codes, corpus, queries, config, context, start, development, embed_texts)
    context.facts.update(facts)
    keep_logs(context.work, folder)
    return context.facts
