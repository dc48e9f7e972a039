"""Do judges agree, and how sure is a share of yes? Krippendorff's alpha (nominal) and Wilson's interval."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence

Z = 1.959963984540054  # the 97.5% quantile of the normal distribution


def krippendorff_alpha(units: Iterable[Sequence[Hashable]]) -> float | None:
    """Return alpha from the values that each unit got, missing ones left out; None where it is undefined.

    With the coincidences o_ck (each ordered pair of values in a unit of m values counts 1 / (m - 1)), n_c their sums
    and n the sum of those:  alpha = 1 - (n - 1) sum_{c != k} o_ck / sum_{c != k} n_c n_k.
    Units with fewer than two values pair with nothing and do not count. Source: Krippendorff, Computing Krippendorff's
    alpha-reliability, 2011, section C. Undefined without pairs, and when all values are the same.
    """
    coincidences: Counter[tuple[Hashable, Hashable]] = Counter()
    for values in units:
        for i, left in enumerate(values):
            for j, right in enumerate(values):
                if i != j:
                    coincidences[left, right] += 1 / (len(values) - 1)  # type: ignore[assignment]
    totals: Counter[Hashable] = Counter()
    for (left, _), weight in coincidences.items():
        totals[left] += weight
    n = math.fsum(totals.values())
    observed = math.fsum(weight for (left, right), weight in coincidences.items() if left != right)
    expected = n**2 - math.fsum(total**2 for total in totals.values())
    return 1 - (n - 1) * observed / expected if len(totals) > 1 else None


def wilson(share: float, n: int) -> tuple[float, float]:
    """Return Wilson's 95% interval of a share of n independent draws (JASA 1927)."""
    centre = (share + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half_width = Z / (1 + Z**2 / n) * math.sqrt(share * (1 - share) / n + Z**2 / (4 * n**2))
    return max(0.0, centre - half_width), min(1.0, centre + half_width)
