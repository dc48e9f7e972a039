"""Histories of the planted data sets: users with one or two preferred leaves and tastes that drift.

The next item is, without noise: the fixed companion of the last one (what is bought together), a popular item of the
same leaf (Zipf), one of a sibling leaf, or one of a preferred leaf; with probability `noise` one of any leaf.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmark.datasets.planted.catalogue import Catalogue
from benchmark.types.arrays import Int32, Int64

COMPANION, STAY, SIBLING = 0.45, 0.30, 0.12  # the rest goes back to a preferred leaf
SHORTEST, LONGEST = 5, 60  # events of a user
FIRST_DAY, DAY = 1_262_304_000, 86_400  # 2010-01-01 (UTC), in seconds
TWO_TASTES = 0.5  # share of users with a second preferred leaf


def write(catalogue: Catalogue, folder: Path) -> int:
    """Write sequences.txt, and times.txt where events have a day, and return the number of interactions."""
    lengths, items = histories(catalogue)
    if catalogue.config.days:
        times = days(catalogue, lengths, items.shape[1])
        order = np.lexsort((np.where(items < 0, len(catalogue.ids), items), times))  # by day, then by id
        items, times = (np.take_along_axis(part, order, axis=1) for part in (items, times))
        with (folder / "times.txt").open("w", encoding="utf-8") as file:
            file.writelines(
                _lines([str(FIRST_DAY + day * DAY) for day in range(catalogue.config.days)], lengths, times)
            )
    with (folder / "sequences.txt").open("w", encoding="utf-8") as file:
        file.writelines(_lines(catalogue.ids, lengths, items))
    return int(lengths.sum())


def _lines(ids: list[str], lengths: Int64, items: Int32) -> Iterator[str]:
    for user, length in enumerate(lengths.tolist()):
        yield f"U{user:06d} {' '.join([ids[item] for item in items[user, :length].tolist()])}\n"


def days(catalogue: Catalogue, lengths: Int64, width: int) -> Int32:
    """Return the day of every event [n_users, width], ascending within a user, with many events of a user on one day.

    A user comes about half as often as there are events, each time on any of the days; after the last event stands the
    last day.
    """
    n_days, random, event = catalogue.config.days, catalogue.random("days"), np.arange(width)
    begins = random.random((len(lengths), width)) < 0.5
    begins[:, 0] = True
    visit = np.cumsum(begins, axis=1) - 1
    n_visits = np.take_along_axis(visit, lengths[:, None] - 1, axis=1) + 1
    visits = random.integers(n_days, size=(len(lengths), width))
    visits = np.sort(np.where(event < n_visits, visits, n_days), axis=1)
    found = np.take_along_axis(visits, np.minimum(visit, n_visits - 1), axis=1)
    found[event >= lengths[:, None]] = n_days - 1
    return found.astype(np.int32)


def histories(catalogue: Catalogue) -> tuple[Int64, Int32]:
    """Return the number of events [n_users] and the items [n_users, longest], one step for all users at a time."""
    config, random = catalogue.config, catalogue.random("users")
    n, n_leaves = config.users, len(catalogue.leaves)
    lengths = (SHORTEST + random.poisson(config.events_per_user - SHORTEST, n)).clip(max=LONGEST).astype(np.int64)
    home = random.integers(n_leaves, size=(n, 2))
    home[:, 1] = np.where(random.random(n) < TWO_TASTES, home[:, 1], home[:, 0])
    companion = companions(catalogue)
    items = np.full((n, int(lengths.max())), -1, np.int32)
    items[:, 0] = popular(catalogue, home[:, 0], random.random(n))
    for step in range(1, items.shape[1]):
        active = np.flatnonzero(lengths > step)
        last = items[active, step - 1]
        way, k = random.random(len(active)), len(active)
        leaf = catalogue.leaf[last].astype(np.int64)
        leaf = np.where(way >= COMPANION + STAY, siblings(leaf, config.leaves, random), leaf)
        preferred = home[active, random.integers(2, size=k)]
        leaf = np.where(way >= COMPANION + STAY + SIBLING, preferred, leaf)
        strange = random.random(k) < config.noise
        leaf = np.where(strange, random.integers(n_leaves, size=k), leaf)
        chosen = popular(catalogue, leaf, random.random(k))
        chosen = np.where((way < COMPANION) & ~strange, companion[last], chosen)
        items[active, step] = np.where(chosen == last, companion[last], chosen)
    return lengths, items


def popular(catalogue: Catalogue, leaf: Int64, random: NDArray[np.float64]) -> Int32:
    """Return an item of each leaf; the one of rank r has a weight of about 1 / r."""
    order, starts = catalogue.members
    size = (starts[1:] - starts[:-1])[leaf]
    rank = np.minimum((size + 1.0) ** random - 1, size - 1).astype(np.int64)
    return np.asarray(order[starts[leaf] + rank], np.int32)


def siblings(leaf: Int64, family: int, random: np.random.Generator) -> Int64:
    """Return another leaf of the same category for each leaf; leaves of a category are neighbours in number."""
    step = random.integers(1, max(family, 2), size=len(leaf))
    return leaf - leaf % family + (leaf % family + step) % family


def companions(catalogue: Catalogue) -> Int32:
    """Return the companion of every item: half of them from the same leaf, half from a sibling leaf, never itself."""
    order, starts = catalogue.members
    random = catalogue.random("companions")
    leaf = catalogue.leaf.astype(np.int64)
    leaf = np.where(random.random(len(leaf)) < 0.5, leaf, siblings(leaf, catalogue.config.leaves, random))
    size = (starts[1:] - starts[:-1])[leaf]
    place = (random.random(len(leaf)) * size).astype(np.int64)
    companion = order[starts[leaf] + place]
    again = order[starts[leaf] + (place + 1) % size]  # a leaf with one item leaves no other choice
    return np.where(companion == np.arange(len(leaf)), again, companion).astype(np.int32)
