"""The readers `items` and `sentence`: training and ranking with a generator that is no T5."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.data.simulate import term_counts
from benchmark.errors import BenchmarkError
from benchmark.generative.config import GenerativeConfig, SentenceConfig
from benchmark.generative.general_queries import general_queries
from benchmark.generative.generator import Generator, items_generator, sentence_generator
from benchmark.generative.learning import learn, stopping
from benchmark.generative.learning_encoder import LearningEncoder, sentence_tokens
from benchmark.generative.neighbours import Compared, Neighbours
from benchmark.generative.rank import Ranker, States
from benchmark.generative.reading import HistoryExamples, HistoryStates, QueryExamples, QueryStates, Texts
from benchmark.generative.search_examples import text_pairs
from benchmark.generative.start import load_start
from benchmark.generative.tokens import Ragged, tokenize
from benchmark.learning.encoders import EmbedTexts
from benchmark.learning.static_encoder import word_tokenizer
from benchmark.learning.validation import Judged
from benchmark.types.arrays import Float32, Int32, Int64
from benchmark.types.codes import Codes
from benchmark.types.data import Corpus, Histories, QuerySet
from benchmark.types.method import Context
from benchmark.types.rankings import Rankings
from benchmark.types.ties import id_ranks

PIECES = "pieces.npy"  # the tokenizer's numbers of the word pieces that training has seen
POPULAR = "popular.npy"  # items from most to least popular in the training histories


@dataclass(frozen=True)
class Preparing:
    """Turns texts into word pieces by a sentence encoder's tokenizer, and into vectors by the encoder."""

    encoder: Any
    config: SentenceConfig
    pieces: Int64 | None = None  # the tokenizer's numbers of the pieces that training has seen, ascending

    @classmethod
    def of(cls, config: SentenceConfig, device: str) -> Preparing:
        """Open the encoder that a configuration names; every piece of its tokenizer has its number there."""
        from benchmark.learning.encoders import load

        return cls(load(config.encoder, device), config)

    @property
    def dimensions(self) -> int:
        """Width of the vectors."""
        return int(self.encoder.get_embedding_dimension())

    def knowing(self, pieces: Int64) -> Preparing:
        """Return the same for these pieces alone: they are numbered anew and all others left out."""
        return replace(self, pieces=pieces)

    def words(self, texts: Sequence[str]) -> Ragged:
        """Return the word pieces of texts, with the tokenizer's numbers."""
        return tokenize(word_tokenizer(self.encoder), list(texts), self.config.max_words)

    def known(self, words: Ragged) -> Ragged:
        """Return the pieces that training has seen, numbered anew."""
        assert self.pieces is not None
        place = np.searchsorted(self.pieces, words.values).clip(max=len(self.pieces) - 1)
        known = self.pieces[place] == words.values
        kept = np.concatenate([[0], np.cumsum(known)])
        return Ragged(place[known].astype(np.int32), kept[words.offsets])

    def __call__(self, texts: Sequence[str]) -> Texts:
        """Return the known pieces of texts, and their vectors where they are read."""
        from benchmark.learning.encoders import encode

        words = self.known(self.words(texts))
        if self.config.inputs == "words":
            return Texts(None, words)
        if self.config.learning_layers:
            return Texts(None, words, sentence_tokens(self.encoder, texts))
        return Texts(encode(self.encoder, texts, normalize=self.config.encoder.normalize), words)

    def learning(self) -> LearningEncoder | None:
        """Return a copy of the encoder that learns with the reader, or None where it is frozen."""
        if not self.config.learning_layers:
            return None
        return LearningEncoder(self.encoder, self.config.learning_layers, self.config.encoder.normalize)


def learn_recommendation(
    folder: Path, codes: Codes, corpus: Corpus, histories: Histories, validation_items: Int32,
    config: GenerativeConfig, context: Context, start: Path | None,
) -> dict[str, Any]:  # fmt: skip
    """Train on user histories (the training part only) and save the generator; return facts about it."""
    examples = HistoryExamples(histories, len(corpus), config.items)
    if not len(examples):
        raise BenchmarkError("recommendation: no user has two training events: there is no sequence to learn from")
    learned = load_start(start, codes.sizes[:-1]) if start is not None and config.start == "learned" else None
    generator = items_generator(codes, _item_vectors(corpus, config, context), config, context.seed, learned)
    counts = np.bincount(histories.items, minlength=len(corpus))
    order = id_ranks(corpus.ids)
    np.save(folder / POPULAR, np.lexsort((order, -counts)).astype(np.int32))

    judged = Judged.of_targets(validation_items, histories.lengths > 0, config.recommendation.validation_size)
    ranker = _ranker(generator, corpus, config, "items")
    states = HistoryStates(generator.reader, histories)
    early = stopping(judged, lambda rows, k: ranker.rank(states, rows, k).items, config.recommendation, len(examples))
    facts = learn(generator, examples, config.recommendation, context, early)
    generator.save(folder)
    return {**facts, "targets": examples.targets, "start": "learned code vectors" if learned else "fresh"}


