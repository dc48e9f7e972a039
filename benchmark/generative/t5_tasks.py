"""The readers `text` and `ids`: one plain T5 per task learns text or IDs -> semantic ID (LMIndexer, 3.4; TIGER).

Cross-entropy over the full vocabulary on the ID tokens and the end-of-sequence token; all weights train. The T5's
encoder is the reader, its decoder the ID decoder.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor, nn

from benchmark.data.splits import Pairs, all_prefixes, sampled_pairs
from benchmark.errors import BenchmarkError
from benchmark.generative import backbone, inputs, t5
from benchmark.generative.config import GenerativeConfig, TaskConfig
from benchmark.generative.learning import stopping
from benchmark.generative.rank import Ranker
from benchmark.generative.search_examples import text_pairs
from benchmark.generative.tokens import pad, tokenize
from benchmark.generative.trie import Trie
from benchmark.generative.vocabulary import CodeVocabulary
from benchmark.learning.training import train
from benchmark.learning.validation import Judged, facts
from benchmark.types.arrays import Int32, Int64
from benchmark.types.codes import Codes
from benchmark.types.data import Corpus, Histories, QuerySet
from benchmark.types.method import Context
from benchmark.types.ties import id_ranks


@dataclass(frozen=True)
class PairExamples:
    """Training pairs: `source(i)` gives the input tokens of example i, `targets[i]` its item."""

    source: Callable[[int], Int32]
    targets: Int64

    def __len__(self) -> int:
        return len(self.targets)


class SourceStates:
    """States of token sequences by a T5's encoder, to rank from."""

    def __init__(self, model: Any, sources: list[Int32], eos: int) -> None:
        self.model, self.sources, self.eos = model, sources, eos
        self.costs = np.array([len(source) for source in sources], np.int64)

    def __len__(self) -> int:
        return len(self.sources)

    def states(self, rows: Int64) -> tuple[Tensor, Tensor]:
        """Return the encoder's output [b, S, D] and its mask [b, S]."""
        ids, mask = pad([self.sources[row] for row in rows], self.eos, self.model.device)
        return self.model.encoder(input_ids=ids, attention_mask=mask).last_hidden_state, mask


@dataclass(frozen=True)
class T5Task:
    """A T5 with its tokenizer and the items' tokens, for one task."""

    model: Any
    tokenizer: Any
    vocabulary: CodeVocabulary
    item_tokens: Int32
    corpus: Corpus
    config: GenerativeConfig

    @classmethod
    def load(cls, folder: Path, codes: Codes, corpus: Corpus, config: GenerativeConfig, device: str) -> T5Task:
        """Open a trained model."""
        model, tokenizer = t5.load(folder, device)
        vocabulary = CodeVocabulary(codes.sizes, first=len(tokenizer))
        return cls(model, tokenizer, vocabulary, vocabulary.encode(codes), corpus, config)

    @property
    def eos(self) -> int:
        """The end-of-sequence token."""
        return int(self.tokenizer.eos_token_id)

    def ranker(self, reader: str) -> Ranker:
        """Return what ranks with this model."""
        return Ranker(
            self.model, Trie.build(self.item_tokens, self.eos), self.vocabulary, id_ranks(self.corpus.ids),
            self.config, self.config.scorer_of(reader), sum(p.numel() for p in self.model.parameters()),
        )  # fmt: skip

    def histories(self, histories: Histories) -> SourceStates:
        """Return the states of user histories."""
        return SourceStates(self.model, inputs.histories_sources(histories, self.history_encoder()), self.eos)

    def history_encoder(self) -> inputs.TextHistories | inputs.IdHistories:
        """Return what turns a history into input tokens, as the reader is."""
        config = self.config
        if config.recommendation.reader == "text":
            return inputs.TextHistories(self.tokenizer, self.corpus.texts(), config.max_source)
        users = range(self.vocabulary.first - config.ids.user_tokens, self.vocabulary.first)
        return inputs.IdHistories(
            self.item_tokens, config.max_source, max_items=config.ids.max_items, users=users
        )  # fmt: skip

    def queries(self, texts: Sequence[str]) -> SourceStates:
        """Return the states of queries."""
        tokens = tokenize(self.tokenizer, texts, self.config.max_source - 1)
        return SourceStates(self.model, [tokens[row] for row in range(len(tokens))], self.eos)


