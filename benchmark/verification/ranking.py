"""Ranking metrics from their definitions: every query's ranking becomes a row of gains, every metric a sum over it.

Gains and hits are float64 [n_queries, depth]: what stands at each rank. Without collisions they are grades, and 1 for
each relevant item. In the collision-aware readings a group of s items with one ID fills s ranks: with its relevant
items last (strict), first (optimistic), or with the group's mean at each of them (expected). Everything else is the
same sum, so the three readings need no formulas of their own; only the expected reciprocal rank does.

    R@k = sum of hits / relevant items         nDCG@k = sum gain / log2(rank + 1) / the same for the judged items
    RR@k = 1 / first rank with a hit           AP@k   = sum of precision at the hits / relevant items
    P@k  = sum of hits / k                     Success@k = 1 where there is a hit
    (published): nDCG@k with the hits of the top k as ideal, AP@k divided by the hits
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import comb

import numpy as np

from benchmark.verification.files import Codes, Float64, Grades, Ranked

NAME = re.compile(r"(R|nDCG|RR|AP|P|Success)@([1-9]\d*)(?: \((published|strict|expected|optimistic)\))?")
PUBLISHED = ("nDCG", "AP")
AWARE = ("R", "nDCG", "RR")


def parse(name: str) -> tuple[str, int, str] | None:
    """Return (measure, cutoff, reading) of a metric's name, None for one that is not known here."""
    match = NAME.fullmatch(name)
    if match is None:
        return None
    measure, cutoff, reading = match[1], int(match[2]), match[3] or ""
    allowed = {"": (measure,), "published": PUBLISHED}.get(reading, AWARE)
    return (measure, cutoff, reading) if measure in allowed else None


def needs_ids(name: str) -> bool:
    """True for the collision-aware readings."""
    return name.endswith(("(strict)", "(expected)", "(optimistic)"))


def deepest(names: Iterable[str]) -> int:
    """Return the largest cutoff of known metrics, 1 where there is none."""
    return max((parsed[1] for name in names if (parsed := parse(name))), default=1)


@dataclass(frozen=True)
class Rankings:
    """A run with its judgments and, where items have IDs, their codes before the dedup counter."""

    grades: Grades
    ranked: Ranked
    ids: Mapping[str, Codes] | None
    depth: int  # the largest cutoff of interest

    def values(self, name: str) -> Float64:
        """Return a known metric of every judged query [n_queries], in the order of the judgments."""
        parsed = parse(name)
        assert parsed is not None
        measure, k, reading = parsed
        gains, hits = self._plain if reading in ("", "published") else self._laid_out[reading]
        gains, hits = gains[:, :k], hits[:, :k]
        ranks = np.arange(1, k + 1)
        relevant = np.array([sum(g >= 1 for g in judged.values()) for judged in self.grades.values()], np.float64)
        match measure, reading:
            case "R", _:
                return _ratio(hits.sum(axis=1), relevant)
            case "P", _:
                return np.asarray(hits.sum(axis=1) / k)
            case "Success", _:
                return np.asarray(hits.max(axis=1))
            case "nDCG", "published":
                return _ratio(_dcg(hits), _dcg(-np.sort(-hits, axis=1)))
            case "nDCG", _:
                return _ratio(_dcg(gains), _dcg(self._ideal[:, :k]))
            case "AP", _:
                precision = np.cumsum(hits, axis=1) / ranks
                return _ratio((precision * hits).sum(axis=1), hits.sum(axis=1) if reading else relevant)
            case _, "expected":
                return self._expected_reciprocal_rank(k)
            case _:
                return np.asarray(np.where(hits > 0, 1 / ranks, 0.0).max(axis=1))

    @cached_property
    def _plain(self) -> tuple[Float64, Float64]:
        rows = [
            [judged.get(item, 0) for item in self.ranked.get(query, ())[: self.depth]]
            for query, judged in self.grades.items()
        ]
        return _table(rows, self.depth), _table([[float(gain >= 1) for gain in row] for row in rows], self.depth)

    @cached_property
    def _ideal(self) -> Float64:
        return _table([sorted(judged.values(), reverse=True) for judged in self.grades.values()], self.depth)

    @cached_property
    def _laid_out(self) -> dict[str, tuple[Float64, Float64]]:
        """Reading -> (gains, hits): each ID of a ranking where its best item stands, as wide as it has items."""
        found: dict[str, tuple[list[list[float]], list[list[float]]]] = {}
        for groups in self._groups:
            rows: dict[str, list[float]] = {"strict": [], "expected": [], "optimistic": [], "share": []}
            for size, relevant in groups:
                blank = [0.0] * (size - len(relevant))
                rows["strict"] += [*blank, *sorted(relevant)]
                rows["optimistic"] += [*sorted(relevant, reverse=True), *blank]
                rows["expected"] += [sum(relevant) / size] * size
                rows["share"] += [len(relevant) / size] * size
            share = rows.pop("share")
            for reading, gains in rows.items():
                all_gains, all_hits = found.setdefault(reading, ([], []))
                all_gains.append(gains)
                all_hits.append(share if reading == "expected" else [float(gain >= 1) for gain in gains])
        return {name: (_table(gains, self.depth), _table(hits, self.depth)) for name, (gains, hits) in found.items()}

    @cached_property
    def _groups(self) -> list[list[tuple[int, list[int]]]]:
        """For each query the IDs of its ranking down to `depth`: (items with it, grades of the relevant ones)."""
        assert self.ids is not None
        sizes = Counter(self.ids.values())
        rows = []
        for query, judged in self.grades.items():
            wanted: dict[Codes, list[int]] = {}
            for item, grade in judged.items():
                if grade >= 1 and item in self.ids:
                    wanted.setdefault(self.ids[item], []).append(grade)
            order = dict.fromkeys(self.ids[item] for item in self.ranked.get(query, ()))
            groups, width = [], 0
            for codes in order:
                groups.append((sizes[codes], wanted.get(codes, [])))
                width += sizes[codes]
                if width >= self.depth:
                    break
            rows.append(groups)
        return rows

    def _expected_reciprocal_rank(self, k: int) -> Float64:
        """Sum over the places p of the first relevant item of its group: C(size - p, relevant - 1) / C(size, relevant).

        That item decides alone, for the groups before it hold no relevant one.
        """
        values = np.zeros(len(self.grades))
        for row, groups in enumerate(self._groups):
            before = 0
            for size, relevant in groups:
                if relevant:
                    places = range(1, min(size, k - before) + 1)
                    ways = sum(comb(size - p, len(relevant) - 1) / (before + p) for p in places)
                    values[row] = ways / comb(size, len(relevant))
                    break
                before += size
        return values


def _table(rows: Iterable[Iterable[float]], depth: int) -> Float64:
    """Cut or fill each row with zeros to `depth`; a grade below 1 gains nothing."""
    cut = [list(row)[:depth] for row in rows]
    return np.maximum(np.array([row + [0.0] * (depth - len(row)) for row in cut], np.float64).reshape(-1, depth), 0.0)


def _dcg(gains: Float64) -> Float64:
    return np.asarray(gains @ (1 / np.log2(np.arange(2, gains.shape[1] + 2))))


def _ratio(above: Float64, below: Float64) -> Float64:
    """Divide; 0 where there is nothing to divide by."""
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)
