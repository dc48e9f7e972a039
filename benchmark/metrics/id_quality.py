"""How good are the IDs themselves: agreement with the category labels, uniqueness, use of the codebooks.

`AMI` is LMIndexer's number: scikit-learn's adjusted mutual information (arithmetic mean) between the FIRST code and
the WHOLE category path joined with ','; items without a path are left out. It corrects for chance but not for
granularity, so the deeper and coarser readings stand beside it:

    AMI@depth<d>  the first d codes against the whole path        AMI@level<l>  the first code against path[:l]

Everything is measured on the codes before the dedup counter. Shapes: codes int32 [n_items, length], one path per item.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from benchmark.errors import BenchmarkError

if TYPE_CHECKING:
    from benchmark.contracts import Codes, Int32, Int64

# scikit-learn's expected mutual information takes sum_ij min(a_i, b_j) steps of about 0.04 microseconds for clusters
# of sizes a and labels of sizes b. AMI@depth and AMI@level are left out beyond this bound; AMI never is.
MAX_AMI_STEPS = 200_000_000


def id_quality(codes: Codes, paths: Sequence[tuple[str, ...]]) -> dict[str, float]:
    """Return every ID-quality metric by name; the AMI and NMI keys are absent with fewer than two distinct labels."""
    if len(codes) != len(paths):
        raise BenchmarkError(f"ID quality: {len(codes)} IDs but {len(paths)} category paths")
    if not len(codes):
        raise BenchmarkError("ID quality: there are no items")
    prefixes = prefix_groups(codes.values)
    return {**_agreement(prefixes, paths), **_uniqueness(prefixes[-1]), **_usage(codes.values)}


def prefix_groups(values: Int32) -> list[Int64]:
    """Return, for d = 1 .. length, the group number of each item's first d codes (0 .. groups - 1) [n_items]."""
    groups: list[Int64] = []
    group: Int64 = np.zeros(len(values), np.int64)
    for column in values.T.astype(np.int64):
        key = group * (int(column.max(initial=0)) + 2) + (column + 1)  # -1, the padding, becomes 0
        group = np.unique(key, return_inverse=True)[1].reshape(-1).astype(np.int64)
        groups.append(group)
    return groups


def _agreement(prefixes: list[Int64], paths: Sequence[tuple[str, ...]]) -> dict[str, float]:
    """AMI of prefixes with labels, and NMI, over the items that have a path."""
    labelled = np.fromiter((row for row, path in enumerate(paths) if path), np.int64)
    metrics = {"labelled_items": float(len(labelled))}
    known: dict[str, int] = {}
    label = np.fromiter((known.setdefault(",".join(path), len(known)) for path in paths if path), np.int64)
    if len(known) < 2:
        return metrics
    from sklearn.metrics import adjusted_mutual_info_score, normalized_mutual_info_score

    first = prefixes[0][labelled]
    metrics["AMI"] = float(adjusted_mutual_info_score(label, first))
    metrics["NMI"] = float(normalized_mutual_info_score(label, first))
    for depth, group in enumerate(prefixes, 1):
        if depth == 1:
            metrics["AMI@depth1"] = metrics["AMI"]
        elif ami_steps(group[labelled], label) <= MAX_AMI_STEPS:
            metrics[f"AMI@depth{depth}"] = float(adjusted_mutual_info_score(label, group[labelled]))
    for level, cut in _levels([paths[row] for row in labelled], label, len(known)):
        if len(np.unique(cut)) == len(known):
            metrics[f"AMI@level{level}"] = metrics["AMI"]  # the same partition as the whole path
        elif ami_steps(first, cut) <= MAX_AMI_STEPS:
            metrics[f"AMI@level{level}"] = float(adjusted_mutual_info_score(cut, first))
    return metrics


def _levels(paths: list[tuple[str, ...]], label: Int64, n_labels: int) -> list[tuple[int, Int64]]:
    """Return (l, label of path[:l] per item) for every level with at least two distinct values."""
    distinct: list[tuple[str, ...]] = [()] * n_labels
    for path, row in zip(paths, label.tolist(), strict=True):
        distinct[row] = path
    levels = []
    for level in range(1, max(map(len, distinct)) + 1):
        known: dict[tuple[str, ...], int] = {}
        cut = np.array([known.setdefault(path[:level], len(known)) for path in distinct], np.int64)
        if len(known) > 1:
            levels.append((level, cut[label]))
    return levels


def ami_steps(clusters: Int64, labels: Int64) -> int:
    """Return sum_ij min(a_i, b_j) over cluster sizes a and label sizes b: the cost of one exact AMI."""
    a, b = (np.sort(np.unique(groups, return_counts=True)[1]) for groups in (clusters, labels))
    smaller = np.searchsorted(a, b)  # per label: how many clusters are smaller
    return int((np.r_[0, np.cumsum(a)][smaller] + b * (len(a) - smaller)).sum())


def _uniqueness(group: Int64) -> dict[str, float]:
    """How many items share their whole ID with others."""
    sizes = np.bincount(group)
    return {
        "unique": float((sizes == 1).sum() / len(group)),
        "collision_rate": float(1 - len(sizes) / len(group)),
        "largest_group": float(sizes.max()),
    }


def _usage(values: Int32) -> dict[str, float]:
    """Distinct codes and perplexity exp(-sum p ln p) of each position, over the items that reach it."""
    metrics = {}
    for position, column in enumerate(values.T, 1):
        counts = np.unique(column[column >= 0], return_counts=True)[1]
        metrics[f"codes_used@{position}"] = float(len(counts))
        metrics[f"perplexity@{position}"] = perplexity(counts)
    metrics["length"] = float((values >= 0).sum(axis=1).mean())
    return metrics


def perplexity(counts: NDArray[np.integer]) -> float:
    """Return exp of the entropy (natural logarithm) of a histogram; 0 for an empty one."""
    if not counts.sum():
        return 0.0
    share = counts[counts > 0] / counts.sum()
    return float(np.exp(-(share * np.log(share)).sum()))