def learn_recommendation(
    folder: Path, codes: Codes, corpus: Corpus, histories: Histories, validation_items: Int32,
    config: GenerativeConfig, context: Context, start: Path | None,
) -> dict[str, Any]:  # fmt: skip
    """Train on user histories (the training part only) and save the model; return facts about it."""
    pairs: Pairs = sampled_pairs(histories, context.seed) if config.pairs == "sampled" else all_prefixes(histories)
    if not len(pairs.target):
        raise BenchmarkError("recommendation: there are no training pairs; some user must have at least 4 events")

    def examples(task: T5Task) -> PairExamples:
        encoder = task.history_encoder()
        return PairExamples(
            lambda i: encoder.source(histories.items[pairs.start[i] : pairs.end[i]], histories.users[pairs.user[i]]),
            pairs.target.astype("int64"),
        )

    settings = config.recommendation
    usable = histories.lengths > 0
    judged = Judged.of_targets(validation_items, usable, settings.validation_size)
    return _learn(
        folder, codes, corpus, corpus.texts(), examples, config, settings, judged,
        lambda task: task.histories(histories), context, start,
    )  # fmt: skip


def learn_search(
    folder: Path, codes: Codes, corpus: Corpus, queries: QuerySet, development: QuerySet | None,
    config: GenerativeConfig, context: Context, start: Path | None,
) -> dict[str, Any]:  # fmt: skip
    """Train on (query, relevant item) pairs, one per positive judgment, and save the model; otherwise the same."""
    texts, rows, items = text_pairs(queries, corpus, config.search)

    def examples(task: T5Task) -> PairExamples:
        tokens = tokenize(task.tokenizer, texts, config.max_source - 1)
        return PairExamples(lambda i: tokens[rows[i]], items)

    judged = None if development is None else Judged.of_queries(development, config.search.validation_size)
    return _learn(
        folder, codes, corpus, [*corpus.texts(), *queries.texts], examples, config, config.search,
        judged, lambda task: task.queries(() if development is None else development.texts), context, start,
    )  # fmt: skip


def _learn(
    folder: Path, codes: Codes, corpus: Corpus, texts: list[str], make_examples: Callable[[T5Task], PairExamples],
    config: GenerativeConfig, settings: TaskConfig, judged: Judged | None,
    make_states: Callable[[T5Task], SourceStates], context: Context, start: Path | None,
) -> dict[str, Any]:  # fmt: skip
    model, tokenizer, vocabulary, origin = backbone.build(
        config, codes.sizes, texts, context.seed, start, _reader(config, settings)
    )
    context.log(f"  fine-tuning starts from: {origin}")
    task = T5Task(model, tokenizer, vocabulary, vocabulary.encode(codes), corpus, config)
    examples = make_examples(task)

    def loss(network: nn.Module, indices: Tensor) -> Tensor:
        rows = indices.tolist()
        ids, mask = pad([examples.source(i) for i in rows], task.eos, indices.device)
        target = inputs.labels(task.item_tokens, examples.targets[rows], task.eos, indices.device)
        output = network(input_ids=ids, attention_mask=mask, labels=target)
        if not settings.label_smoothing:
            plain: Tensor = output.loss
            return plain
        return nn.functional.cross_entropy(
            output.logits.flatten(0, 1), target.flatten(), label_smoothing=settings.label_smoothing
        )

    early = None
    if settings.evaluations and judged is not None:
        ranker, states = task.ranker(_reader(config, settings)), make_states(task)
        early = stopping(judged, lambda rows, k: ranker.rank(states, rows, k).items, settings, len(examples))
    log = train(model, len(examples), loss, settings, context, validation=early)
    t5.save(folder, model, tokenizer)
    return {
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "training_pairs": len(examples),
        "vocabulary": vocabulary.first,
        "start": origin,
        **facts(log, settings, len(examples)),
    }


def _reader(config: GenerativeConfig, settings: TaskConfig) -> str:
    return config.recommendation.reader if settings is config.recommendation else config.search.reader
