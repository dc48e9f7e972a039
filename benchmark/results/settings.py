"""The settings of a result by dotted key, as `--set` names them behind the label."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def flat_settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a result's `config` holds: {'levels': 3, .., 'generative.beams': 20, ..}."""
    from benchmark.config import flatten  # reports that have no use for it start without pydantic

    own, generative = (
        part if isinstance(part := config.get(name), Mapping) else {} for name in ("method", "generative")
    )
    return {**flatten(own), **flatten(generative, "generative.")}


def changes_as_text(changed: Mapping[str, Any]) -> str:
    """Return what a result's `changed` holds, sorted by key: 'codebook_size=64; levels=2', '' for nothing."""
    return "; ".join(f"{key}={value}" for key, value in sorted(changed.items()))
