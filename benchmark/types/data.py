"""Data in memory: items, user histories, queries with judgments.

Row numbers are item indices everywhere: item i is row i of the corpus, of the codes and of the embeddings.
All of it is read-only, since the methods of a run share it: what changes its input gets an error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from benchmark.types.arrays import Int32, Int64, read_only
from benchmark.types.item_text import DEFAULT_TEXT_FIELDS, field_values, item_texts

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Corpus:
    """All items of a data set in a fixed order.

    `table` is an Arrow table (memory-mapped for large sets) with a string column `id`, string columns for the
    text fields and, where labels exist, a list<string> column `categories` (general to special).
    `fields` are the text fields a method may read; `fingerprint` identifies the items, not the fields.
    """

    table: pa.Table
    fields: tuple[str, ...] = DEFAULT_TEXT_FIELDS
    fingerprint: str = ""

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """Item ids in row order."""
        return tuple(self.table.column("id").to_pylist())

    @cached_property
    def row_of(self) -> Mapping[str, int]:
        """Item id -> row."""
        return MappingProxyType({item: row for row, item in enumerate(self.ids)})

    def texts(self, fields: Sequence[str] | None = None) -> list[str]:
        """Return one text per item: 'title: X, brand: Y' (LMIndexer's item text); bare in a set of one field alone."""
        return item_texts(self.table, tuple(fields) if fields is not None else self.fields)

    def field(self, name: str) -> list[str]:
        """Return one field's value per item: '' where absent, a category path joined with ', '.

        Raises UsageError, with the nearest name, for a field that the corpus does not have.
        """
        return field_values(self.table, name)

    @cached_property
    def paths(self) -> tuple[tuple[str, ...], ...]:
        """Category path of every item, general to special; empty where an item has no label."""
        if "categories" not in self.table.column_names:
            return ((),) * len(self)
        return tuple(tuple(path or ()) for path in self.table.column("categories").to_pylist())


@dataclass(frozen=True)
class Histories:
    """User sequences, oldest item first: user u holds items[offsets[u]:offsets[u + 1]]."""

    users: tuple[str, ...]
    offsets: Int64  # [n_users + 1]
    items: Int32  # [n_interactions]

    def __post_init__(self) -> None:
        read_only(self, arrays=("offsets", "items"), tuples=("users",))

    def __len__(self) -> int:
        return len(self.users)

    def __getitem__(self, user: int) -> Int32:
        return self.items[self.offsets[user] : self.offsets[user + 1]]

    @property
    def lengths(self) -> Int64:
        """Number of items of each user [n_users]."""
        return np.diff(self.offsets)

    @property
    def event_users(self) -> Int64:
        """Row of the user of every event [n_interactions]."""
        return np.repeat(np.arange(len(self)), self.lengths)

    def latest(self, n: int) -> Histories:
        """Return the last n items of every user, all where there are fewer."""
        lengths = np.minimum(self.lengths, n)
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        positions = np.arange(offsets[-1]) + np.repeat(self.offsets[1:] - offsets[1:], lengths)
        return Histories(self.users, offsets, np.asarray(self.items)[positions])

    def select(self, rows: Int64) -> Histories:
        """Return the histories of the users at these rows."""
        lengths = self.lengths[rows]
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        positions = np.arange(offsets[-1]) + np.repeat(self.offsets[:-1][rows] - offsets[:-1], lengths)
        return Histories(tuple(self.users[row] for row in rows), offsets, np.asarray(self.items)[positions])


@dataclass(frozen=True)
class QuerySet:
    """Queries and their judgments: query query_rows[j] has item item_rows[j] at grade grades[j].

    An item is relevant from grade 1. Negative grades (junk, in TREC's web tracks) become 0, so that no metric, pair or
    loss ever sees one. `absent` are judgments of items that the data set does not hold: nothing can rank these, and a
    relevant one counts as missed, as trec_eval and BEIR count it.
    """

    name: str  # "judged", "simulated", "category-derived", ...
    ids: tuple[str, ...]
    texts: tuple[str, ...]
    query_rows: Int32  # [n_judgments]
    item_rows: Int32  # [n_judgments]
    grades: Int32  # [n_judgments]
    absent: tuple[tuple[int, str, int], ...] = ()  # (query row, item id, grade)

    def __post_init__(self) -> None:
        if (self.grades < 0).any():
            object.__setattr__(self, "grades", np.maximum(self.grades, 0))
        read_only(self, arrays=("query_rows", "item_rows", "grades"), tuples=("ids", "texts"))

    def __len__(self) -> int:
        return len(self.ids)
