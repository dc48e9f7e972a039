"""How good are the IDs themselves: agreement with the labels and with the histories, uniqueness, use of the codebooks.

`AMI` is LMIndexer's number: scikit-learn's adjusted mutual information (arithmetic mean) between the FIRST code and
the WHOLE category path joined with ','; items without a path are left out. It corrects for chance but not for
granularity, so the deeper and coarser readings stand beside it:

    AMI@depth<d>  the first d codes against the whole path        AMI@level<l>  the first code against path[:l]

`NMI` is not corrected for chance; `NMI (chance)` is its exact mean over all shufflings of the codes,
E[MI] / mean(H(label), H(code)) (Vinh, Epps and Bailey, JMLR 2010), so that
AMI = (NMI - NMI (chance)) / (1 - NMI (chance)).

    unique             share of items whose ID is unique; 1 - unique is what others call aliasing
    collision_rate     1 - distinct IDs / items: the share of items that the dedup counter has to tell apart
    codes_used@t       distinct codes at position t;   perplexity@t   exp of their entropy
    dead_codes@t       share of position t's codebook that no item has;   dead_codes   the same over all positions
    fan_out@t          mean number of different codes that follow a prefix of t - 1 codes (fan_out@1 is codes_used@1)
    co_purchase..      see `benchmark.metrics.co_purchase`;   next_..   see `benchmark.metrics.next_code`
    gini.., distinct.. see `benchmark.metrics.code_use`

Everything is measured on the codes before the dedup counter. Shapes: codes int32 [n_items, length], one path per item.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from benchmark.errors import BenchmarkError
from benchmark.metrics.agreement_cost import MAX_AMI_STEPS, ami_steps
from benchmark.metrics.co_purchase import co_purchase
from benchmark.metrics.code_use import code_use, perplexity
from benchmark.metrics.next_code import next_code

if TYPE_CHECKING:
    from benchmark.types.arrays import Int32, Int64
    from benchmark.types.codes import Codes
    from benchmark.types.data import Histories


def id_quality(codes: Codes, paths: Sequence[tuple[str, ...]], histories: Histories | None = None) -> dict[str, float]:
    """Return every ID-quality metric by name.

    The AMI and NMI keys are absent with fewer than two distinct labels, the keys of pairs and events without
    (training) histories.
    """
    if len(codes) != len(paths):
        raise BenchmarkError(f"ID quality: {len(codes)} IDs but {len(paths)} category paths")
    if not len(codes):
        raise BenchmarkError("ID quality: there are no items")
    prefixes = prefix_groups(codes.values)
    behaviour = {**co_purchase(prefixes, histories), **next_code(prefixes, histories)} if histories is not None else {}
    use = {**_usage(codes, prefixes), **code_use(codes, prefixes[-1], histories)}
    return {**_agreement(prefixes, paths), **behaviour, **_uniqueness(prefixes[-1]), **use}


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
    if ami_steps(first, label) <= MAX_AMI_STEPS:
        metrics["NMI (chance)"] = _chance_nmi(first, label)
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


def _chance_nmi(clusters: Int64, labels: Int64) -> float:
    """Return the mean NMI of codes and labels [n_items] over all shufflings; needs at least two labels."""
    from sklearn.metrics.cluster import contingency_matrix, expected_mutual_information

    mean_entropy = np.mean([np.log(perplexity(np.bincount(groups))) for groups in (clusters, labels)])
    table = contingency_matrix(labels, clusters, sparse=True)
    return float(expected_mutual_information(table, len(labels)) / mean_entropy)


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


def _uniqueness(group: Int64) -> dict[str, float]:
    """How many items share their whole ID with others."""
    sizes = np.bincount(group)
    return {
        "unique": float((sizes == 1).sum() / len(group)),
        "collision_rate": float(1 - len(sizes) / len(group)),
        "largest_group": float(sizes.max()),
    }


def _usage(codes: Codes, prefixes: list[Int64]) -> dict[str, float]:
    """Distinct, dead and following codes and perplexity of each position, over the items that reach it."""
    metrics: dict[str, float] = {}
    values, used = codes.values, 0
    for position, (column, size) in enumerate(zip(values.T, codes.sizes, strict=True), 1):
        there = column >= 0
        counts = np.unique(column[there], return_counts=True)[1]
        used += len(counts)
        metrics[f"codes_used@{position}"] = float(len(counts))
        metrics[f"dead_codes@{position}"] = 1 - len(counts) / size if size else 0.0
        metrics[f"perplexity@{position}"] = perplexity(counts)
        if position > 1 and there.any():
            nodes, parents = (len(np.unique(prefixes[depth][there])) for depth in (position - 1, position - 2))
            metrics[f"fan_out@{position}"] = nodes / parents
    metrics["dead_codes"] = 1 - used / sum(codes.sizes)
    metrics["length"] = float((values >= 0).sum(axis=1).mean())
    return metrics
