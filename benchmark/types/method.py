"""What a method is: the contracts that indexers, retrievers and recommenders keep, and what the runner gives them.

Nothing here imports torch.
"""

from __future__ import annotations

import functools
import inspect
import shutil
import tempfile
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

from benchmark.config import Configured, MethodConfig
from benchmark.errors import BenchmarkError, ConfigError
from benchmark.registry import load
from benchmark.types.arrays import Float32, Int32, Int64
from benchmark.types.codes import Codes
from benchmark.types.curve import Curve, unwatched
from benchmark.types.data import Corpus, Histories, QuerySet
from benchmark.types.facts import Facts
from benchmark.types.rankings import Rankings
from benchmark.types.state import read_state, write_state

FITTED = ".fitted"  # in the folder of a context outside of a run: a fit there is finished


class Progress(Protocol):
    """Wraps an iterable with a progress bar that shows an ETA."""

    def __call__(self, iterable: Iterable[Any], title: str, total: int | None = None) -> Iterable[Any]: ...


def no_progress(iterable: Iterable[Any], title: str, total: int | None = None) -> Iterable[Any]:
    """A progress bar that shows nothing."""
    return iterable


class Embedder(Protocol):
    """Returns the embeddings of a corpus, float32 [n_items, dim], by an EncoderConfig or what makes one."""

    def __call__(self, corpus: Corpus, encoder: Any, context: Context, /) -> Float32: ...


def _temporary_folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="benchmark-"))


@dataclass(frozen=True)
class Context:
    """What a method gets from the runner besides its data; outside of a run, in a notebook, the defaults serve.

    `work` is a folder that survives a kill of the running stage (checkpoints belong there); it is removed when
    the stage is whole. `embed` returns cached text embeddings.
    """

    seed: int = 0
    work: Path = field(default_factory=_temporary_folder)
    device: str = "cpu"
    progress: Progress = no_progress
    log: Callable[[str], None] = lambda message: None
    embedder: Embedder | None = None  # None: embeds on the spot, and keeps the vectors as long as the corpus
    facts: Facts = field(default_factory=Facts)  # what a method reports of itself: parameters, ..; notes
    curve: Callable[[str], Curve] = unwatched  # begins to show the training of a name to who watches it

    def note(self, text: str) -> None:
        """Say a sentence below every table that shows the row; one that is said already stays as it is."""
        if text not in (notes := self.facts.get("notes", ())):
            self.facts["notes"] = [*notes, text]

    def embed(self, corpus: Corpus, encoder: Any = "default") -> Float32:
        """Return the items' text embeddings, float32 [n_items, dim], computed once per corpus, fields and encoder."""
        embedder: Embedder = self.embedder or load("embedder", "default")
        return embedder(corpus, encoder, self)

    def embed_new(self, corpus: Corpus, encoder: Any = "default") -> Float32:
        """Return the text embeddings of items that were not there at `fit`; the encoder learns nothing from them.

        Raises ConfigError for an encoder that is trained on its corpus (`simcse_epochs`), outside of a run.
        """
        if self.embedder is None and getattr(encoder, "simcse_epochs", None):
            raise ConfigError(
                "encoder.simcse_epochs: outside of a run the encoder that was trained on the first items is not kept, "
                "so new items cannot be embedded; `benchmark run --split cold-start` keeps it"
            )
        return self.embed(corpus, encoder)


ConfigT = TypeVar("ConfigT", bound=MethodConfig)


class Method(Configured[ConfigT], ABC):
    """A method of the suite: configured once, fitted once. Subclass Indexer, Retriever or Recommender."""

    control: ClassVar[bool] = False  # a reference row of the tables, below or above what a method should reach

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name in {"fit"} & vars(cls).keys():
            setattr(cls, name, _with_own_context(vars(cls)[name]))

    @classmethod
    def optional_parts(cls) -> dict[str, str]:
        """Return setting -> one line that says whether it works here, or what is missing and how to get it.

        For settings that need more than the suite's requirements, 'engine=lucene'; `benchmark doctor` prints the lines.
        """
        return {}

    def check(self, corpus: Corpus) -> None:
        """Raise UsageError or DataError where these settings cannot work with these items.

        Called with every plan, `--dry-run` too, before anything is computed; it should take less than a second.
        """


def _with_own_context(fit: Callable[..., Any]) -> Callable[..., Any]:
    """Let `fit` be called without a context: it gets one with the defaults, whose folder goes with the method.

    A context may serve several fits: what one has left in its folder is resumed by none that comes after it.
    """
    signature = inspect.signature(fit)
    if list(signature.parameters)[-1] != "context" or getattr(fit, "__isabstractmethod__", False):
        return fit

    @functools.wraps(fit)
    def fit_anywhere(self: Method[Any], *args: Any, **kwargs: Any) -> Any:
        given = signature.bind_partial(self, *args, **kwargs)
        context = given.arguments.get("context")
        if context is None:
            given.arguments["context"] = context = Context()
            weakref.finalize(self, shutil.rmtree, context.work, ignore_errors=True)
        if context.embedder is not None:  # in a run, where each stage has a folder of its own
            return fit(*given.args, **given.kwargs)
        fitted = context.work / FITTED
        if fitted.exists():
            given.arguments["context"] = replace(context, work=Path(tempfile.mkdtemp(dir=context.work)))
        found = fit(*given.args, **given.kwargs)
        if context.work.is_dir():
            fitted.touch()
        return found

    optional = signature.parameters["context"].replace(default=None)
    parameters = {**signature.parameters, "context": optional}
    fit_anywhere.__signature__ = signature.replace(parameters=list(parameters.values()))  # type: ignore[attr-defined]
    return fit_anywhere


