"""What a check found: numbers that do not follow, files that are missing, numbers that nobody here can recompute.

A metric of an installed plugin is named and is no failure: only the plugin knows what it should be.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

TOLERANCE = 1e-8  # relative, and absolute below 1: what sums in another order differ by is far less

WRONG, MISSING, NOT_CHECKED, OF_PLUGIN = "wrong", "missing", "not checked", "of a plugin"


class Flaw(Exception):
    """A file says something that cannot be."""


class Absent(Exception):
    """A file that a number follows from is not there."""


@dataclass(frozen=True)
class Finding:
    """What does not follow (wrong), has no source (missing) or cannot be recomputed here (not checked, of a plugin)."""

    kind: str
    where: str  # a result's folder or a file of a report
    what: str  # e.g. 'search, nDCG@10', or a file's name
    reason: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}: {self.reason}"


@dataclass
class Findings:
    """Everything found so far, and how many numbers were checked."""

    found: list[Finding] = field(default_factory=list)
    checked: int = 0

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
        """Everything but the metrics of plugins."""
        return [finding for finding in self.found if finding.kind != OF_PLUGIN]

    def of(self, kind: str) -> list[Finding]:
        """Return the findings of one kind."""
        return [finding for finding in self.found if finding.kind == kind]


def close(a: float, b: float) -> bool:
    """True when two floating-point ways to one number agree."""
    return math.isclose(a, b, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
