"""Control IDs: what codes are worth that know nothing, and codes that know the label itself.

    random      uniform random codes of the usual shape: the floor
    shuffled    residual k-means IDs handed to the wrong items: their structure without their meaning
    category    the item's category path as its ID: the ceiling of every measure of category purity

They are reference rows, not methods; a method that does not beat `random` and `shuffled` has learned nothing.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np
from pydantic import Field

from benchmark.config import IndexerConfig
from benchmark.errors import BenchmarkError
from benchmark.methods.rqkmeans import ResidualKMeans, ResidualKMeansConfig
from benchmark.types.arrays import Float32, Int32, Int64
from benchmark.types.codes import Codes
from benchmark.types.data import Corpus
from benchmark.types.method import Context, Indexer
from benchmark.types.state import read_state, write_state

ConfigT = TypeVar("ConfigT", bound=IndexerConfig)


class RandomConfig(IndexerConfig):
    """Shape of the IDs: that of TIGER's and the paper's rq-VAE."""

    levels: int = Field(3, ge=1, le=64, description="codes per item, before the dedup counter")
    codebook_size: int = Field(256, ge=2, description="codes per level")


class Given:
    """Codes that follow from no text: an item that has some keeps them, another one gets what is drawn for its id.

    The draw follows from the seed and the id alone: not from the items beside it, nor from those of earlier calls.
    """

    def __init__(self, ids: Sequence[str], codes: Codes, seed: int) -> None:
        self.ids, self.codes, self.seed = tuple(ids), codes, seed
        self.row_of = {item: row for row, item in enumerate(ids)}

    @classmethod
    def load(cls, folder: Path) -> Given:
        """Return what `save` wrote."""
        values = read_state(folder)
        return cls(values["ids"], Codes(values["codes"], values["sizes"]), values["seed"])

    def save(self, folder: Path) -> None:
        """Write the codes that items have."""
        codes = self.codes
        write_state(folder, {"ids": self.ids, "codes": codes.values, "sizes": codes.sizes, "seed": self.seed})

    def distances(self, corpus: Corpus, rows: Int64) -> Float32:
        """Return what has no meaning: uniform random distances to the codes of the last position [len(rows), size]."""
        size, ids = self.codes.sizes[-1], corpus.ids
        drawn = [self._random_of(ids[row], 2).random(size, np.float32) for row in rows.tolist()]
        return np.array(drawn, np.float32).reshape(-1, size)

    def completed(self, corpus: Corpus, draw: Callable[[np.random.Generator], Int32]) -> Codes:
        """Return the codes of known items, and for each other one what `draw` takes from its own generator [length]."""
        values = np.empty((len(corpus), self.codes.length), np.int32)
        for row, item in enumerate(corpus.ids):
            known = self.row_of.get(item)
            values[row] = draw(self._random_of(item, 1)) if known is None else self.codes.values[known]
        return Codes(values, self.codes.sizes)

    def _random_of(self, item: str, stream: int) -> np.random.Generator:
        digest = hashlib.sha256(item.encode()).digest()
        return np.random.default_rng([self.seed, stream, int.from_bytes(digest)])


class WithoutMeaning(Indexer[ConfigT]):
    """What `random` and `shuffled` share: any free code is as good as another, and items keep what they were given."""

    control = True
    _given: Given

    def code_distances(self, corpus: Corpus, codes: Codes, rows: Int64) -> Float32:
        """Return random distances."""
        return self._given.distances(corpus, rows)

    def save(self, folder: Path) -> None:
        """Write the codes that items have."""
        self._given.save(folder)

    def load(self, folder: Path, context: Context) -> None:
        """Read the codes that items have."""
        self._given = Given.load(folder)


class Random(WithoutMeaning[RandomConfig]):
    """Uniform random codes: the floor of every table."""

    def fit(self, corpus: Corpus, context: Context) -> Codes:
        """Return int32 codes [n_items, levels], each uniform in [0, codebook_size)."""
        shape = (len(corpus), self.config.levels)
        values = np.random.default_rng(context.seed).integers(0, self.config.codebook_size, shape, dtype=np.int32)
        codes = Codes(values, (self.config.codebook_size,) * self.config.levels)
        self._given = Given(corpus.ids, codes, context.seed)
        return codes

    def assign(self, corpus: Corpus) -> Codes:
        """Return uniform random codes [n_items, levels]."""
        levels, size = self.config.levels, self.config.codebook_size
        return self._given.completed(corpus, lambda random: random.integers(0, size, levels, dtype=np.int32))


class Shuffled(WithoutMeaning[ResidualKMeansConfig]):
    """Residual k-means IDs permuted over the items: the same code structure, no meaning."""

    at_most_items = ResidualKMeans.at_most_items

    def fit(self, corpus: Corpus, context: Context) -> Codes:
        """Return the rows of `rqkmeans`' codes [n_items, levels] in random order."""
        codes = ResidualKMeans(self.config).fit(corpus, context)
        order = np.random.default_rng(context.seed).permutation(len(codes))
        codes = Codes(codes.values[order], codes.sizes)
        self._given = Given(corpus.ids, codes, context.seed)
        return codes

    def assign(self, corpus: Corpus) -> Codes:
        """Return the codes of random items of `fit` [n_items, levels]."""
        values = self._given.codes.values
        return self._given.completed(corpus, lambda random: values[random.integers(len(values))])


