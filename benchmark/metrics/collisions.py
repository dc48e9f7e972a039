"""Ranking metrics that know when several items share one ID: strict, expected and optimistic readings.

Which of the items behind one ID comes first is decided by the dedup counter, a token that means nothing: a plain metric
credits the ID with what the model memorised, or hit by luck, of the counters. Here a ranking is a ranking of IDs: a
group (all items with one ID before the dedup counter, found by the run or not) stands where its best-ranked item
stands, and its items fill as many ranks as there are of them, in any order:

    strict        the relevant items come last in their group, lower grades first
    expected      the mean over all orders of the group
    optimistic    the relevant items come first, higher grades first

With b items in the groups above, a group of s items, r of them relevant, and cutoff k:

    E[relevant in the top k] = r t / s,  t = min(max(k - b, 0), s)
    E[DCG@k]                 = (sum of grades) / s * sum_{b < rank <= min(b + s, k)} 1 / log2(rank + 1)
    E[1 / first rank]        = sum_p P(p) / (b + p),  P(p) = C(s - p, r - 1) / C(s, r),  for the first relevant group

Source: McSherry and Najork, Computing information retrieval performance measures efficiently in the presence of tied
scores, ECIR 2008; the items of a group are its tie. Without collisions all readings equal the plain metric.
With collisions the plain metric is no bound: the items of a group need not stand together in the run.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from benchmark.errors import BenchmarkError, DataError

if TYPE_CHECKING:
    from benchmark.types.trec import Run

READINGS = ("strict", "expected", "optimistic")
NAME = re.compile(rf"(R|nDCG|RR)@([1-9]\d*) \(({'|'.join(READINGS)})\)")

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]


@dataclass(frozen=True)
class IdGroups:
    """Which items share their ID: item id -> number of its group, and the items in each group [n_groups]."""

    group_of: Mapping[str, int]
    sizes: Sequence[int]

    @classmethod
    def of(cls, item_ids: Iterable[str], names: Iterable[Hashable]) -> IdGroups:
        """Group items by the name of their ID (before the dedup counter): anything that is equal for equal IDs."""
        numbers: dict[Hashable, int] = {}
        group_of = {item: numbers.setdefault(name, len(numbers)) for item, name in zip(item_ids, names, strict=True)}
        return cls(group_of, np.bincount(list(group_of.values()), minlength=len(numbers)).tolist())


def is_collision_aware(name: str) -> bool:
    """True for the names of this module's metrics, e.g. 'R@10 (expected)'."""
    return name.endswith(tuple(f" ({reading})" for reading in READINGS))


def readings(measures: Iterable[str]) -> tuple[str, ...]:
    """Return the names of the three readings of every measure that has them: R@k, nDCG@k and RR@k."""
    names = (f"{measure} ({reading})" for measure in measures for reading in READINGS)
    return tuple(name for name in names if NAME.fullmatch(name))


def collision_aware(
    names: Sequence[str], grades: Mapping[str, Mapping[str, int]], run: Run, groups: IdGroups
) -> dict[str, Float64]:
    """Return each metric's value per judged query, in the order of `grades` [n_queries].

    Raises BenchmarkError for a name that is none of this module's, DataError for a ranked item without an ID.
    """
    parsed = {}
    for name in names:
        match = NAME.fullmatch(name)
        if match is None:
            raise BenchmarkError(f"unknown measure '{name}': only R@k, nDCG@k and RR@k have the readings {READINGS}")
        parsed[name] = match[1], int(match[2]), match[3]
    found = _find(grades, run, groups, max((k for _, k, _ in parsed.values()), default=0))
    relevant = _Relevant.of(grades)
    values = {}
    for name, (measure, k, reading) in parsed.items():
        match measure:
            case "R":
                values[name] = found.recalled(k, reading) / np.maximum(relevant.counts, 1)
            case "nDCG":
                ideal = relevant.ideal(k)
                values[name] = found.dcg(k, reading) / np.where(ideal > 0, ideal, 1.0)
            case _:
                values[name] = found.reciprocal_rank(k, reading)
    return values


