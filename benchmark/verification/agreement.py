"""Mutual information of two groupings of the same items, and what it is by chance (Vinh, Epps and Bailey, JMLR 2010).

    E[MI] = sum over clusters of sizes a, labels of sizes b, of  sum_n  n/N log(N n / (a b)) P(n; N, a, b)

with the hypergeometric P. It depends on the sizes alone, so equal sizes are summed once and counted.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np


def entropy(counts: Sequence[int]) -> float:
    """Return the entropy of a histogram, natural logarithm."""
    total = sum(counts)
    return -math.fsum(n / total * math.log(n / total) for n in counts if n)


@dataclass(frozen=True)
class Agreement:
    """Two groupings of the same items: the name of each item's group in either [n_items]."""

    clusters: Sequence[Hashable]
    labels: Sequence[Hashable]

    @cached_property
    def information(self) -> float:
        """Mutual information, as H(clusters) + H(labels) - H(both)."""
        both = Counter(zip(self.clusters, self.labels, strict=True))
        return sum(map(entropy, self._sizes)) - entropy(list(both.values()))

    @cached_property
    def mean_entropy(self) -> float:
        """The arithmetic mean of both entropies."""
        return sum(map(entropy, self._sizes)) / 2

    @cached_property
    def expected(self) -> float:
        """Mean of the mutual information over all shufflings of one grouping."""
        n = len(self.labels)
        log_factorial = np.array([math.lgamma(i + 1) for i in range(n + 1)])
        sizes_a, sizes_b = (Counter(sizes) for sizes in self._sizes)
        b = np.array(sorted(sizes_b), np.int64)
        times_b = np.array([sizes_b[size] for size in b.tolist()], np.float64)
        total = 0.0
        for a, times_a in sizes_a.items():
            least, most = np.maximum(1, a + b - n), np.minimum(a, b)
            width = np.maximum(most - least + 1, 0)
            column = np.repeat(np.arange(len(b)), width)
            size = b[column]
            cell = least[column] + np.arange(len(column)) - np.repeat(np.cumsum(width) - width, width)
            log_p = (
                log_factorial[a] + log_factorial[size] + log_factorial[n - a] + log_factorial[n - size]
                - log_factorial[n] - log_factorial[cell] - log_factorial[a - cell] - log_factorial[size - cell]
                - log_factorial[n - a - size + cell]
            )  # fmt: skip
            terms = cell / n * np.log(n * cell / (a * size)) * np.exp(log_p)
            total += times_a * float(times_b[column] @ terms)
        return total

    @property
    def normalized(self) -> float:
        """NMI: 0 where a grouping says nothing."""
        return self.information / self.mean_entropy if self.information > 1e-15 else 0.0

    @property
    def normalized_by_chance(self) -> float:
        """NMI's mean over all shufflings."""
        return self.expected / self.mean_entropy if self.mean_entropy else 0.0

    @property
    def adjusted(self) -> float | None:
        """AMI; None where chance alone already gives all there is, so that rounding would decide."""
        room = self.mean_entropy - self.expected
        return (self.information - self.expected) / room if room > 1e-7 else None

    @cached_property
    def _sizes(self) -> tuple[list[int], list[int]]:
        return list(Counter(self.clusters).values()), list(Counter(self.labels).values())