class CategoryConfig(IndexerConfig):
    """How a category path becomes codes."""

    layout: Literal["path", "levels"] = Field(
        "path",
        description="path: one code per different full path, so the AMI of the first code is 1 by construction; "
        "levels: one code per level, numbered among all nodes of that level",
    )


class Category(Indexer[CategoryConfig]):
    """The category path itself as ID: the upper control. Items without a category share a code of their own."""

    control = True

    def fit(self, corpus: Corpus, context: Context) -> Codes:
        """Return int32 codes: [n_items, 1] for layout 'path', [n_items, depth] with -1 padding for 'levels'.

        Raises BenchmarkError when no item of the corpus has a category.
        """
        paths = corpus.paths
        depth = max(map(len, paths), default=0)
        if not depth:
            raise BenchmarkError("category: no item of this corpus has a category path; leave this control out")
        codes = self._numbered(paths, depth)
        self._rows: dict[tuple[str, ...], Int32] = dict(zip(paths, codes.values, strict=True))
        self._counts, self._sizes = Counter(paths), codes.sizes
        return codes

    def assign(self, corpus: Corpus) -> Codes:
        """Return the codes of the items' paths; an unknown path gets those of the nearest known one.

        That is the known path that shares most of its upper levels; of several the one with the most items. In the
        layout 'levels' the ID ends where the paths part, as there is no code for the node below.
        """
        codes_of = {path: self._nearest(path) for path in set(corpus.paths)}
        values = np.array([codes_of[path] for path in corpus.paths], np.int32)
        return Codes(values.reshape(len(corpus), len(self._sizes)), self._sizes)

    def _nearest(self, path: tuple[str, ...]) -> Int32:
        """Return the codes of one path [length]."""
        if path in self._rows:
            return self._rows[path]
        shared = {known: _shared(path, known) for known in self._rows}
        nearest = max(shared, key=lambda known: (shared[known], self._counts[known], known))
        codes = self._rows[nearest].copy()
        codes[max(1, shared[nearest]) :] = -1  # one code alone in the layout 'path'
        return codes

    def _numbered(self, paths: Sequence[tuple[str, ...]], depth: int) -> Codes:
        if self.config.layout == "path":
            return _stack([_number(paths)])
        levels = [
            _number([path[: level + 1] if len(path) > level else None for path in paths]) for level in range(depth)
        ]
        none = np.array([not path for path in paths])
        if none.any():  # 'no category' stands beside the nodes of the first level
            levels[0][none] = levels[0].max() + 1
        return _stack(levels)


def _shared(left: tuple[str, ...], right: tuple[str, ...]) -> int:
    """Return how many upper levels two paths share."""
    return next((n for n, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right)))


def _number(nodes: Sequence[tuple[str, ...] | None]) -> Int32:
    """Return the number of each node among all different nodes, in sorted order; -1 for None."""
    numbers = {node: number for number, node in enumerate(sorted({node for node in nodes if node is not None}))}
    return np.array([-1 if node is None else numbers[node] for node in nodes], np.int32)


def _stack(levels: list[Int32]) -> Codes:
    return Codes(np.stack(levels, axis=1), tuple(int(level.max()) + 1 for level in levels))
