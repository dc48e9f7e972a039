"""IDs in which no two items share all codes, from IDs in which some do (`benchmark.learning.unique_ids`).

How far an item is from a code that it did not get is known to the learned indexer of a finished cell. Of other IDs it
follows from vectors of the items: a code's vector is the mean of what earlier positions leave of the vectors of its
items, as in one step of a residual k-means.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from benchmark.config import EncoderConfig
from benchmark.errors import BenchmarkError, UsageError
from benchmark.ids.counters import recounted
from benchmark.ids.id_set import About, IdSet
from benchmark.ids.items import with_columns
from benchmark.ids.learned import learned_indexer
from benchmark.learning.kmeans import squared_distances
from benchmark.learning.unique_ids import COUNTER, Distances, Unique, make_unique
from benchmark.metrics.id_quality import id_quality
from benchmark.registry import load
from benchmark.results.id_files import index_json
from benchmark.results.id_records import json_lines
from benchmark.results.result_files import Result
from benchmark.terminal import table_lines
from benchmark.types.arrays import Float32, Int32, Int64
from benchmark.types.codes import Codes
from benchmark.types.data import Corpus
from benchmark.types.method import Context

SHOWN = {
    "unique": "items with an ID of their own", "collision_rate": "collision rate", "largest_group": "largest group",
    "AMI": "AMI of the first code", "AMI@last": "AMI of all codes", "dead_codes": "dead codes",
}  # fmt: skip


@dataclass(frozen=True)
class Repaired:
    """IDs before and after; the counter stands behind the codes after it only where some still collide."""

    ids: IdSet
    by: str
    codes: Codes  # after, without the counter
    counters: Int32  # after [n_items]
    moved: int
    crowded: int

    @property
    def final(self) -> Codes:
        """The IDs that no two items share: the codes, with the counter where it is needed."""
        if not self.counters.any():
            return self.codes
        values = np.column_stack([self.codes.values, self.counters])
        return Codes(values, (*self.codes.sizes, int(self.counters.max()) + 1))

    def table(self) -> dict[str, dict[str, float]]:
        """Return ID quality before and after."""
        paths = [self.ids.about.get(item, About("")).path for item in self.ids.items]
        return {"before": _quality(self.ids.codes, paths), "after": _quality(self.final, paths)}

    def lines(self) -> list[str]:
        """Return the table as lines of text."""
        found = self.table()
        rows = [
            [title, *(f"{round(of[name], 4) + 0.0:.4f}" if name in of else "" for of in found.values())]
            for name, title in SHOWN.items() if any(name in of for of in found.values())
        ]  # fmt: skip
        lines = [f"{len(self.ids.items):,} items, {self.moved:,} with another last code"]
        if self.crowded:
            lines.append(f"{self.crowded:,} items share prefixes with more items than codes, and were left")
        if self.final is not self.codes:
            lines.append("a counter stands behind the codes")
        return [*lines, "", *table_lines(rows, header=(self.ids.name, *found), numbers=True, rule=True)]

    def text(self, ending: str) -> str:
        """Return the IDs in a form of `benchmark.ids.writing`; the counter is a code only where it is needed."""
        if ending == ".jsonl":
            return "".join(json_lines(self.ids.items, self.codes.values.tolist(), self.counters.tolist()))
        rows = ("-".join(str(code) for code in row if code >= 0) for row in self.final.values.tolist())
        lines = "".join(f"{item}\t{row}\n" for item, row in zip(self.ids.items, rows, strict=True))
        return index_json(lines, counter=self.final is not self.codes) if ending == ".index.json" else lines


def repair(
    ids: IdSet, by: str, *, items: Corpus | None = None, vectors: Float32 | None = None, encoder: str = "default",
    device: str = "cpu",
) -> Repaired:  # fmt: skip
    """Return the IDs with collisions resolved by "counter", "nearest" or "sinkhorn".

    `items` or `vectors` [n_items, dim], in the order of the IDs, are needed where no learned indexer says how far items
    are from codes. Raises UsageError where nothing does.
    """
    unique = Unique(ids.codes, 0, 0)
    if by != COUNTER:
        unique = make_unique(ids.codes, by, _distances(ids, items, vectors, encoder, device))
    counters = recounted(ids.counters, ids.codes, unique.codes)
    return Repaired(ids, by, unique.codes, counters, unique.moved, unique.crowded)


def mean_distances(codes: Codes, vectors: Float32, rows: Int64) -> Float32:
    """Return the squared distances of items to the codes of the last position [len(rows), size] by their vectors.

    Infinite for a code that no item has.
    """
    residual = np.asarray(vectors, np.float32)
    for position, size in enumerate(codes.sizes):
        own = codes.values[:, position]
        there = own >= 0
        counts, sums = np.bincount(own[there], minlength=size), np.zeros((size, residual.shape[1]), np.float64)
        np.add.at(sums, own[there], residual[there])
        means = (sums / np.maximum(counts, 1)[:, None]).astype(np.float32)
        if position == codes.length - 1:
            return np.where(counts, squared_distances(residual[rows], means), np.float32(np.inf))
        residual = residual - np.where(there[:, None], means[np.maximum(own, 0)], 0)
    raise BenchmarkError("IDs without a position cannot be repaired")


def read_vectors(path: Path, n_items: int) -> Float32:
    """Return the vectors of a .npy file, float32 [n_items, dim]. Raises UsageError for another file or shape."""
    try:
        vectors = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError, BadZipFile) as error:
        raise UsageError(f"--embeddings {path}: not a .npy file of numbers ({error})") from None
    if not isinstance(vectors, np.ndarray):
        vectors.close()
        raise UsageError(f"--embeddings {path}: expected one array in a .npy file, got an archive of several (.npz)")
    if vectors.dtype.kind not in "fiu":
        raise UsageError(f"--embeddings {path}: expected real numbers, got an array of {vectors.dtype}")
    with np.errstate(over="ignore"):
        found: Float32 = vectors.astype(np.float32)
    if found.ndim != 2 or len(found) != n_items or not found.shape[1] or not np.isfinite(found).all():
        raise UsageError(f"--embeddings {path}: expected finite numbers of shape ({n_items}, dim), got {found.shape}")
    return found


def _distances(ids: IdSet, items: Corpus | None, vectors: Float32 | None, encoder: str, device: str) -> Distances:
    if items is not None:
        rows = [items.row_of.get(item, -1) for item in ids.items]
        if -1 in rows:
            raise UsageError(f"--items: has no item '{ids.items[rows.index(-1)]}'")
        items = Corpus(items.table.take(rows), items.fields)
    if vectors is None and ids.result is not None and load("method", ids.result.method).measures_distances():
        return _learned_distances(ids, ids.result, items, device)
    if vectors is None and items is not None:
        vectors = Context(device=device).embed(items, EncoderConfig(name=encoder))
    if vectors is None:
        raise UsageError(
            f"{ids.name}: nothing says how far its items are from codes that they did not get; give --items (their "
            "texts are embedded) or --embeddings FILE.npy"
        )
    of_items = vectors
    return lambda rows: mean_distances(ids.codes, of_items, rows)


def _learned_distances(ids: IdSet, result: Result, items: Corpus | None, device: str) -> Distances:
    learned = learned_indexer(result, device=device, embeddings=items is None)
    if items is None:
        corpus = _IdsAlone.of(ids.items)
    else:
        corpus = Corpus(with_columns(items, learned.columns).table, result.text_fields)
    return lambda rows: learned.indexer.code_distances(corpus, ids.codes, rows)


class _IdsAlone(Corpus):
    """Items of which only the ids are known: their vectors were cached."""

    @classmethod
    def of(cls, items: Sequence[str]) -> Corpus:
        """Return the items."""
        import pyarrow as pa

        return cls(pa.table({"id": list(items)}))

    def texts(self, fields: Sequence[str] | None = None) -> list[str]:
        """Raise UsageError: there are no texts."""
        raise UsageError("this indexer reads the items' texts: say where they are with --items")


def _quality(codes: Codes, paths: Sequence[tuple[str, ...]]) -> dict[str, Any]:
    found = id_quality(codes, paths)
    last = found.get(f"AMI@depth{codes.length}")
    return {**found, "AMI@last": last} if last is not None else found
