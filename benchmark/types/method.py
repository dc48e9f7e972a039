"""What a method is: the contracts that indexers, retrievers and recommenders keep, and what the runner gives them.

Nothing here imports torch.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

from benchmark.config import Configured, MethodConfig
from benchmark.errors import BenchmarkError
from benchmark.types.arrays import Float32, Int32
from benchmark.types.codes import Codes
from benchmark.types.data import Corpus, Histories, QuerySet
from benchmark.types.facts import Facts
from benchmark.types.rankings import Rankings


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
    facts: Facts = field(default_factory=Facts)  # what a method reports of itself: parameters, ..; notes

    def embed(self, corpus: Corpus, encoder: Any = "default") -> Float32:
        """Return the items' text embeddings, float32 [n_items, dim], computed once per corpus, fields and encoder."""
        if self.embedder is None:
            raise BenchmarkError("this context has no encoder; run the method through the runner")
        return self.embedder(corpus, encoder, self)


ConfigT = TypeVar("ConfigT", bound=MethodConfig)


class Method(Configured[ConfigT], ABC):
    """A method of the suite: configured once, fitted once. Subclass Indexer, Retriever or Recommender."""

    control: ClassVar[bool] = False  # a reference row of the tables, below or above what a method should reach

    @classmethod
    def optional_parts(cls) -> dict[str, str]:
        """Return setting -> one line that says whether it works here, or what is missing and how to get it.

        For settings that need more than the suite's requirements, 'engine=lucene'; `benchmark doctor` prints the lines.
        """
        return {}


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
