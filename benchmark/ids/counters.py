"""The dedup counters of a set of IDs: those it came with are kept, as they are part of what others know an item by.

They are counted anew only where none are known, where items have moved to other codes, or where two items have one ID.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmark.ids.assigning import known_ids
from benchmark.results.id_files import read_own_order
from benchmark.results.id_records import UNIQUE, has_counters, ids_in
from benchmark.types.arrays import Int32
from benchmark.types.codes import Codes


def read_counted(path: Path) -> tuple[list[str], Codes, Int32 | None]:
    """Return items in their file's order, codes without the counter, and counters [n_items]; None: it has none.

    A folder with ids.tsv has them in ids.unique.tsv, a file of that name as last code, records in a field.
    """
    file = ids_in(path)
    if file.name != UNIQUE and not has_counters(file):
        items, codes = read_own_order(file, counter=False)
        if file == path or not (path / UNIQUE).is_file():
            return items, codes, None
        known = known_ids(path)
        return items, codes, np.array([known[item][1] for item in items], np.int32)
    items, counted = read_own_order(file, counter=True)
    codes = Codes(np.ascontiguousarray(counted.values[:, :-1]), counted.sizes[:-1])
    return items, codes, counted.values[:, -1]


def repeated(codes: Codes, counters: Int32) -> NDArray[np.bool_]:
    """Say of each item whether another one has its codes and its counter too [n_items]."""
    _, group, counts = np.unique(
        np.column_stack([codes.values, counters]), axis=0, return_inverse=True, return_counts=True
    )
    found: NDArray[np.bool_] = (counts > 1)[group.reshape(-1)]
    return found


def recounted(counters: Int32, before: Codes, after: Codes) -> Int32:
    """Return counters [n_items] of codes `after`: anew among items with equal codes that one has joined or left.

    So too where two items have one ID. All others keep theirs.
    """
    changed = (before.values != after.values).any(axis=1) | repeated(after, counters)
    if not changed.any():
        return counters
    every = np.vstack([after.values, after.values[changed], before.values[changed]])
    group = np.unique(every, axis=0, return_inverse=True)[1].reshape(-1)
    return np.where(np.isin(group[: len(after)], group[len(after) :]), after.counter(), counters).astype(np.int32)
