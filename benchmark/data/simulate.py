"""Simulated known-item queries: a searcher who wants one item and remembers some of its words.

Source: Azzopardi, de Rijke, Balog: Building Simulated Queries for Known-Item Topics, SIGIR 2007, section 3. A query
for item d has a Poisson number of terms; each comes from the item's model p(t | d) with probability 1 - lambda and
from the whole collection with probability lambda, no term twice. With n(t, d) the count of a term in the item, p(t)
its share of the collection and df(t) its number of items, p(t | d) is proportional to

    popular                  n(t, d)
    uniform                  1
    discriminative           1 / p(t)
    popular-discriminative   n(t, d) log(N / df(t))

Every random number is a hash of (seed, item, query, term), so a query depends on its own item and the collection
only: the training queries of a few items can be had without those of all. Test and development queries never have
the same set of words as a training query of their item.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from string import ascii_lowercase
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from benchmark.config import MethodConfig
from benchmark.types.arrays import Int32, Int64
from benchmark.types.data import Corpus, QuerySet
from benchmark.types.item_text import fallback_fields, join

if TYPE_CHECKING:
    import pyarrow as pa

FIELDS = ("title", "description", "brand")  # the default text fields but the price: nobody searches by its digits
CHUNK = 4_000_000  # (query, term) entries drawn at once
DRAWS = 8  # tries for a held-out query that differs from the training ones
SPLITS = ("train", "dev", "test")
LENGTH, NOISE, COLLECTION = 1 << 40, 2 << 40, 3 << 40  # what a random number is for, beside term numbers


class SimulationConfig(MethodConfig):
    """How simulated queries are drawn."""

    model: Literal["popular", "uniform", "discriminative", "popular-discriminative"] = "popular-discriminative"
    noise: float = Field(default=0.1, ge=0, le=1, description="lambda: probability that a term is not the item's own")
    mean_length: float = Field(
        default=3.0, gt=0, le=1000, description="mean of the Poisson number of terms, at least 1"
    )
    train_per_item: int = Field(default=5, ge=1, le=100_000, description="training queries of every item")
    held_out: int = Field(default=5000, ge=1, description="most items that get a development or a test query")


@dataclass(frozen=True)
class TermCounts:
    """The words of every item: item i has terms[offsets[i]:offsets[i + 1]], each once, with its count."""

    words: list[str]
    offsets: Int64  # [n_items + 1]
    terms: Int32  # [n_entries]
    counts: Int32  # [n_entries]


def simulate(corpus: Corpus, split: str, config: SimulationConfig | None = None, *, seed: int = 0) -> QuerySet:
    """Return simulated queries, grade 1 for the one item each was drawn from.

    'train': `train_per_item` queries for every item with a word; 'dev' and 'test': one for each item of a seeded
    sample. An item whose words allow no query unlike its training ones has none in 'dev' and 'test'.
    """
    config = config or SimulationConfig()
    sampler = _Sampler(term_counts(corpus.table), config, seed)
    if split == "train":
        rows = np.repeat(sampler.items, config.train_per_item)
        numbers = np.tile(np.arange(config.train_per_item), len(sampler.items))
        return sampler.query_set(split, rows, numbers, sampler.draw(rows, numbers))
    rows, queries = sampler.sample(split)
    return sampler.query_set(split, rows, np.zeros(len(rows), np.int64), queries)


def simulate_training(
    corpus: Corpus, per_item: int, config: SimulationConfig | None = None, *, seed: int = 0
) -> QuerySet:
    """Return `per_item` training queries for every item with a word, the first as in `simulate`.

    A query with the same set of words as its item's development or test query is left out: those are made to differ
    from `config.train_per_item` training queries only.
    """
    sampler = _Sampler(term_counts(corpus.table), config or SimulationConfig(), seed)
    rows, numbers = np.tile(sampler.items, per_item), np.repeat(np.arange(per_item), len(sampler.items))
    queries = sampler.draw(rows, numbers)
    words, kept = np.sort(queries, axis=1), np.ones(len(rows), bool)
    for split in SPLITS[1:]:
        held_out = np.full((len(corpus), queries.shape[1]), -2, np.int32)  # -2: this item has no such query
        items, drawn = sampler.sample(split)
        held_out[items] = np.sort(drawn, axis=1)
        kept &= (words != held_out[rows]).any(1)
    return sampler.query_set("train", rows[kept], numbers[kept], queries[kept])


def joined(first: QuerySet, second: QuerySet) -> QuerySet:
    """Return the queries of two sets as one, named after the first."""
    return QuerySet(
        first.name, (*first.ids, *second.ids), (*first.texts, *second.texts),
        np.concatenate([first.query_rows, second.query_rows + np.int32(len(first))]),
        np.concatenate([first.item_rows, second.item_rows]), np.concatenate([first.grades, second.grades]),
    )  # fmt: skip


class _Sampler:
    """Draws queries as rows of term numbers, -1 pads at the end."""

    def __init__(self, counts: TermCounts, config: SimulationConfig, seed: int) -> None:
        from scipy import stats

        self.counts, self.config, self.seed = counts, config, seed
        self.items = np.flatnonzero(np.diff(counts.offsets))  # those with a word
        total = np.bincount(counts.terms, counts.counts, len(counts.words)).astype(np.float64)
        self.collection = np.cumsum(total) / max(total.sum(), 1)
        self.weights = _weights(counts, total, config.model)
        longest = int(stats.poisson.isf(1e-9, config.mean_length))
        self.lengths = stats.poisson.cdf(np.arange(1, longest + 1), config.mean_length)

    def sample(self, split: str) -> tuple[Int64, Int32]:
        """Return the items of the development or test sample, and the query of each."""
        part = SPLITS.index(split)
        chosen = np.random.default_rng([self.seed, part]).permutation(self.items)[: self.config.held_out]
        return self.held_out(np.sort(chosen), part << 32)

    def query_set(self, split: str, rows: Int64, numbers: Int64, queries: Int32) -> QuerySet:
        """Return query numbers[j] of item rows[j], as text."""
        words = np.array(self.counts.words, dtype=object)
        return QuerySet(
            "simulated",
            tuple(f"{split}-{row}-{number}" for row, number in zip(rows.tolist(), numbers.tolist(), strict=True)),
            tuple(" ".join(words[query[query >= 0]]) for query in queries),
            np.arange(len(rows), dtype=np.int32),
            rows.astype(np.int32),
            np.ones(len(rows), np.int32),
        )

    def draw(self, rows: Int64, numbers: Int64) -> Int32:
        """Return query numbers[j] of item rows[j] for all j, as terms [n, longest]."""
        queries = np.full((len(rows), len(self.lengths) + 1), -1, np.int32)
        entries = np.cumsum(np.diff(self.counts.offsets)[rows])
        cuts = np.searchsorted(entries, np.arange(CHUNK, entries[-1] if len(rows) else 0, CHUNK))
        for start, end in pairwise([0, *np.unique(cuts[cuts > 0]).tolist(), len(rows)]):
            queries[start:end] = self._draw(rows[start:end], numbers[start:end], queries.shape[1])
        return queries

    def _draw(self, rows: Int64, numbers: Int64, longest: int) -> Int32:
        starts, sizes = self.counts.offsets[rows], np.diff(self.counts.offsets)[rows]
        query = np.repeat(np.arange(len(rows)), sizes)
        position = np.arange(len(query)) - np.repeat(np.cumsum(sizes) - sizes, sizes)  # inside its query
        entry = starts[query] + position
        # The smallest of exponential variables with rates w are a weighted draw without replacement.
        waiting = -np.log(_uniform(self.seed, rows[query], numbers[query], self.counts.terms[entry]))
        entry = entry[np.lexsort((waiting / self.weights[entry], query))]
        drawn = 1 + np.searchsorted(self.lengths, _uniform(self.seed, rows, numbers, LENGTH))
        keep = position < np.minimum(drawn, sizes)[query]
        own = np.full((len(rows), longest), -1, np.int32)
        own[query[keep], position[keep]] = self.counts.terms[entry[keep]]
        return self._with_noise(own, rows, numbers) if self.config.noise else own

    def _with_noise(self, own: Int32, rows: Int64, numbers: Int64) -> Int32:
        """Replace a share of the terms by terms of the collection that the query does not hold yet."""
        queries = own.copy()
        for slot in range(own.shape[1]):
            noisy = (own[:, slot] >= 0) & (_uniform(self.seed, rows, numbers, NOISE + slot) < self.config.noise)
            chosen = np.flatnonzero(noisy)
            random = _uniform(self.seed, rows[chosen], numbers[chosen], COLLECTION + slot)
            term = np.searchsorted(self.collection, random).astype(np.int32)
            known = (own[chosen] == term[:, None]).any(1) | (queries[chosen, :slot] == term[:, None]).any(1)
            queries[chosen[~known], slot] = term[~known]
        return queries

    def held_out(self, rows: Int64, first: int) -> tuple[Int64, Int32]:
        """Return the items that have a query with another set of words than their training ones, and that query."""
        train = [
            np.sort(self.draw(rows, np.full(len(rows), number)), axis=1) for number in range(self.config.train_per_item)
        ]
        queries = np.full((len(rows), len(self.lengths) + 1), -1, np.int32)
        waiting = np.arange(len(rows))
        for attempt in range(DRAWS):
            drawn = self.draw(rows[waiting], np.full(len(waiting), first + attempt))
            words = np.sort(drawn, axis=1)
            seen = np.any([(words == known[waiting]).all(1) for known in train], axis=0)
            queries[waiting[~seen]] = drawn[~seen]
            waiting = waiting[seen]
        done = queries[:, 0] >= 0
        return rows[done], queries[done]


def _weights(counts: TermCounts, total: NDArray[np.float64], model: str) -> NDArray[np.float64]:
    """Return the weight of every (item, term) entry, above 0: a word that all items share is the last choice."""
    own = counts.counts.astype(np.float64)
    match model:
        case "popular":
            return own
        case "uniform":
            return np.ones(len(own))
        case "discriminative":
            return np.asarray((total.sum() / total)[counts.terms], np.float64)
    items = len(counts.offsets) - 1
    rarity = np.log(items / np.bincount(counts.terms, minlength=len(counts.words)).clip(1)).clip(1e-9)
    return np.asarray(own * rarity[counts.terms], np.float64)


def _uniform(seed: int, *keys: Int64 | Int32 | int) -> NDArray[np.float64]:
    """Return random numbers in (0, 1), a hash of seed and keys (SplitMix64's finaliser, chained)."""
    state = np.array([(seed * 2 + 1) & (2**64 - 1)], np.uint64)
    for key in keys:
        state = state ^ np.asarray(key, np.int64).astype(np.uint64)
        state = state + np.uint64(0x9E3779B97F4A7C15)
        state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        state = state ^ (state >> np.uint64(31))
    return ((state >> np.uint64(11)).astype(np.float64) + 0.5) / 2.0**53


def term_counts(table: pa.Table) -> TermCounts:
    """Count the lower-cased words (runs of letters, marks and digits; no lone Latin letters) of every item.

    An item without the fields searched for is read in its other text fields, never in categories or keywords.
    """
    numbers: dict[str, int] = {}
    sizes, terms, counts = [], [], []
    for batch in table.to_batches(max_chunksize=65536):
        words = _words(batch)
        flat = words.flatten().dictionary_encode()
        local = np.array(
            [
                -1
                if not word or (len(word) == 1 and word in ascii_lowercase)
                else numbers.setdefault(word, len(numbers))
                for word in flat.dictionary.to_pylist()
            ],
            np.int64,
        )
        term = local[flat.indices.to_numpy()] if len(flat) else np.empty(0, np.int64)
        row = words.value_parent_indices().to_numpy()
        entries, count = np.unique((row << 32 | term)[term >= 0], return_counts=True)
        sizes.append(np.bincount(entries >> 32, minlength=len(batch)))
        terms.append((entries & 0xFFFFFFFF).astype(np.int32))
        counts.append(count.astype(np.int32))
    offsets = np.r_[0, np.cumsum(np.concatenate(sizes))].astype(np.int64)
    return TermCounts(list(numbers), offsets, np.concatenate(terms), np.concatenate(counts))


def _words(batch: pa.RecordBatch) -> pa.ListArray:
    import pyarrow.compute as pc

    fields = [batch.column(name) for name in FIELDS if name in batch.schema.names]
    others = [batch.column(name) for name in fallback_fields(batch, FIELDS)]
    text = pc.utf8_lower(pc.fill_null(pc.coalesce(join(fields, " ", len(batch)), *others), ""))
    text = pc.replace_substring_regex(text, r"(?s)<!--.*?-->|<style.*?</style>|<[^<>]{1,300}>", " ")  # HTML
    text = pc.replace_substring_regex(text, r"[^\p{L}\p{M}\p{N}]+", " ")
    return pc.utf8_split_whitespace(pc.utf8_trim_whitespace(text))
