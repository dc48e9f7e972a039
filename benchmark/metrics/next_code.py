"""How well does the ID of the item before foretell the first codes of the next one? Over the training histories.

Over the pairs of neighbouring, different items in the training histories (those of `co_purchase`), with A and B the
first d codes of the item before and of the next one:

    next_entropy@d     H(B | A) in bits: what is left to guess; 0 where the codes before decide
    next_AMI@1         adjusted mutual information of A and B: 0 where the code before says nothing, by chance alone

H(B | A) falls with fewer codes and, by chance, with few pairs for each A; the AMI is corrected for both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from benchmark.metrics.agreement_cost import MAX_AMI_STEPS, ami_steps
from benchmark.metrics.co_purchase import neighbours

if TYPE_CHECKING:
    from benchmark.types.arrays import Int64
    from benchmark.types.data import Histories

DEPTHS = (1, 2)


def next_code(prefixes: Sequence[Int64], histories: Histories) -> dict[str, float]:
    """Return the metrics of the first depths from the group of every item's first d codes [n_items], d = 1 .. length.

    The AMI is absent beyond `MAX_AMI_STEPS`, and where all items of one side share their codes.
    """
    from sklearn.metrics import adjusted_mutual_info_score

    left, right = neighbours(histories)
    metrics: dict[str, float] = {}
    if not len(left):
        return metrics
    for depth in DEPTHS[: len(prefixes)]:
        before, after = prefixes[depth - 1][left], prefixes[depth - 1][right]
        both = before * (int(after.max()) + 1) + after
        metrics[f"next_entropy@{depth}"] = max(0.0, _bits(both) - _bits(before))
        varied = before.min() < before.max() and after.min() < after.max()
        if depth == 1 and varied and ami_steps(before, after) <= MAX_AMI_STEPS:
            metrics[f"next_AMI@{depth}"] = float(adjusted_mutual_info_score(before, after))
    return metrics


def _bits(groups: Int64) -> float:
    share = np.unique(groups, return_counts=True)[1] / len(groups)
    return float(-(share * np.log2(share)).sum())
