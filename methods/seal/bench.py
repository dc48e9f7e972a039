"""SEAL's search: keys and queries per second, and where the time goes.

Documents are made-up words from a Zipf distribution; the language model is a T5 with random weights, whose keys are as
many and as long as those of a trained one. Large size: BART-base's shape (6 + 6 layers, width 768, 50,000 tokens).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmark.config import TrainingConfig
from benchmark.generative.t5 import ScratchConfig
from benchmark.methods.seal.config import SEALConfig
from benchmark.methods.seal.retriever import SEAL
from benchmark.types.data import Corpus
from benchmark.types.method import Context

GOAL = 20  # percent of the time in the FM-index, at most
DEPTH = 10
WORDS = 20_000
WORDS_PER_DOCUMENT = 100
WORDS_PER_QUERY = 6


def run(small: bool) -> Iterator[str]:
    """Yield the size, the speed and the shares of the FM-index, the scoring and the rest."""
    import pyarrow as pa

    n_documents, n_queries = (300, 20) if small else (10_000, 20)
    shape = (
        ScratchConfig(d_model=64, layers=2, heads=4, d_ff=256, vocabulary_size=1000)
        if small
        else ScratchConfig(d_model=768, layers=6, heads=12, d_ff=3072, vocabulary_size=50_000)
    )
    random = np.random.default_rng(0)
    texts = [_words(random, WORDS_PER_DOCUMENT) for _ in range(n_documents)]
    titles = [_words(random, 3) for _ in range(n_documents)]
    queries = [_words(random, WORDS_PER_QUERY) for _ in range(n_queries)]
    ids = [f"{row:07d}" for row in range(n_documents)]
    corpus = Corpus(pa.table({"id": ids, "title": titles, "description": texts}), fields=("title", "description"))
    method = SEAL(SEALConfig(scratch=shape, max_source=64, training=TrainingConfig(steps=1, batch_size=2)))
    with TemporaryDirectory() as folder:
        method.fit(corpus, None, Context(seed=0, work=Path(folder)))
        tokens = len(method.index)
        yield f"{n_documents:,} documents, {tokens:,} tokens, {method.index.nbytes / tokens:.1f} index bytes per token"
        yield from _timed(method, queries)


def _timed(method: SEAL, queries: list[str]) -> Iterator[str]:
    clock, keys = _Clock(), 0
    weigh = method.scorer.weigh

    def counting(ngrams: Any, first: Any) -> Any:
        nonlocal keys
        keys += len(ngrams)
        return weigh(ngrams, first)

    index = clock.watch(method.index, "FM-index", ("extend", "ranges", "locate", "documents", "continuations"))
    method.index = method.scorer.index = index
    method.scorer.weigh = counting  # type: ignore[method-assign]
    method.scorer = clock.watch(method.scorer, "scoring", ("weigh", "candidates", "score"))
    started = time.perf_counter()
    method.search(queries, DEPTH)
    seconds = time.perf_counter() - started
    yield f"{len(queries) / seconds:,.2f} queries/s, {keys / seconds:,.0f} keys/s ({keys / len(queries):.0f} per query)"
    rest = seconds - sum(clock.seconds.values())
    for name, spent in (*clock.seconds.items(), ("language model and the rest", rest)):
        yield f"{name:28} {100 * spent / seconds:5.1f}% of the time"
    yield f"goal: at most {GOAL}% in the FM-index"


def _words(random: np.random.Generator, n: int) -> str:
    """Draw n words from the Zipf distribution (exponent 1.2, cut at the vocabulary)."""
    return " ".join(f"w{rank % WORDS}" for rank in random.zipf(1.2, n).tolist())


class _Clock:
    """Adds up the time spent inside methods of watched objects; inner watched calls count for themselves alone."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.inner: list[float] = []

    def watch(self, target: Any, name: str, methods: tuple[str, ...]) -> Any:
        """Return an object that behaves like the target and is timed."""
        self.seconds.setdefault(name, 0.0)
        return _Watched(target, {method: self._timed(getattr(target, method), name) for method in methods})

    def _timed(self, function: Callable[..., Any], name: str) -> Callable[..., Any]:
        def timed(*arguments: Any) -> Any:
            self.inner.append(0.0)
            started = time.perf_counter()
            result = function(*arguments)
            spent = time.perf_counter() - started
            self.seconds[name] += spent - self.inner.pop()
            if self.inner:
                self.inner[-1] += spent
            return result

        return timed


class _Watched:
    """Forwards everything to its target, some methods through a clock."""

    def __init__(self, target: Any, timed: dict[str, Callable[..., Any]]) -> None:
        self._target = target
        self.__dict__.update(timed)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._target, name)

    def __len__(self) -> int:
        return len(self._target)


if __name__ == "__main__":
    for line in run(small=False):
        print(line, flush=True)
