"""Presets as a run takes them: a method's own settings, and those of the shared generative part that it changes.

A method's TOML may hold a table [small.generative]: its keys go over those of the shared preset `small`, and every
`--set` goes over both. What a preset says otherwise on some data sets, [[paper.on]] with datasets = [..], goes over
what its file says for all.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from benchmark.config import MethodConfig, build_config, load_presets, merge
from benchmark.errors import BenchmarkError
from benchmark.generative import config as generative_config
from benchmark.generative.config import GenerativeConfig
from benchmark.registry import find, load, source_file
from benchmark.results.settings import flat_settings
from benchmark.types.method import Indexer

GENERATIVE = "generative"


def without_generative(preset: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return an indexer's preset without what it changes in the generative part."""
    return None if preset is None else {key: value for key, value in preset.items() if key != GENERATIVE}


def build_generative(
    name: str, preset: Mapping[str, Any] | None, overrides: Mapping[str, Any] | None = None, dataset: str = ""
) -> GenerativeConfig:
    """Return the generative part at the preset of this name: defaults, shared preset, the method's preset, `--set`.

    The shared preset is the one for the data set; the method's is taken as it is given.

    Raises ConfigError for an unknown key, wherever it stands.
    """
    shared = load_presets(Path(generative_config.__file__), dataset=dataset).get(name, {})
    own = (preset or {}).get(GENERATIVE, {})
    return build_config(GenerativeConfig, preset=merge(shared, own), overrides=overrides, owner=GENERATIVE)


@cache
def preset_settings(method: str, preset: str, dataset: str = "") -> Mapping[str, Any]:
    """Return every setting of a method at a preset on a data set, flat: its own, and an indexer's `generative.` ones.

    {} where the method is not installed; none of its own where some must be given, so that no preset is whole.
    """
    try:
        found = load("method", method)
        model: type[MethodConfig] = found.Config
        chosen = load_presets(source_file(find("method", method)), method, dataset).get(preset)
        config: dict[str, Any] = {}
        if issubclass(found, Indexer):
            config[GENERATIVE] = build_generative(preset, chosen, dataset=dataset).model_dump(mode="json")
            chosen = without_generative(chosen)
    except (BenchmarkError, AttributeError, TypeError):
        return {}
    with suppress(BenchmarkError):
        config["method"] = build_config(model, preset=chosen).model_dump(mode="json")
    return flat_settings(config)