class Indexer(Method[ConfigT]):
    """Gives every item a semantic ID; the shared generative part makes it a retriever and a recommender."""

    at_most_items: ClassVar[tuple[str, ...]] = ()  # settings that must not exceed the number of items: codebook sizes

    @abstractmethod
    def fit(self, corpus: Corpus, context: Context) -> Codes:
        """Return the codes [n_items, length], before the dedup counter."""

    def assign(self, corpus: Corpus) -> Codes:
        """Return codes of items that were not there at `fit`, in the same codebooks; called after it. Optional.

        Nothing is learned anew: an item's codes follow from its own text and from what `fit` has learned, and an item
        of `fit` keeps the codes that it has got there. Raises BenchmarkError where an indexer cannot do it.
        """
        raise BenchmarkError(f"{type(self).__name__} cannot assign IDs to new items: it has no method `assign`")

    @classmethod
    def assigns(cls) -> bool:
        """Return whether this indexer can assign IDs to new items."""
        return cls.assign is not Indexer.assign

    def save(self, folder: Path) -> None:
        """Write what `assign` needs of what `fit` has learned into this new folder, without pickle.

        By default the method's own attributes, which `load` sets again: JSON values, arrays, and lists, tuples and
        dicts of them (`benchmark.types.state`); a Context becomes that of `load`. Raises BenchmarkError that names an
        attribute of another kind: such an indexer brings methods `save` and `load`.
        """
        own = {name: value for name, value in vars(self).items() if name != "config"}
        contexts = [name for name, value in own.items() if isinstance(value, Context)]
        try:
            write_state(folder, {**own, **dict.fromkeys(contexts), "contexts": contexts})
        except BenchmarkError as error:
            raise BenchmarkError(f"{type(self).__name__} has no method `save`, and its attribute {error}") from None

    def load(self, folder: Path, context: Context) -> None:
        """Become what `save` wrote: from now on `assign` can be called. Raises BenchmarkError for another format."""
        values = read_state(folder)
        contexts = dict.fromkeys(values["contexts"], context)
        for name, value in {**values, **contexts}.items():
            if name != "contexts":
                setattr(self, name, value)

    def code_distances(self, corpus: Corpus, codes: Codes, rows: Int64) -> Float32:
        """Return how far items are from each code that the last position has [len(rows), sizes[-1]]; after `fit`.

        `codes` are those of the whole corpus, `rows` the items that are asked for: each as it stands behind its own
        earlier codes. Only the order within a row counts, and an infinite value marks a code without a place. Optional:
        it lets `unique_by` move items that share their codes.
        """
        raise BenchmarkError(f"{type(self).__name__} has no method `code_distances`")

    @classmethod
    def measures_distances(cls) -> bool:
        """Return whether this indexer can say how far an item is from its last codes."""
        return cls.code_distances is not Indexer.code_distances

    def save_initial_weights(self, folder: Path) -> None:
        """Write initial weights of the generative part into this new folder; called right after `fit`.

        By default nothing: training starts from random vectors for the codes. An indexer that has learned vectors of
        its codes writes them, with the T5 that they belong to if there is one: `benchmark.generative.start.save_start`.
        """


class Retriever(Method[ConfigT]):
    """Ranks items for text queries."""

    @abstractmethod
    def fit(self, corpus: Corpus, queries: QuerySet | None, context: Context) -> None:
        """Build the index; `queries` are training queries with judgments, where the data set has them."""

    def extend(self, corpus: Corpus) -> None:
        """From now on rank the items of this corpus, those of `fit` among them; called after `fit`. Optional.

        Items are indexed, and nothing is learned anew. Raises BenchmarkError where a retriever cannot do it.
        """
        raise BenchmarkError(f"{type(self).__name__} cannot rank new items: it has no method `extend`")

    @classmethod
    def extends(cls) -> bool:
        """Return whether this retriever can rank items that were not there at `fit`."""
        return cls.extend is not Retriever.extend

    @abstractmethod
    def search(self, queries: Sequence[str], k: int) -> Rankings:
        """Return at most k items per query, best first."""


class Precomputed(Method[ConfigT]):
    """Has ranked elsewhere: it is asked by the names of users or queries, and learns nothing."""

    @abstractmethod
    def ranked(self, names: Sequence[str], corpus: Corpus, k: int, context: Context) -> Rankings:
        """Return at most k items of each user or query, best first."""


class Recommender(Method[ConfigT]):
    """Ranks the next items of user histories."""

    @abstractmethod
    def fit(self, corpus: Corpus, histories: Histories, validation: Int32, context: Context) -> None:
        """Learn from training histories; `validation` [n_users] holds each user's next item (-1: none)."""

    @abstractmethod
    def recommend(self, histories: Histories, k: int) -> Rankings:
        """Return at most k next items per history, best first."""
