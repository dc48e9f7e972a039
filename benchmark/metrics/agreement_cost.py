"""What an exact adjusted mutual information costs, and how much of it is computed.

scikit-learn's expected mutual information takes sum_ij min(a_i, b_j) steps of about 0.04 microseconds for clusters of
sizes a and labels of sizes b.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from benchmark.types.arrays import Int64

MAX_AMI_STEPS = 200_000_000  # what goes beyond is left out, but for the AMI itself


def ami_steps(clusters: Int64, labels: Int64) -> int:
    """Return sum_ij min(a_i, b_j) over cluster sizes a and label sizes b: the cost of one exact AMI."""
    a, b = (np.sort(np.unique(groups, return_counts=True)[1]) for groups in (clusters, labels))
    smaller = np.searchsorted(a, b)  # per label: how many clusters are smaller
    return int((np.r_[0, np.cumsum(a)][smaller] + b * (len(a) - smaller)).sum())
