"""Which documents are relevant to which training query: the pairs to learn from, and what is never a negative.

Queries and documents are counted by their text. A copy of a relevant document is relevant, and two queries with the
same words (simulated ones often have them) share their relevant documents.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from benchmark.errors import BenchmarkError
from benchmark.types.arrays import Int64
from benchmark.types.data import QuerySet


@dataclass(frozen=True)
class Judged:
    """Pair j says that document `relevant[j]` answers query `asked[j]`; each pair stands once, in ascending order."""

    queries: list[str]  # distinct texts
    documents: list[str]  # distinct texts
    document_of: Int64  # [n_items], the document of each item
    asked: Int64  # [n_pairs]
    relevant: Int64  # [n_pairs]
    positives: Int64  # [n_positives], ascending: the pairs to learn from

    @cached_property
    def keys(self) -> Int64:
        """One ascending number per pair [n_pairs], to look pairs up by bisection."""
        return self.asked * len(self.documents) + self.relevant

    def known(self, queries: Int64, documents: Int64) -> np.ndarray:
        """Return whether the documents are judged relevant to the queries (the two broadcast), bool."""
        return np.isin(queries * len(self.documents) + documents, self.keys)


def judged(
    queries: QuerySet | None, texts: Sequence[str], positive_grade: int = 1, *, owner: str = "dual-encoder"
) -> Judged:
    """Return the pairs with a grade above 0, of item texts in row order; positives have `positive_grade` at least.

    Raises BenchmarkError, which names the setting of the method `owner`, when there is nothing to learn from.
    """
    if queries is None or not (queries.grades > 0).any():
        raise BenchmarkError(
            f"{owner}: there are no training queries with a relevant document; "
            f"--set {owner}.fine_tune=false ranks with the encoder as it is"
        )
    documents, document_of = _distinct(texts)
    relevant = queries.grades > 0
    used, query = np.unique(queries.query_rows[relevant], return_inverse=True)
    asked, query_of = _distinct([queries.texts[row] for row in used.tolist()])
    pairs = np.column_stack([query_of[query], document_of[queries.item_rows[relevant]]])
    pairs, pair_of = np.unique(pairs, axis=0, return_inverse=True)
    grades = np.zeros(len(pairs), np.int64)
    np.maximum.at(grades, pair_of.reshape(-1), queries.grades[relevant])  # of copies the best judged one counts
    positives = np.flatnonzero(grades >= positive_grade)
    if not len(positives):
        raise BenchmarkError(
            f"{owner}: there is no training judgment of grade {positive_grade} or above; the highest is "
            f"{grades.max()}: lower {owner}.positive_grade"
        )
    return Judged(
        asked, documents, document_of, np.ascontiguousarray(pairs[:, 0]), np.ascontiguousarray(pairs[:, 1]), positives
    )


def _distinct(texts: Sequence[str]) -> tuple[list[str], Int64]:
    """Return the distinct texts in order of appearance, and the number of each text's own."""
    numbers: dict[str, int] = {}
    number_of = np.array([numbers.setdefault(text, len(numbers)) for text in texts], np.int64)
    return list(numbers), number_of
