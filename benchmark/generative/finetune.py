"""Fine-tuning: one plain T5 per task learns text -> semantic ID (LMIndexer, section 3.4; its downstream code).

Cross-entropy over the full vocabulary on the ID tokens and the end-of-sequence token; all weights train.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from benchmark.config import TrainingConfig
from benchmark.contracts import Codes, Context, Corpus, Histories, Int32, Int64, QuerySet
from benchmark.errors import BenchmarkError
from benchmark.generative import backbone, inputs, t5
from benchmark.generative.config import GenerativeConfig
from benchmark.generative.tokens import pad, tokenize
from benchmark.generative.vocabulary import CodeVocabulary
from benchmark.splits import Pairs, all_prefixes, sampled_pairs
from benchmark.training import train


@dataclass(frozen=True)
class Examples:
    """Training pairs: `source(i)` gives the input tokens of example i, `targets[i]` its item."""

    source: Callable[[int], Int32]
    targets: Int64

    def __len__(self) -> int:
        return len(self.targets)


def finetune_recommendation(
    folder: Path,
    codes: Codes,
    corpus: Corpus,
    histories: Histories,
    config: GenerativeConfig,
    context: Context,
    start: Path | None = None,
) -> dict[str, Any]:
    """Train on user histories (the training part only) and save the model; return facts about it.

    `codes` carry the dedup counter; `start` is the folder of what their indexer handed over, if anything.
    `config.pairs` chooses the paper's five pairs per user or every prefix.
    """
    pairs: Pairs = sampled_pairs(histories, context.seed) if config.pairs == "sampled" else all_prefixes(histories)

    def examples(tokenizer: Any, item_tokens: Int32) -> Examples:
        encoder = history_encoder(tokenizer, item_tokens, corpus, config)
        return Examples(
            lambda i: encoder.source(histories.items[pairs.start[i] : pairs.end[i]]),
            pairs.target.astype("int64"),
        )

    if not len(pairs.target):
        raise BenchmarkError("recommendation: there are no training pairs; some user must have at least 4 events")
    return _finetune(folder, codes, corpus.texts(), examples, config, config.recommendation, context, start)


def finetune_search(
    folder: Path,
    codes: Codes,
    corpus: Corpus,
    queries: QuerySet,
    config: GenerativeConfig,
    context: Context,
    start: Path | None = None,
) -> dict[str, Any]:
    """Train on (query, relevant item) pairs, one per positive judgment, and save the model; otherwise the same."""
    positive = queries.grades > 0
    rows, targets = queries.query_rows[positive], queries.item_rows[positive].astype("int64")

    def examples(tokenizer: Any, item_tokens: Int32) -> Examples:
        tokens = tokenize(tokenizer, queries.texts, config.max_source - 1)
        return Examples(lambda i: tokens[rows[i]], targets)

    if not len(targets):
        raise BenchmarkError(f"search: no query of the training set '{queries.name}' has a relevant item")
    texts = [*corpus.texts(), *queries.texts]
    return _finetune(folder, codes, texts, examples, config, config.search, context, start)


def history_encoder(
    tokenizer: Any, item_tokens: Int32, corpus: Corpus, config: GenerativeConfig
) -> inputs.TextHistories | inputs.IdHistories:
    """Return what turns a history into input tokens, as `config.inputs` says."""
    if config.inputs == "ids":
        return inputs.IdHistories(item_tokens, config.max_source)
    return inputs.TextHistories(tokenizer, corpus.texts(), config.max_source)


def _finetune(
    folder: Path,
    codes: Codes,
    texts: list[str],
    make_examples: Callable[[Any, Int32], Examples],
    config: GenerativeConfig,
    training: TrainingConfig,
    context: Context,
    start: Path | None,
) -> dict[str, Any]:
    model, tokenizer, vocabulary, origin = backbone.build(config, codes.sizes, texts, context.seed, start)
    context.log(f"  fine-tuning starts from: {origin}")
    item_tokens = vocabulary.encode(codes)
    eos = int(tokenizer.eos_token_id)
    examples = make_examples(tokenizer, item_tokens)

    def loss(t5: nn.Module, indices: Tensor) -> Tensor:
        rows = indices.tolist()
        ids, mask = pad([examples.source(i) for i in rows], eos, indices.device)
        target = inputs.labels(item_tokens, examples.targets[rows], eos, indices.device)
        result: Tensor = t5(input_ids=ids, attention_mask=mask, labels=target).loss
        return result

    train(model, len(examples), loss, training, context)
    t5.save(folder, model, tokenizer)
    return {
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "training_pairs": len(examples),
        "vocabulary": vocabulary.first,
        "start": origin,
    }


def code_vocabulary(tokenizer: Any, codes: Codes) -> CodeVocabulary:
    """Return the code tokens behind a saved tokenizer's own."""
    return CodeVocabulary(codes.sizes, first=len(tokenizer))
