"""New items: a share of the items is withheld from all learning, gets IDs afterwards, and is then ranked with the rest.

    withheld     drawn once among all items, the same for every method and seed; a larger share holds the smaller ones
    train        leave-one-out (`benchmark.data.splits`) of the histories without withheld items
    validation   likewise: a known item, always
    test         a user's last item, known or withheld; its input is all known items before it

So nothing that is learned from histories depends on what users did with withheld items, not even on whether they took
one last. A user whose last item is withheld has one item more in the test input than others: the one that is a test
target where withheld items do not exist.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from benchmark.data.dataset import Dataset
from benchmark.data.simulate import joined
from benchmark.data.splits import Split, leave_one_out, shortened, targets_at
from benchmark.errors import UsageError
from benchmark.types.arrays import Int32, Int64
from benchmark.types.codes import Codes
from benchmark.types.data import Corpus, Histories, QuerySet
from benchmark.types.rankings import Rankings

COLD_START, DEFAULT_SHARE = "cold-start", 0.1
SEED = 2024  # of the draw


def parse_share(text: str) -> float:
    """Return the share of items to withhold; '' is the default. Raises UsageError."""
    try:
        share = float(text or DEFAULT_SHARE)
    except ValueError:
        share = 0.0
    if not 0 < share < 1:
        raise UsageError(
            f"--split {COLD_START}:{text[:60]}: write the share of items that are withheld, as in {COLD_START}:0.1"
        )
    return share


def withheld_items(n_items: int, share: float) -> NDArray[np.bool_]:
    """Return which items are withheld [n_items], at least one.

    Raises UsageError where none would be left to learn from.
    """
    count = max(1, round(share * n_items))
    if count >= n_items:
        raise UsageError(f"--split {COLD_START}:{share}: no item of {n_items:,} is left to learn from")
    withheld = np.zeros(n_items, np.bool_)
    withheld[np.random.default_rng(SEED).permutation(n_items)[:count]] = True
    return withheld


def split_cold_start(histories: Histories, withheld: NDArray[np.bool_]) -> Split:
    """Return the split; `withheld` [n_items]."""
    known = _without(histories, withheld)
    learned = leave_one_out(known)
    last = targets_at(histories, histories.offsets[1:] - 1, histories.lengths > 0)
    new = (last >= 0) & withheld[last]
    inputs = shortened(known, ((known.lengths > 0) & ~new).astype(np.int64))
    tested = inputs.lengths > 0
    return Split(
        train=learned.train,
        validation=learned.validation,
        test_inputs=inputs,
        test_targets=np.where(tested, last, -1).astype(np.int32),
        skipped={
            "no known item before the test item": int((~tested).sum()),
            "no validation target (fewer than 3 events with known items)": int((learned.validation < 0).sum()),
        },
    )


def _without(histories: Histories, withheld: NDArray[np.bool_]) -> Histories:
    """Return the histories without the events of withheld items."""
    kept = ~withheld[histories.items]
    before = np.concatenate([[0], np.cumsum(kept)]).astype(np.int64)
    return Histories(histories.users, before[histories.offsets], np.asarray(histories.items)[kept])


@dataclass(frozen=True)
class KnownItems:
    """A data set as if its withheld items did not exist: rows count the known items alone.

    What is learned is given this, so that nothing of a withheld item can be in it.
    """

    dataset: Dataset
    items: Corpus  # all items, with the text fields that a method may read
    withheld: NDArray[np.bool_]  # [n_items]

    @cached_property
    def rows(self) -> Int64:
        """The row of each known item among all items [n_known]."""
        return np.flatnonzero(~self.withheld)

    @cached_property
    def place(self) -> Int32:
        """The row of each item among the known ones [n_items], -1 for a withheld one."""
        place = np.full(len(self.withheld), -1, np.int32)
        place[self.rows] = np.arange(len(self.rows))
        return place

    @cached_property
    def corpus(self) -> Corpus:
        """The known items."""
        return _part_of(self.items, self.rows, "known")

    @cached_property
    def new(self) -> Corpus:
        """The withheld items."""
        return _part_of(self.items, np.flatnonzero(self.withheld), "withheld")

    def histories(self, histories: Histories) -> Histories:
        """Return histories of known items with the items' rows among them."""
        return Histories(histories.users, histories.offsets, self.place[histories.items])

    def targets(self, items: Int32) -> Int32:
        """Return the rows of items among the known ones, -1 where there is none."""
        return np.where(items >= 0, self.place[items], -1).astype(np.int32)

    def codes(self, codes: Codes) -> Codes:
        """Return the known items' codes."""
        return Codes(np.asarray(codes.values)[self.rows], codes.sizes)

    def rankings(self, rankings: Rankings) -> Rankings:
        """Return rankings of known items with the items' rows among all items."""
        items = np.where(rankings.items >= 0, self.rows[rankings.items], -1).astype(np.int32)
        return Rankings(items, rankings.scores)

    def queries(self, name: str, split: str) -> QuerySet | None:
        """Return a query set to learn from: simulated from known items, or without the judgments of withheld ones.

        A query whose relevant items are all withheld is left out.
        """
        if name == "simulated":
            return self.dataset.queries(name, split, items=self.corpus)
        found = self.dataset.queries(name, split)
        return None if found is None else self._judged(found)

    def simulated_training(self, per_item: int) -> QuerySet:
        """Return simulated training queries of the known items."""
        return self.dataset.simulated_training(per_item, items=self.corpus)

    def test_queries(self, name: str) -> QuerySet | None:
        """Return the queries that are scored, on rows of all items.

        Simulated ones are drawn from known items as if these were all, so that none has the words of a training query
        of its item, and from withheld items by the words of all items.
        """
        found = self.dataset.queries(name, "test")
        if name != "simulated" or found is None:
            return found
        known = self.queries(name, "test")
        assert known is not None
        rows = self.rows[known.item_rows]
        ids = tuple(f"{name.partition('-')[0]}-{row}-0" for name, row in zip(known.ids, rows, strict=True))
        known = replace(known, ids=ids, item_rows=rows.astype(np.int32))
        return joined(known, _chosen(found, self.withheld[found.item_rows]))

    def _judged(self, queries: QuerySet) -> QuerySet:
        known, relevant = ~self.withheld[queries.item_rows], queries.grades > 0
        had, has = (
            np.bincount(queries.query_rows[chosen], minlength=len(queries)) > 0
            for chosen in (relevant, relevant & known)
        )
        left = _chosen(queries, known & ~(had & ~has)[queries.query_rows], np.flatnonzero(has | ~had))
        return replace(left, item_rows=self.place[left.item_rows])


def _chosen(queries: QuerySet, judgments: NDArray[np.bool_], rows: Int64 | None = None) -> QuerySet:
    """Return the queries at these rows (None: those of the chosen judgments) with the chosen judgments."""
    rows = np.unique(queries.query_rows[judgments]).astype(np.int64) if rows is None else rows
    place = np.full(len(queries), -1, np.int32)
    place[rows] = np.arange(len(rows))
    return QuerySet(
        queries.name, tuple(queries.ids[row] for row in rows), tuple(queries.texts[row] for row in rows),
        place[queries.query_rows[judgments]], queries.item_rows[judgments], queries.grades[judgments],
    )  # fmt: skip


def _part_of(corpus: Corpus, rows: Int64, name: str) -> Corpus:
    """Return some items of a corpus, in their order; `name` tells the part's fingerprint from the whole's."""
    return Corpus(corpus.table.take(rows), corpus.fields, f"{corpus.fingerprint}-{name}")
