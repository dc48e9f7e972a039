"""What the best weights of a training are chosen by: nDCG@10 on validation items or development queries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmark.config import TrainingConfig
from benchmark.types.arrays import Int32, Int64
from benchmark.types.data import QuerySet

SCORE = "valid_ndcg10"  # in log.jsonl
DEPTH = 10


@dataclass(frozen=True)
class Judged:
    """Queries or users by their row, with their relevant items: query query_rows[j] has item items[j] at grades[j]."""

    rows: Int64  # [n] rows of what is ranked for
    query_rows: Int64  # [n_judgments] 0 .. n - 1
    items: Int64
    grades: Int64

    @classmethod
    def of_targets(cls, targets: Int32, usable: NDArray[np.bool_], size: int) -> Judged:
        """Users with one relevant item each, `size` of the usable ones at most, evenly spread."""
        rows = _spread(np.flatnonzero((targets >= 0) & usable), size)
        return cls(rows, np.arange(len(rows)), targets[rows].astype(np.int64), np.ones(len(rows), np.int64))

    @classmethod
    def of_queries(cls, queries: QuerySet, size: int) -> Judged:
        """Queries with a relevant item, `size` of them at most, evenly spread."""
        relevant = queries.grades > 0
        rows = _spread(np.unique(queries.query_rows[relevant]), size)
        place = np.full(len(queries), -1, np.int64)
        place[rows] = np.arange(len(rows))
        kept = relevant & (place[queries.query_rows] >= 0)
        return cls(
            rows, place[queries.query_rows[kept]], queries.item_rows[kept].astype(np.int64),
            queries.grades[kept].astype(np.int64),
        )  # fmt: skip

    def ndcg(self, found: Int32) -> float:
        """Return the mean nDCG@10 of rankings [n, k]: gains are the grades, the ideal is over all relevant items."""
        gains = np.zeros(found.shape)
        hits = found[self.query_rows] == self.items[:, None]
        np.add.at(gains, self.query_rows, hits * self.grades[:, None])
        discounts = 1 / np.log2(np.arange(2, DEPTH + 2))
        ideal = np.zeros((len(self.rows), DEPTH))
        order = np.lexsort((-self.grades, self.query_rows))
        query, grade = self.query_rows[order], self.grades[order]
        rank = np.arange(len(order)) - np.searchsorted(query, query)
        ideal[query[rank < DEPTH], rank[rank < DEPTH]] = grade[rank < DEPTH]
        gained = (gains[:, :DEPTH] * discounts[: gains[:, :DEPTH].shape[1]]).sum(1)
        return float((gained / (ideal * discounts).sum(1)).mean())


def facts(log: list[dict[str, Any]], config: TrainingConfig, n_examples: int) -> dict[str, Any]:
    """Return what a training log tells of the training: passes over the examples, the best one and its score."""
    passes = config.batch_size / n_examples
    found: dict[str, Any] = {"epochs": round(log[-1]["step"] * passes, 2)}
    scores = [record for record in log if SCORE in record]
    if scores:
        best = max(scores, key=lambda record: record[SCORE])
        found |= {"best_epoch": round(best["step"] * passes, 2), SCORE: round(best[SCORE], 5)}
    return found


def _spread(rows: NDArray[np.int64], size: int) -> Int64:
    """Return at most `size` of the rows, evenly spread."""
    if len(rows) <= size:
        return rows.astype(np.int64)
    return rows[np.linspace(0, len(rows) - 1, size).astype(np.int64)]
