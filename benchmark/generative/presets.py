"""Presets as a run takes them: a method's own settings, and those of the shared generative part that it changes.

A method's TOML may hold a table [small.generative]: its keys go over those of the shared preset `small`, and every
`--set` goes over both.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmark.config import build_config, load_presets, merge
from benchmark.generative import config as generative_config
from benchmark.generative.config import GenerativeConfig

GENERATIVE = "generative"


def without_generative(preset: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return an indexer's preset without what it changes in the generative part."""
    return None if preset is None else {key: value for key, value in preset.items() if key != GENERATIVE}


def build_generative(
    name: str, preset: Mapping[str, Any] | None, overrides: Mapping[str, Any] | None = None
) -> GenerativeConfig:
    """Return the generative part at the preset of this name: defaults, shared preset, the method's preset, `--set`.

    Raises ConfigError for an unknown key, wherever it stands.
    """
    shared = load_presets(Path(generative_config.__file__)).get(name, {})
    own = (preset or {}).get(GENERATIVE, {})
    return build_config(GenerativeConfig, preset=merge(shared, own), overrides=overrides, owner=GENERATIVE)
