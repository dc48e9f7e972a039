"""What a check found: numbers that do not follow, files that changed or are missing, what nobody here can recompute.

A metric of an installed plugin is named and is no failure: only the plugin knows what it should be. Nor is a metric of
`--metrics` that this package has no code of its own for, nor an older result without digests, nor a file that an
archive says it leaves out (`benchmark archive`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

TOLERANCE = 1e-8  # relative, and absolute below 1: what sums in another order differ by is far less

WRONG, CHANGED, MISSING, NOT_CHECKED = "wrong", "changed", "missing", "not checked"
OF_PLUGIN, NOT_RECOMPUTED, NO_DIGESTS, LEFT_OUT = "of a plugin", "not recomputed", "no digests", "left out"
NO_FAILURES = (OF_PLUGIN, NOT_RECOMPUTED, NO_DIGESTS, LEFT_OUT)


class Flaw(Exception):
    """A file says something that cannot be."""


class Absent(Exception):
    """A file that a number follows from is not there."""


@dataclass(frozen=True)
class Finding:
    """A number that does not follow, a file that was changed or is missing, or what cannot be checked: see `kind`."""

    kind: str
    where: str  # a result's folder or a file of a report
    what: str  # e.g. 'search, nDCG@10', or a file's name
    reason: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}: {self.reason}"


@dataclass
class Findings:
    """Everything found so far, how many numbers were checked, and how many files compared with their digests."""

    found: list[Finding] = field(default_factory=list)
    checked: int = 0
    files: int = 0

    def add(self, kind: str, where: str, what: str, reason: str) -> None:
        """Note a finding."""
        self.found.append(Finding(kind, where, what, reason))

    def compare(self, where: str, what: str, stored: float, recomputed: float, source: str) -> None:
        """Count one number as checked, and as wrong unless both ways give the same."""
        self.checked += 1
        if not close(stored, recomputed):
            self.add(WRONG, where, what, f"says {stored!r}, {source} give {recomputed!r}")

    @property
    def failures(self) -> list[Finding]:
        """Everything but the metrics that only others can compute, and what older versions left out."""
        return [finding for finding in self.found if finding.kind not in NO_FAILURES]

    def has(self, kind: str, where: str, what: str) -> bool:
        """Say whether this was found before."""
        return any((found.kind, found.where, found.what) == (kind, where, what) for found in self.found)

    def of(self, kind: str) -> list[Finding]:
        """Return the findings of one kind."""
        return [finding for finding in self.found if finding.kind == kind]


def close(a: float, b: float) -> bool:
    """True when two floating-point ways to one number agree."""
    return math.isclose(a, b, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
