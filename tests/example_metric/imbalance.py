"""An example metric of the IDs themselves: is one first code given to far more items than the others?"""

import numpy as np

from benchmark.metrics.metric import IdMetric


def largest_over_mean(codes, corpus, histories):
    """Return the items of the largest first code over the mean of all that are used."""
    _, sizes = np.unique(codes.values[:, 0], return_counts=True)
    return sizes.max() / sizes.mean()


IMBALANCE = IdMetric(
    "imbalance", "items of the largest first code over the mean of all used ones", compute=largest_over_mean,
    higher_is_better=False, unit="times", range=(1, float("inf")), digits=2, header="Imbalance",
)  # fmt: skip
