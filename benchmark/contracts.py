"""The words of the suite as types: what data looks like in memory and what a method must be able to do.

Row numbers are item indices everywhere: item i is row i of the corpus, of the codes and of the embeddings.
Nothing here imports torch.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from benchmark.config import Configured, MethodConfig
from benchmark.errors import BenchmarkError

if TYPE_CHECKING:
    import pyarrow as pa

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
Float32 = NDArray[np.float32]

DEFAULT_TEXT_FIELDS = ("title", "description", "brand", "price")
PAPER_TEXT_FIELDS = (*DEFAULT_TEXT_FIELDS, "category")


@dataclass(frozen=True)
class Corpus:
    """All items of a data set in a fixed order.

    `table` is an Arrow table (memory-mapped for large sets) with a string column `id`, string columns for the
    text fields and, where labels exist, a list<string> column `categories` (general to special).
    `fields` are the text fields a method may read; `fingerprint` identifies the items, not the fields.
    """

    table: pa.Table
    fields: tuple[str, ...] = DEFAULT_TEXT_FIELDS
    fingerprint: str = ""

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @cached_property
    def ids(self) -> list[str]:
        """Item ids in row order."""
        ids: list[str] = self.table.column("id").to_pylist()
        return ids

    @cached_property
    def row_of(self) -> dict[str, int]:
        """Item id -> row."""
        return {item: row for row, item in enumerate(self.ids)}

    def texts(self, fields: Sequence[str] | None = None) -> list[str]:
        """Return one text per item: 'title: X, brand: Y' (LMIndexer's item text, joined with ', ')."""
        from benchmark.text import item_texts

        return item_texts(self.table, tuple(fields) if fields is not None else self.fields)

    @cached_property
    def paths(self) -> list[tuple[str, ...]]:
        """Category path of every item, general to special; empty where an item has no label."""
        if "categories" not in self.table.column_names:
            return [()] * len(self)
        return [tuple(path or ()) for path in self.table.column("categories").to_pylist()]


@dataclass(frozen=True)
class Histories:
    """User sequences, oldest item first: user u holds items[offsets[u]:offsets[u + 1]]."""

    users: list[str]
    offsets: Int64  # [n_users + 1]
    items: Int32  # [n_interactions]

    def __len__(self) -> int:
        return len(self.users)

    def __getitem__(self, user: int) -> Int32:
        return self.items[self.offsets[user] : self.offsets[user + 1]]

    @property
    def lengths(self) -> Int64:
        """Number of items of each user [n_users]."""
        return np.diff(self.offsets)

    def select(self, rows: Int64) -> Histories:
        """Return the histories of the users at these rows."""
        lengths = self.lengths[rows]
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        positions = np.arange(offsets[-1]) + np.repeat(self.offsets[:-1][rows] - offsets[:-1], lengths)
        return Histories([self.users[row] for row in rows], offsets, np.asarray(self.items)[positions])


@dataclass(frozen=True)
class QuerySet:
    """Queries and their judgments: query query_rows[j] has item item_rows[j] at grade grades[j]."""

    name: str  # "judged", "simulated", "category-derived", ...
    ids: list[str]
    texts: list[str]
    query_rows: Int32  # [n_judgments]
    item_rows: Int32  # [n_judgments]
    grades: Int32  # [n_judgments]

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True)
class Codes:
    """Semantic IDs: int32 [n_items, length], -1 pads; position t has codes 0 .. sizes[t] - 1.

    Padding may stand at the end (shorter IDs); after `with_counter` the last column is the dedup counter and
    padding may stand before it, because the counter always uses the tokens of the last position (LMIndexer's code).
    """

    values: Int32
    sizes: tuple[int, ...]

    def __post_init__(self) -> None:
        values = self.values
        if values.ndim != 2 or values.shape[1] != len(self.sizes):
            raise BenchmarkError(f"codes: shape {values.shape} does not match {len(self.sizes)} codebook sizes")
        if values.dtype != np.int32:
            raise BenchmarkError(f"codes: dtype must be int32, not {values.dtype}")
        if len(values) and (values.min() < -1 or (values >= np.asarray(self.sizes)).any()):
            raise BenchmarkError("codes: a code lies outside its codebook (allowed: -1 for padding, 0 .. size - 1)")
        if len(values) and (values[:, 0] < 0).any():
            raise BenchmarkError("codes: an item has no first code")

    def __len__(self) -> int:
        return len(self.values)

    @property
    def length(self) -> int:
        """Positions of the longest ID."""
        return len(self.sizes)

    def counter(self) -> Int32:
        """Return 0,1,2.. in row order inside each group of equal codes [n_items] (the dedup counter)."""
        if not len(self):
            return np.empty(0, np.int32)
        _, group = np.unique(self.values, axis=0, return_inverse=True)
        group = group.reshape(-1)
        order = np.argsort(group, kind="stable")
        sorted_group = group[order]
        starts = np.r_[0, np.flatnonzero(np.diff(sorted_group)) + 1]
        sizes = np.diff(np.r_[starts, len(order)])
        counter = np.empty(len(self), np.int32)
        counter[order] = np.arange(len(order)) - np.repeat(starts, sizes)
        return counter

    def with_counter(self) -> Codes:
        """Append the dedup counter as one more position, for every item (0 where an ID is already unique)."""
        counter = self.counter()
        size = int(counter.max()) + 1 if len(counter) else 1
        return Codes(np.column_stack([self.values, counter]).astype(np.int32), (*self.sizes, size))


