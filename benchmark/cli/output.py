"""Tables from result files: what `run` and `report` print."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmark.registry import load, registered
from benchmark.results import Result


def tables_text(results: Sequence[Result], style: str, *, names: Sequence[str] | None = None) -> str:
    """Return the named tables (default: every registered one that has rows) in a registered format."""
    filled: list[Any] = []
    for name in names if names is not None else registered("table"):
        filled += load("table", name).fill(results)
    text: str = load("format", style)(filled)
    return text
