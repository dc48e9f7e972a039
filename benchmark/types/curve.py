"""What a training tells while it runs, besides its log: nothing, or each record to a tracker that somebody watches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Curve(Protocol):
    """One training as it is watched."""

    def log(self, values: Mapping[str, float], step: int) -> None:
        """Show what was measured at this step."""

    def finish(self) -> None:
        """Say that the training has ended, or was interrupted."""


class Unwatched:
    """A training that nobody watches."""

    def log(self, values: Mapping[str, float], step: int) -> None:
        """Show nothing."""

    def finish(self) -> None:
        """End nothing."""


def unwatched(name: str) -> Curve:
    """Return the curve of a training that nobody watches, whatever its name."""
    return Unwatched()