def learn_search(
    folder: Path, codes: Codes, corpus: Corpus, queries: QuerySet, development: QuerySet | None,
    config: GenerativeConfig, context: Context, embed_texts: EmbedTexts,
) -> dict[str, Any]:  # fmt: skip
    """Train on (query, relevant item) pairs, one per positive judgment, and on the items' texts where asked for."""
    texts, rows, items = text_pairs(queries, corpus, config.search)
    preparing, own = Preparing.of(config.sentence, context.device), None
    if config.sentence.neighbours.share or config.sentence.general_queries.per_item:
        own = Compared(context.embed(corpus, config.sentence.encoder), preparing.words(corpus.texts()))
    if own is not None and config.sentence.general_queries.per_item:
        near = Neighbours.of(own, own, corpus.ids, config.sentence.neighbours).items
        general, asked = general_queries(term_counts(corpus.table), near, config.sentence.general_queries, context.seed)
        rows = np.concatenate([rows, len(texts) + np.arange(len(general))])
        texts, items = [*texts, *general], np.concatenate([items, asked])
    words = preparing.words(texts)
    pieces = np.unique(words.values).astype(np.int64)
    if not len(pieces):
        raise BenchmarkError("search: the texts to learn from hold no word")
    np.save(folder / PIECES, pieces)
    preparing = preparing.knowing(pieces)
    encoder = preparing.learning()
    vectors = neighbours = None
    if config.sentence.neighbours.share or (encoder is None and config.sentence.inputs != "words"):
        vectors = embed_texts(texts, config.sentence.encoder)
    if config.sentence.neighbours.share:
        assert vectors is not None and own is not None
        neighbours = Neighbours.of(Compared(vectors, words), own, corpus.ids, config.sentence.neighbours)
    if encoder is not None:
        inputs = encoder.kept(sentence_tokens(preparing.encoder, texts), context.device)
        prepared = Texts(None, preparing.known(words), inputs)
    else:
        prepared = Texts(vectors if config.sentence.inputs != "words" else None, preparing.known(words))
    generator = sentence_generator(codes, len(pieces), preparing.dimensions, config, context.seed, encoder)
    examples = QueryExamples(prepared, rows, items, config.sentence.word_dropout, neighbours)

    early = None
    if development is not None and config.search.evaluations:
        judged = Judged.of_queries(development, config.search.validation_size)
        ranker = _ranker(generator, corpus, config, "sentence")
        states = QueryStates(generator.reader, development.texts, preparing)
        early = stopping(judged, lambda chosen, k: ranker.rank(states, chosen, k).items, config.search, len(examples))
    rates = {"reader.encoder.": config.sentence.encoder_rate}
    facts = learn(generator, examples, config.search, context, early, rates)
    generator.save(folder)
    return {**facts, "start": "fresh"}


def recommend(
    folder: Path, codes: Codes, corpus: Corpus, histories: Histories, k: int, config: GenerativeConfig,
    context: Context,
) -> Rankings:  # fmt: skip
    """Rank the next items of each history; a user without history gets what is most popular."""
    ranker, states = open_recommendation(folder, codes, corpus, config, context)
    known = np.flatnonzero(histories.lengths > 0)
    found = ranker.rank_all(states(histories.select(known)), k, context)
    popular = np.load(folder / POPULAR)[: found.items.shape[1]]
    items = np.tile(np.pad(popular, (0, found.items.shape[1] - len(popular)), constant_values=-1), (len(histories), 1))
    scores = np.where(items >= 0, -np.arange(items.shape[1], dtype=np.float32), -np.inf).astype(np.float32)
    items[known], scores[known] = found.items, found.scores
    return Rankings(items.astype(np.int32), scores)


def open_recommendation(
    folder: Path, codes: Codes, corpus: Corpus, config: GenerativeConfig, context: Context
) -> tuple[Ranker, Callable[[Histories], States]]:
    """Return a trained generator as a ranker, and what prepares histories (none of them empty) for it."""
    generator = items_generator(codes, _item_vectors(corpus, config, context), config, context.seed)
    _open(generator, folder, context)
    return _ranker(generator, corpus, config, "items"), lambda histories: HistoryStates(generator.reader, histories)


def open_search(
    folder: Path, codes: Codes, corpus: Corpus, config: GenerativeConfig, context: Context
) -> tuple[Ranker, Callable[[Sequence[str]], States]]:
    """Return a trained generator as a ranker, and what prepares queries for it."""
    pieces = np.load(folder / PIECES)
    preparing = Preparing.of(config.sentence, context.device).knowing(pieces)
    generator = sentence_generator(codes, len(pieces), preparing.dimensions, config, context.seed, preparing.learning())
    _open(generator, folder, context)
    return _ranker(generator, corpus, config, "sentence"), lambda texts: QueryStates(generator.reader, texts, preparing)


def _ranker(generator: Generator, corpus: Corpus, config: GenerativeConfig, reader: str) -> Ranker:
    return Ranker(
        generator.decoder, generator.trie, generator.vocabulary, id_ranks(corpus.ids), config,
        config.scorer_of(reader), generator.parameters_count,
    )  # fmt: skip


def _open(generator: Generator, folder: Path, context: Context) -> None:
    generator.load(folder)
    generator.to(context.device).eval()


def _item_vectors(corpus: Corpus, config: GenerativeConfig, context: Context) -> Float32 | None:
    if config.items.vectors not in ("text", "both"):
        return None
    return context.embed(corpus, config.items.encoder)