@dataclass(frozen=True)
class Rankings:
    """Ranked items of each query or user: items int32 [n, k] (-1 pads at the end), scores float32 [n, k]."""

    items: Int32
    scores: Float32

    def __len__(self) -> int:
        return len(self.items)


class Progress(Protocol):
    """Wraps an iterable with a progress bar that shows an ETA."""

    def __call__(self, iterable: Iterable[Any], title: str, total: int | None = None) -> Iterable[Any]: ...


def no_progress(iterable: Iterable[Any], title: str, total: int | None = None) -> Iterable[Any]:
    """A progress bar that shows nothing."""
    return iterable


@dataclass(frozen=True)
class Context:
    """What a method gets from the runner besides its data.

    `work` is a folder that survives a kill of the running stage (checkpoints belong there); it is removed when
    the stage is whole. `embed` returns cached text embeddings.
    """

    seed: int
    work: Path
    device: str = "cpu"
    progress: Progress = no_progress
    log: Callable[[str], None] = lambda message: None
    embedder: Callable[[Corpus, Any, Context], Float32] | None = None
    facts: dict[str, Any] = field(default_factory=dict)  # what a method reports of itself: parameters, ..; notes

    def embed(self, corpus: Corpus, encoder: Any = "default") -> Float32:
        """Return the items' text embeddings, float32 [n_items, dim], computed once per corpus, fields and encoder."""
        if self.embedder is None:
            raise BenchmarkError("this context has no encoder; run the method through the runner")
        return self.embedder(corpus, encoder, self)


ConfigT = TypeVar("ConfigT", bound=MethodConfig)


class Method(Configured[ConfigT], ABC):
    """A method of the suite: configured once, fitted once. Subclass Indexer, Retriever or Recommender."""


class Indexer(Method[ConfigT]):
    """Gives every item a semantic ID; the shared generative part makes it a retriever and a recommender."""

    @abstractmethod
    def fit(self, corpus: Corpus, context: Context) -> Codes:
        """Return the codes [n_items, length], before the dedup counter."""

    def hand_over(self, folder: Path) -> None:
        """Write initial weights of the generative part into this new folder; called right after `fit`.

        By default nothing: training starts from random vectors for the codes. An indexer that has learned vectors of
        its codes writes them, with the T5 that they belong to if there is one: `benchmark.generative.start.save_start`.
        """


class Retriever(Method[ConfigT]):
    """Ranks items for text queries."""

    @abstractmethod
    def fit(self, corpus: Corpus, queries: QuerySet | None, context: Context) -> None:
        """Build the index; `queries` are training queries with judgments, where the data set has them."""

    @abstractmethod
    def search(self, queries: Sequence[str], k: int) -> Rankings:
        """Return at most k items per query, best first."""


class Recommender(Method[ConfigT]):
    """Ranks the next items of user histories."""

    @abstractmethod
    def fit(self, corpus: Corpus, histories: Histories, validation: Int32, context: Context) -> None:
        """Learn from training histories; `validation` [n_users] holds each user's next item (-1: none)."""

    @abstractmethod
    def recommend(self, histories: Histories, k: int) -> Rankings:
        """Return at most k next items per history, best first."""
