"""The data of a plan as its cells need them, each part loaded once, on first use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmark.data.cold_start import KnownItems
from benchmark.data.dataset import Dataset
from benchmark.data.protocols import TIME, split_histories, withheld_by, withholds_items
from benchmark.data.self_retrieval import EXCLUDED, own_items
from benchmark.data.splits import Split
from benchmark.data.ties import count_greater_ids, tied_targets
from benchmark.errors import BenchmarkError
from benchmark.running.cells import Protocol
from benchmark.types.arrays import Int32
from benchmark.types.data import Corpus, Histories, QuerySet


@dataclass
class Material:
    """Items, histories and queries of a data set, as a protocol reads them."""

    dataset: Dataset
    protocol: Protocol
    log: Callable[[str], None]

    @cached_property
    def corpus(self) -> Corpus:
        return self.dataset.corpus(self.protocol.text_fields)

    @cached_property
    def known(self) -> KnownItems | None:
        """The items that are learned from, where some are withheld; None: all."""
        withheld = withheld_by(self.protocol.split, len(self.corpus))
        return None if withheld is None else KnownItems(self.dataset, self.corpus, withheld)

    @property
    def withheld(self) -> NDArray[np.bool_] | None:
        """Which items are withheld from learning [n_items]; None: none."""
        return self.known.withheld if self.known else None

    @property
    def learned_corpus(self) -> Corpus:
        """The items that are learned from; rows of everything else that is learned from count these."""
        return self.known.corpus if self.known else self.corpus

    @cached_property
    def learned_histories(self) -> tuple[Histories, Int32]:
        """Training histories, and each user's validation item, -1 for none."""
        train, validation = self.split.train, self.split.validation
        return (self.known.histories(train), self.known.targets(validation)) if self.known else (train, validation)

    @property
    def learned_queries(self) -> Dataset | KnownItems:
        """Where training and development queries come from."""
        return self.known or self.dataset

    @cached_property
    def split(self) -> Split:
        split, _ = self._split
        for reason, users in split.skipped.items():
            if users:
                self.log(f"  note: {users:,} users have {reason}")
        return split

    @cached_property
    def _split(self) -> tuple[Split, str]:
        return split_histories(self.dataset, self.protocol.split, self.protocol.ties)

    @cached_property
    def test_users(self) -> tuple[Histories, Int32]:
        """Histories and held-out items of the users that have one.

        With withheld items no history is empty: what a trained model says of nobody's history is never asked for.
        """
        rows = np.flatnonzero(self.split.test_targets >= 0)
        if not len(rows):
            if withholds_items(self.protocol.split):
                raise BenchmarkError(
                    "no user has a known item before the test item; withhold fewer items (--split cold-start:SHARE)"
                )
            raise BenchmarkError("no user has two events: there is nothing to recommend")
        return self.split.test_inputs.select(rows), self.split.test_targets[rows]

    @property
    def training_queries(self) -> str:
        """The query set that search is trained on."""
        return self.dataset.training_queries(self.protocol.query_set)

    @cached_property
    def train_queries(self) -> QuerySet:
        queries = self.learned_queries.queries(self.training_queries, "train")
        assert queries is not None
        return queries

    @cached_property
    def test_queries(self) -> QuerySet:
        name = self.protocol.query_set
        queries = self.known.test_queries(name) if self.known else self.dataset.queries(name, "test")
        if queries is None or not len(queries):
            raise BenchmarkError(f"the query set '{self.protocol.query_set}' has no test queries")
        return queries

    @cached_property
    def self_queries(self) -> Int32:
        """The row of the item that each test query is itself [n_queries], -1 where it is none."""
        own, note = own_items(self.test_queries, self.corpus)
        if note and note not in self.dataset.warnings:
            self.dataset.warnings.append(note)
        return own

    @property
    def facts_of_protocol(self) -> dict[str, Any]:
        """What a result says of how it was evaluated, where that is not what it always is.

        Of queries that are items: what was scored and how many there are; of histories: split, cut and ties; of items:
        how many are withheld.
        """
        facts: dict[str, Any] = dict(self.protocol.of_histories)
        if self.withheld is not None:
            facts["withheld"] = int(self.withheld.sum())
        elif facts and (cut := self._split[1]):
            facts["cut"] = cut
        if self.protocol.query_set == "simulated" or "search" not in self.dataset.tasks:
            return facts
        found = int((self.self_queries >= 0).sum())
        return facts | ({"self_retrieval": self.protocol.self_retrieval, "self_queries": found} if found else {})

    def target_counts(self) -> dict[str, int]:
        """Count events by part, and next items: never trained on, with a greater id than the last one, tied with it."""
        inputs, targets = self.test_users
        learned = np.zeros(len(self.corpus), bool)
        learned[self.split.train.items] = True
        counts = {
            "training_events": len(self.split.train.items),
            "validation_targets": int((self.split.validation >= 0).sum()),
            "targets_unseen": int((~learned[targets]).sum()),
        }
        if withholds_items(self.protocol.split):  # the item before a test item may be withheld
            return counts
        counts |= count_greater_ids(inputs, targets, self.corpus.ids)
        if self.dataset.times_file:
            histories, tested = self.dataset.histories(), self.split.test_targets >= 0
            cut = self.protocol.split.startswith(TIME)
            at = (histories.offsets[:-1] + self.split.test_inputs.lengths if cut else histories.offsets[1:] - 1)[tested]
            counts["targets_tied"] = tied_targets(histories, self.dataset.times(), at)
        return counts

    def left_out(self, task: str) -> Int32 | None:
        """Return the item that is left out of each query's ranking [n_queries], -1 for none; None: none of any."""
        if task != "search" or self.protocol.self_retrieval != EXCLUDED or not (self.self_queries >= 0).any():
            return None
        return self.self_queries

    def asked(self, task: str) -> int:
        """Return how many users or queries a task ranks for; loads what it ranks with."""
        if task == "search":
            return len(self.test_queries)
        return len(self.test_users[0])
