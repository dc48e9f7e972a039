"""Do two seeds of one method give the same IDs? Agreement of their groupings, up to the names of the codes.

`stability@d` is the adjusted Rand index of the groups of items that share their first d codes, averaged over all pairs
of seeds: 1 for the same groups, 0 for what groups of these sizes agree in by chance (Hubert and Arabie, Comparing
partitions, Journal of Classification 1985). It counts pairs of items, so it needs a sort where an adjusted
mutual information needs a sum over all cells, and reports can compute it from ids.tsv files without scikit-learn.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmark.errors import DataError
from benchmark.results.result_files import read_id_lines

Int64 = NDArray[np.int64]


def stability(files: Sequence[Path]) -> dict[str, float]:
    """Return `stability@d` from the ids.tsv file of each seed, d = 1 .. length of the shortest; {} for one seed.

    Raises DataError for a file that is no ids.tsv or holds other items than the first.
    """
    if len(files) < 2:
        return {}
    ids = [read_id_lines(path) for path in files]
    for path, own in zip(files, ids, strict=True):
        if own.keys() != ids[0].keys():
            raise DataError(f"{path}: its items are not those of {files[0]}")
    order = list(ids[0])
    depths = min(max(map(len, own.values())) for own in ids)
    found = {}
    for depth in range(1, depths + 1):
        groups = [group_numbers([own[item][:depth] for item in order]) for own in ids]
        found[f"stability@{depth}"] = float(np.mean([adjusted_rand(*pair) for pair in combinations(groups, 2)]))
    return found


def adjusted_rand(left: Int64, right: Int64) -> float:
    """Return the adjusted Rand index of two groupings [n_items]; 1 where both are trivial in the same way."""
    n_pairs = len(left) * (len(left) - 1) // 2
    both, of_left, of_right = (_pairs(groups) for groups in (left * (int(right.max()) + 1) + right, left, right))
    if of_left == of_right == both:
        return 1.0
    by_chance = of_left * of_right / n_pairs
    return float((both - by_chance) / ((of_left + of_right) / 2 - by_chance))


def _pairs(groups: Int64) -> int:
    """Number of pairs of items in one group."""
    sizes = np.unique(groups, return_counts=True)[1].astype(np.int64)
    return int((sizes * (sizes - 1) // 2).sum())


def group_numbers(names: Sequence[tuple[int, ...]]) -> Int64:
    """Return the number of each name, in the order of their first appearance [n_items]."""
    known: dict[tuple[int, ...], int] = {}
    return np.fromiter((known.setdefault(name, len(known)) for name in names), np.int64, len(names))
