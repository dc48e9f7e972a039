"""Training for one task, with the reader that the configuration names.

Every reader and its ID decoder learn to generate an item's semantic ID: from a user's history, or from a query.
Nothing here imports torch before it trains or ranks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmark.config import EncoderConfig
from benchmark.errors import BenchmarkError
from benchmark.generative.config import GenerativeConfig
from benchmark.generative.seen_items import without_seen
from benchmark.learning.encoders import EmbedTexts
from benchmark.types.arrays import Float32, Int32
from benchmark.types.codes import Codes
from benchmark.types.data import Corpus, Histories, QuerySet
from benchmark.types.method import Context
from benchmark.types.rankings import Rankings

if TYPE_CHECKING:
    from benchmark.generative.rank import Ranker, States


def finetune_recommendation(
    folder: Path,
    codes: Codes,
    corpus: Corpus,
    histories: Histories,
    config: GenerativeConfig,
    context: Context,
    start: Path | None = None,
    validation: Int32 | None = None,
) -> dict[str, Any]:
    """Train on user histories (the training part only) and save the model; return facts about it.

    `codes` carry the dedup counter; `start` is the folder of the initial weights that their indexer has learned, if
    any; `validation` [n_users] holds each user's validation item, -1 for none.
    """
    from benchmark.generative import reader_tasks, t5_tasks

    items = validation if validation is not None else np.full(len(histories), -1, np.int32)
    if config.recommendation.reader == "items":
        return reader_tasks.learn_recommendation(folder, codes, corpus, histories, items, config, context, start)
    return t5_tasks.learn_recommendation(folder, codes, corpus, histories, items, config, context, start)


def finetune_search(
    folder: Path,
    codes: Codes,
    corpus: Corpus,
    queries: QuerySet,
    config: GenerativeConfig,
    context: Context,
    start: Path | None = None,
    development: QuerySet | None = None,
    embed_texts: EmbedTexts | None = None,
) -> dict[str, Any]:
    """Train on (query, relevant item) pairs, one per positive judgment, and save the model; otherwise the same.

    `development` are the queries to choose the weights by; without them those of the last step are kept.
    """
    from benchmark.generative import reader_tasks, t5_tasks

    if not (queries.grades > 0).any():
        raise BenchmarkError(f"search: no query of the training set '{queries.name}' has a relevant item")
    if config.search.reader == "sentence":
        embed_texts = embed_texts or _embed(context)
        return reader_tasks.learn_search(folder, codes, corpus, queries, development, config, context, embed_texts)
    return t5_tasks.learn_search(folder, codes, corpus, queries, development, config, context, start)


def rank_recommendation(
    folder: Path, codes: Codes, corpus: Corpus, histories: Histories, k: int, config: GenerativeConfig,
    context: Context,
) -> Rankings:  # fmt: skip
    """Rank the next items of each history; the history's own items may come back, unless `config.history` excludes."""
    from benchmark.generative import reader_tasks

    if config.recommendation.reader == "items":
        found = reader_tasks.recommend(folder, codes, corpus, histories, k, config, context)
    else:
        ranker, states = open_recommendation(folder, codes, corpus, config, context)
        found = ranker.rank_all(states(histories), k, context)
    return without_seen(found, histories) if config.history == "exclude" else found


def rank_search(
    folder: Path, codes: Codes, corpus: Corpus, queries: Sequence[str], k: int, config: GenerativeConfig,
    context: Context,
) -> Rankings:  # fmt: skip
    """Rank items for text queries."""
    ranker, states = open_search(folder, codes, corpus, config, context)
    return ranker.rank_all(states(queries), k, context)


def open_recommendation(
    folder: Path, codes: Codes, corpus: Corpus, config: GenerativeConfig, context: Context
) -> tuple[Ranker, Callable[[Histories], States]]:
    """Return a trained model as a ranker, and what prepares histories for it."""
    from benchmark.generative import reader_tasks, t5_tasks

    if config.recommendation.reader == "items":
        return reader_tasks.open_recommendation(folder, codes, corpus, config, context)
    task = t5_tasks.T5Task.load(folder, codes, corpus, config, context.device)
    return task.ranker(config.recommendation.reader), task.histories


def open_search(
    folder: Path, codes: Codes, corpus: Corpus, config: GenerativeConfig, context: Context
) -> tuple[Ranker, Callable[[Sequence[str]], States]]:
    """Return a trained model as a ranker, and what prepares queries for it."""
    from benchmark.generative import reader_tasks, t5_tasks

    if config.search.reader == "sentence":
        return reader_tasks.open_search(folder, codes, corpus, config, context)
    task = t5_tasks.T5Task.load(folder, codes, corpus, config, context.device)
    return task.ranker(config.search.reader), task.queries


def _embed(context: Context) -> EmbedTexts:
    """Return the encoder itself, for use outside the runner, which keeps the vectors."""

    def embed_texts(texts: Sequence[str], encoder: EncoderConfig) -> Float32:
        from benchmark.learning.encoders import embed

        return embed(list(texts), encoder, context)

    return embed_texts
