"""Histories and queries as the input of the readers that are no T5: training batches, and states to rank from.

A training example of `items` is a window of one history, whose every item but the first is a target; one of
`sentence` is a text with its item.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from benchmark.generative.config import ItemsConfig
from benchmark.generative.learning_encoder import Padded, TokenStates, sentence_batches
from benchmark.generative.neighbours import Neighbours
from benchmark.generative.tokens import Ragged
from benchmark.learning.windows import Windows, by_length, padded, recent_windows, training_windows
from benchmark.types.arrays import Float32, Int64
from benchmark.types.data import Histories

Batch = Any  # HistoryBatch or QueryBatch: what the reader's `learned` takes


@dataclass(frozen=True)
class Texts:
    """Prepared texts: embeddings [n, F], where they are read, word pieces, and what a learning encoder reads."""

    vectors: Float32 | None
    words: Ragged
    encoder_inputs: Ragged | TokenStates | None = None

    def __len__(self) -> int:
        return len(self.words)


@dataclass(frozen=True)
class TextBatch:
    """Some texts as tensors: the word pieces of text i are words[offsets[i]:offsets[i + 1]]."""

    vectors: Tensor | None  # [b, F]
    words: Tensor  # [number of word pieces]
    offsets: Tensor  # [b]
    encoder_inputs: tuple[Padded, ...] = ()


@dataclass(frozen=True)
class HistoryBatch:
    """Windows of like length in each tensor: items int64 [b, l], padded on the right."""

    windows: tuple[Tensor, ...]


@dataclass(frozen=True)
class QueryBatch:
    """Texts and the item of each [b]."""

    texts: TextBatch
    items: Tensor


class Examples(Protocol):
    """Training examples by number."""

    def __len__(self) -> int: ...

    def batch(self, rows: Int64, device: torch.device) -> Batch:
        """Return the examples of these numbers as the reader takes them."""
        ...


class HistoryExamples:
    """Every stretch of a history that a reader learns from: all its items but a user's first are targets once."""

    def __init__(self, histories: Histories, n_items: int, config: ItemsConfig) -> None:
        self.histories, self.n_items = histories, n_items
        self.windows = training_windows(histories, config.max_length + 1, 1, "all")

    def __len__(self) -> int:
        return len(self.windows.user)

    @property
    def targets(self) -> int:
        """Items that are learned from in one pass over the examples."""
        return int((self.windows.end - self.windows.start - 1).sum())

    def batch(self, rows: Int64, device: torch.device) -> HistoryBatch:
        """Return windows, cut into groups of like length so that padding costs little."""
        chosen = Windows(*(part[rows] for part in self.windows))
        parts = (padded(self.histories, group, self.n_items) for group in by_length(chosen))
        return HistoryBatch(tuple(torch.from_numpy(part).to(device) for part in parts))


class QueryExamples:
    """Texts with the item that each one asks for: example i is text rows[i] and item items[i], or a neighbour."""

    def __init__(
        self, texts: Texts, rows: Int64, items: Int64, word_dropout: float, neighbours: Neighbours | None = None
    ) -> None:
        """`neighbours` are those of the texts."""
        self.texts, self.rows, self.items, self.word_dropout = texts, rows, items, word_dropout
        self.neighbours = neighbours

    def __len__(self) -> int:
        return len(self.items)

    def batch(self, rows: Int64, device: torch.device) -> QueryBatch:
        """Return texts and items."""
        items, texts = self.items[rows], self.rows[rows]
        if self.neighbours is not None:
            items = self.neighbours.draw(texts, items)
        batch = text_batch(self.texts, texts, device, self.word_dropout)
        return QueryBatch(batch, torch.from_numpy(items).to(device))


class HistoryStates:
    """States behind the newest item of every history, to rank from."""

    def __init__(self, reader: Any, histories: Histories) -> None:
        """`reader` is an ItemsReader; an empty history has no state."""
        self.reader, self.histories = reader, histories
        self.windows = recent_windows(histories, reader.config.max_length)
        self.costs = self.windows.end - self.windows.start

    def __len__(self) -> int:
        return len(self.histories)

    def states(self, rows: Int64) -> tuple[Tensor, Tensor]:
        """Return states [b, 1, D] and their mask [b, 1]."""
        chosen = Windows(*(part[rows] for part in self.windows))
        items = torch.from_numpy(padded(self.histories, chosen, self.reader.n_items))
        return _single(self.reader.last_states(items.to(self.reader.last_norm.weight.device)))


class QueryStates:
    """States of queries, to rank from. A query is prepared when it is ranked, so that its latency holds that too."""

    def __init__(self, reader: Any, texts: Sequence[str], prepare: Callable[[Sequence[str]], Texts]) -> None:
        """`reader` is a SentenceReader."""
        self.reader, self.texts, self.prepare = reader, texts, prepare
        self.costs = np.zeros(len(texts), np.int64)  # all cost the same

    def __len__(self) -> int:
        return len(self.texts)

    def states(self, rows: Int64) -> tuple[Tensor, Tensor]:
        """Return states [b, 1, D] and their mask [b, 1]."""
        texts = self.prepare([self.texts[row] for row in rows])
        return _single(self.reader(text_batch(texts, np.arange(len(rows)), self.reader.norm.weight.device)))


def _single(states: Tensor) -> tuple[Tensor, Tensor]:
    return states[:, None], torch.ones((len(states), 1), dtype=torch.bool, device=states.device)


def text_batch(texts: Texts, rows: Int64, device: torch.device | str, dropout: float = 0.0) -> TextBatch:
    """Return some texts as a batch; `dropout` leaves out a share of the word pieces, from torch's generator.

    A text that would lose all its word pieces keeps them.
    """
    words = [texts.words[row] for row in rows]
    lengths = np.array([len(row) for row in words], np.int64)
    flat = np.concatenate(words) if words else np.empty(0, np.int32)
    if dropout and len(flat):
        kept = torch.rand(len(flat)).numpy() >= dropout
        owner = np.repeat(np.arange(len(rows)), lengths)
        left = np.bincount(owner[kept], minlength=len(rows))
        kept |= (left == 0)[owner]
        flat, lengths = flat[kept], np.bincount(owner[kept], minlength=len(rows))
    vectors = None if texts.vectors is None else torch.from_numpy(np.asarray(texts.vectors[rows], np.float32))
    offsets = np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(np.int64)
    inputs = texts.encoder_inputs
    return TextBatch(
        None if vectors is None else vectors.to(device),
        torch.from_numpy(flat.astype(np.int64)).to(device),
        torch.from_numpy(offsets).to(device),
        () if inputs is None else tuple(sentence_batches(inputs, rows, device)),
    )
