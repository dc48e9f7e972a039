"""A first look: only a few test users and test queries are ranked and scored; what is learned is the same.

They are drawn once among all, the same for every method and seed; a larger number holds the smaller ones. The data set
of a first look has a title and a fingerprint of its own, so that results have keys and files of their own and never
stand in one table with whole runs; ranking stages have keys of their own, stages of learning share theirs.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from benchmark.data.dataset import Dataset
from benchmark.data.splits import Split
from benchmark.errors import UsageError
from benchmark.files import digest
from benchmark.running.cells import Protocol
from benchmark.running.material import Material
from benchmark.types.arrays import Int64
from benchmark.types.data import QuerySet

SEED = 20
FACT = "first_look"  # under config.protocol in result.json: the limit


def limited_data(dataset: Dataset, limit: int) -> Dataset:
    """Return the data set under the title and fingerprint of a first look. Raises UsageError for a limit below 1."""
    if limit < 1:
        raise UsageError(f"--limit {limit}: at least one user and query")
    found = copy.copy(dataset)
    kinds = "users and queries" if dataset.sequences_file else "queries"
    found.title = f"{dataset.title}, first look: at most {limit:,} {kinds}"
    found.fingerprint = digest([dataset.fingerprint, FACT, limit])
    return found


def decided_by(protocol: Protocol) -> Mapping[str, Any]:
    """Return what the key of a ranking stage needs besides: nothing for a whole run."""
    return {} if protocol.limit is None else {FACT: [protocol.limit, SEED]}


def drawn(n: int, limit: int) -> Int64:
    """Return at most `limit` of n rows, in order."""
    return np.sort(np.random.default_rng(SEED).permutation(n)[:limit]).astype(np.int64)


class FirstLookMaterial(Material):
    """The data of a plan with few test users and test queries."""

    @property
    def limit(self) -> int:
        """At most so many of each."""
        assert self.protocol.limit is not None
        return self.protocol.limit

    @cached_property
    def split(self) -> Split:
        """The whole split, but for the test items of users that were not drawn."""
        whole = super().split
        tested = np.flatnonzero(whole.test_targets >= 0)
        chosen = tested[drawn(len(tested), self.limit)]
        targets = np.full_like(whole.test_targets, -1)
        targets[chosen] = whole.test_targets[chosen]
        return replace(whole, test_targets=targets)

    @cached_property
    def test_queries(self) -> QuerySet:
        """The queries that were drawn, with their judgments."""
        whole = super().test_queries
        return chosen_queries(whole, drawn(len(whole), self.limit))

    @property
    def facts_of_protocol(self) -> dict[str, Any]:
        """What a result says of how it was evaluated, the limit among it."""
        return super().facts_of_protocol | {FACT: self.limit}


def chosen_queries(queries: QuerySet, rows: Int64) -> QuerySet:
    """Return these queries [n] of a set, in this order, with their judgments."""
    place = np.full(len(queries), -1, np.int32)
    place[rows] = np.arange(len(rows), dtype=np.int32)
    judged = place[queries.query_rows] >= 0
    return replace(
        queries, ids=tuple(queries.ids[row] for row in rows), texts=tuple(queries.texts[row] for row in rows),
        query_rows=place[queries.query_rows[judged]], item_rows=queries.item_rows[judged],
        grades=queries.grades[judged],
        absent=tuple((int(place[query]), item, grade) for query, item, grade in queries.absent if place[query] >= 0),
    )  # fmt: skip