@dataclass(frozen=True)
class _Relevant:
    """The relevant items of all queries, by query and then falling grade [n_relevant]."""

    n_queries: int
    query: Int64
    grade: Float64

    @classmethod
    def of(cls, grades: Mapping[str, Mapping[str, int]]) -> _Relevant:
        judged = [sorted((grade for grade in items.values() if grade >= 1), reverse=True) for items in grades.values()]
        query = np.repeat(np.arange(len(judged)), [len(row) for row in judged])
        return cls(len(judged), query, np.array([grade for row in judged for grade in row], np.float64))

    @cached_property
    def counts(self) -> Int64:
        return np.bincount(self.query, minlength=self.n_queries)

    def ideal(self, k: int) -> Float64:
        """DCG@k of the best ranking of all relevant items [n_queries]."""
        rank = np.arange(1, len(self.query) + 1) - np.repeat(np.cumsum(self.counts) - self.counts, self.counts)
        return _per_query(self.query, self.grade * _discount(rank, k), self.n_queries)


@dataclass(frozen=True)
class _Found:
    """The relevant items in the groups that a run reached, by query, group and then rising grade [n_found]."""

    n_queries: int
    query: Int64
    grade: Float64
    before: Int64  # items in the groups above the item's
    size: Int64  # items in the item's group
    place: Int64  # 0, 1, .. among the relevant items of its group
    beside: Int64  # relevant items in its group, itself included

    def ranks(self, reading: str) -> Int64:
        """Ranks with the relevant items last (strict) or first (optimistic) in their groups."""
        if reading == "strict":
            return self.before + self.size - self.beside + self.place + 1
        return self.before + self.beside - self.place

    def recalled(self, k: int, reading: str) -> Float64:
        if reading == "expected":
            share = np.clip(k - self.before, 0, self.size) / self.size
        else:
            share = (self.ranks(reading) <= k).astype(np.float64)
        return _per_query(self.query, share, self.n_queries)

    def dcg(self, k: int, reading: str) -> Float64:
        if reading == "expected":
            total = np.r_[0.0, np.cumsum(_discount(np.arange(1, k + 1), k))]
            discount = (total[np.minimum(self.before + self.size, k)] - total[np.minimum(self.before, k)]) / self.size
        else:
            discount = _discount(self.ranks(reading), k)
        return _per_query(self.query, self.grade * discount, self.n_queries)

    def reciprocal_rank(self, k: int, reading: str) -> Float64:
        values = np.zeros(self.n_queries)
        if reading != "expected":
            ranks = self.ranks(reading)
            np.maximum.at(values, self.query, np.where(ranks <= k, 1 / ranks, 0.0))
            return values
        first = np.flatnonzero(np.r_[True, self.query[1:] != self.query[:-1]]) if len(self.query) else self.query
        before, size, relevant = self.before[first], self.size[first], self.beside[first]
        chance = relevant / size  # that the first relevant item is the group's p-th
        expected = np.zeros(len(first))
        for p in range(1, k + 1):
            expected += np.where(before + p <= k, chance / (before + p), 0.0)
            chance = chance * np.maximum(size - p - relevant + 1, 0) / np.maximum(size - p, 1)
        values[self.query[first]] = expected
        return values


def _find(grades: Mapping[str, Mapping[str, int]], run: Run, groups: IdGroups, depth: int) -> _Found:
    """Lay the groups of each query's ranking one after the other and look the relevant items up in the first `depth`.

    Groups that begin below `depth` cannot count.
    """
    rows: list[tuple[int, int, int, int, int, int]] = []
    group_of, sizes = groups.group_of, groups.sizes
    for query, (name, judged) in enumerate(grades.items()):
        wanted: dict[int, list[int]] = {}
        for item, grade in judged.items():
            if grade >= 1 and item in group_of:
                wanted.setdefault(group_of[item], []).append(grade)
        before, seen = 0, set()
        for item in run.get(name, ()):
            if item not in group_of:
                raise DataError(f"the run ranks the item '{item}' for '{name}', but that item has no ID")
            group = group_of[item]
            if group in seen:
                continue
            seen.add(group)
            if group in wanted:
                gains = sorted(wanted[group])
                rows += [(query, gain, before, sizes[group], i, len(gains)) for i, gain in enumerate(gains)]
            before += sizes[group]
            if before >= depth:
                break
    table = np.array(rows, np.int64).reshape(-1, 6)
    query_rows, grade_rows, before_rows, size_rows, place_rows, beside_rows = table.T
    return _Found(
        len(grades), query_rows, grade_rows.astype(np.float64), before_rows, size_rows, place_rows, beside_rows
    )


def _discount(ranks: Int64, k: int) -> Float64:
    """1 / log2(rank + 1) down to rank k, 0 below."""
    return np.where(ranks <= k, 1 / np.log2(ranks + 1), 0.0)


def _per_query(query: Int64, values: Float64, n_queries: int) -> Float64:
    return np.asarray(np.bincount(query, weights=values, minlength=n_queries), np.float64)
