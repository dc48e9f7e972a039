"""The catalogue of a planted data set: sub-categories from the written lexicon (words.toml), and the items in them."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field

from benchmark.config import MethodConfig
from benchmark.errors import require
from benchmark.types.arrays import Int32, Int64

CHUNK = 50_000  # items written at once
FINISHES = 8  # of every department


class PlantedConfig(MethodConfig):
    """Size and noise of a planted data set."""

    items: int = Field(default=10_000, ge=100, le=1_000_000)
    users: int = Field(default=10_000, ge=1, le=1_000_000)
    events_per_user: float = Field(default=9.0, ge=5, le=40, description="mean; every user has at least 5")
    queries: int = Field(default=500, ge=1, description="test queries, and as many development queries")
    train_queries: int = Field(default=20_000, ge=1, description="training queries, where so many differ")
    noise: float = Field(default=0.15, ge=0, le=1, description="share of words and events that come from anywhere")
    departments: int = Field(default=8, ge=1, le=8)
    categories: int = Field(default=4, ge=1, le=4, description="categories of a department")
    leaves: int = Field(default=4, ge=1, le=4, description="sub-categories of a category")
    days: int = Field(
        default=0, ge=0, le=20_000,
        description="time stamps: days over which the events are spread; those of a user on one day stand in the order "
        "of their item ids, as in Amazon's 5-core files; 0: no time stamps",
    )  # fmt: skip
    seed: int = Field(default=1, ge=0, le=2**32 - 1)


class DemoConfig(PlantedConfig):
    """A planted data set that a small model learns in seconds."""

    items: int = Field(default=800, ge=100, le=1_000_000)
    users: int = Field(default=1_000, ge=1, le=1_000_000)
    events_per_user: float = Field(default=8.0, ge=5, le=40)
    queries: int = Field(default=200, ge=1)
    train_queries: int = Field(default=4_000, ge=1)
    departments: int = Field(default=4, ge=1, le=8)
    categories: int = Field(default=3, ge=1, le=4)


@dataclass(frozen=True)
class Leaf:
    """One sub-category and its words; `own`, `category` and `department` fill texts, `also` fills queries."""

    path: tuple[str, str, str]
    nouns: list[str]
    own: list[str]
    category: list[str]
    department: list[str]
    finishes: list[str]
    brands: list[str]
    also: tuple[list[str], list[str]]  # of the leaf, of the category


def lexicon() -> dict[str, Any]:
    """Read the words."""
    return tomllib.loads(Path(__file__).with_name("words.toml").read_text("utf-8"))


def leaves_of(words: dict[str, Any], config: PlantedConfig) -> list[Leaf]:
    """Return the leaves in use, siblings side by side."""
    leaves = []
    for department in words["departments"][: config.departments]:
        for category in department["categories"][: config.categories]:
            for line in category["leaves"][: config.leaves]:
                label, nouns, own, also = (part.strip() for part in line.split("|"))
                leaves.append(
                    Leaf(
                        (department["name"], category["name"], label),
                        nouns.split("; "),
                        own.split(),
                        category["words"].split(),
                        department["words"].split(),
                        department["finishes"].split(),
                        department["brands"].split(),
                        (also.split(), category["also"].split()),
                    )
                )
    return leaves


class Catalogue:
    """The items: leaf, colour and finish of each, their popularity and their texts."""

    def __init__(self, config: PlantedConfig) -> None:
        self.config = config
        self.words = lexicon()
        self.leaves = leaves_of(self.words, config)
        require(config.items >= len(self.leaves), "items", f"there are {len(self.leaves)} sub-categories to fill")
        self.colours: list[str] = self.words["colours"].split()
        random = self.random("catalogue")
        share = random.lognormal(0, 0.4, len(self.leaves))
        more = random.choice(len(self.leaves), config.items - len(self.leaves), p=share / share.sum())
        self.leaf: Int32 = random.permutation(np.r_[np.arange(len(self.leaves)), more]).astype(np.int32)
        self.colour: Int32 = random.integers(len(self.colours), size=config.items, dtype=np.int32)
        self.finish: Int32 = random.integers(FINISHES, size=config.items, dtype=np.int32)

    def random(self, purpose: str, chunk: int = 0) -> np.random.Generator:
        """Return the random numbers of one purpose, independent of all others."""
        return np.random.default_rng([self.config.seed, chunk, *purpose.encode()])

    @cached_property
    def ids(self) -> list[str]:
        """Item ids in row order."""
        return [f"P{row:07d}" for row in range(self.config.items)]

    @cached_property
    def members(self) -> tuple[Int32, Int64]:
        """Items of leaf l, most popular first: order[starts[l]:starts[l + 1]]."""
        rank = self.random("popularity").random(self.config.items)
        order = np.lexsort((rank, self.leaf)).astype(np.int32)
        return order, np.searchsorted(self.leaf[order], np.arange(len(self.leaves) + 1)).astype(np.int64)

    def item_lines(self) -> Iterator[str]:
        """Yield one JSON line per item."""
        for start in range(0, self.config.items, CHUNK):
            yield from self._lines(start, min(start + CHUNK, self.config.items))

    def _lines(self, start: int, end: int) -> Iterator[str]:
        random, n = self.random("texts", start), end - start
        styles, packs, openings, promises = (
            words.split() if isinstance(words := self.words[key], str) else words
            for key in ("styles", "packs", "openings", "promises")
        )
        pools = [(*[leaf.nouns] * 2, *[leaf.own] * 3, *[leaf.category] * 2, leaf.department) for leaf in self.leaves]
        tails = [f'"categories": {json.dumps(leaf.path)}}}\n' for leaf in self.leaves]
        strange = random.random((n, len(pools[0]))) < self.config.noise
        lender = np.where(strange, random.integers(len(pools), size=strange.shape), self.leaf[start:end, None])
        at = random.integers(1 << 16, size=(n, 6))
        price = np.exp(random.normal(3.2, 0.7, n)).clip(2, 900)
        columns = (self.leaf[start:end], self.colour[start:end], self.finish[start:end], lender, at, price)
        for row, (leaf, colour, finish, lent, die, cost) in enumerate(
            zip(*(column.tolist() for column in columns), strict=True), start
        ):
            own, tint, stuff = self.leaves[leaf], self.colours[colour], self.leaves[leaf].finishes[finish]
            noun, kind, a, b, c, d, e, f = [  # neighbouring slots, so an item's words for one thing differ
                (pool := pools[which][slot])[(die[0] + slot) % len(pool)] for slot, which in enumerate(lent)
            ]
            brand, style, pack, opening, promise = (
                words[roll % len(words)]
                for words, roll in zip((own.brands, styles, packs, openings, promises), die[1:], strict=True)
            )
            yield (
                f'{{"id": "{self.ids[row]}", "title": "{brand} {style} {tint} {stuff} {noun}{pack}", '
                f'"description": "{opening} {d} and {f}: {a}, {b}. This {kind} for {e} and {c} is {promise}.", '
                f'"brand": "{brand}", "price": {cost:.2f}, {tails[leaf]}'
            )
