"""No number of any configuration is without bounds: what would abort a run hours later is refused by its name."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel, Field

from benchmark.config import MethodConfig, build_config, load_presets
from benchmark.data.simulate import SimulationConfig
from benchmark.errors import ConfigError
from benchmark.generative.config import GenerativeConfig
from benchmark.generative.presets import build_generative, without_generative
from benchmark.learning.dense import IndexConfig
from benchmark.registry import load, registered, source_file

BELOW_ZERO = {"length_penalty", "learning_layers"}  # the numbers that may be negative
BEYOND = {"steps", "cache_bytes", "seed"}  # the numbers that may be above a million


def configurations() -> dict[str, type[BaseModel]]:
    """Every registered configuration by name, and those that the suite uses itself."""
    found: dict[str, type[BaseModel]] = {
        "generative": GenerativeConfig, "simulation": SimulationConfig, "index": IndexConfig,
    }  # fmt: skip
    return found | {name: load(what, name).Config for what in ("method", "data set") for name in registered(what)}


def numbers(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, bool]]:
    """Yield (dotted key, whether it is a list) of every number in a configuration, its sections' too."""
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from numbers(kind, f"{prefix}{name}.")
        elif re.search(r"\b(int|float)\b", str(kind)):
            yield prefix + name, "tuple" in str(kind) or "list" in str(kind)


FIELDS = [
    pytest.param(model, key, in_list, id=f"{owner}.{key}")
    for owner, model in configurations().items()
    for key, in_list in numbers(model)
]


def refused(model: type[BaseModel], key: str, value: Any) -> bool:
    """Say whether a value is refused with one short line that names its key."""
    try:
        build_config(model, overrides={key: value}, owner="mine")
    except ConfigError as error:
        return str(error).startswith(f"mine.{key}") and len(str(error)) < 400 and str(error).isprintable()
    return False


def test_the_walk_finds_the_numbers() -> None:
    assert len(FIELDS) > 200
    assert ("training.learning_rate", False) in numbers(load("method", "rqvae").Config)
    assert ("hidden", True) in numbers(load("method", "rqvae").Config)


@pytest.mark.parametrize(("model", "key", "in_list"), FIELDS)
def test_every_number_has_bounds_on_both_sides(model: type[BaseModel], key: str, in_list: bool) -> None:
    """As words of the command line and as values of Python: not finite, of many digits, too large, below zero."""
    name = key.rpartition(".")[2]
    wrong: list[Any] = [float("inf"), float("-inf"), float("nan"), 10**400, -(10**400), 1e300, -1e300, 2**60]
    wrong += [] if name in BEYOND else [10**9]
    wrong += [] if name in BELOW_ZERO else [-1]
    for value in wrong:
        assert refused(model, key, [value] if in_list else value), value
        word = str(value)
        assert refused(model, key, f"[{json.dumps(value)}]" if in_list else word), word
    assert refused(model, key, "9" * 5000)


def test_a_plugin_that_states_no_bounds_gets_the_default_ones() -> None:
    class Plugin(MethodConfig):
        count: int = 3
        weights: tuple[dict[str, float], ...] = ()
        many: int = Field(3, le=10**12)
        switch: bool = True

    for key, value in {"count": 10**9, "weights": [{"a": 1.0, "b": 1e9}], "many": -(10**9)}.items():
        assert refused(Plugin, key, value)
    assert build_config(Plugin, overrides={"many": 10**11, "count": "1000000", "switch": "false"}).many == 10**11


@pytest.mark.parametrize("name", registered("method"))
def test_every_preset_is_within_the_bounds(name: str) -> None:
    for preset, values in load_presets(source_file(registered("method")[name]), name).items():
        build_config(load("method", name).Config, preset=without_generative(values), owner=name)
        build_generative(preset, values)


@pytest.mark.parametrize(
    "literal",
    ["[" * 100_000, '{"a":' * 50_000 + "1" + "}" * 50_000, "[" + "9" * 10_000 + "]", "[1, 2", "[NaN]", "[Infinity]"],
)
def test_a_nested_or_huge_literal_is_one_short_line(literal: str) -> None:
    assert refused(load("method", "rqvae").Config, "hidden", literal)


@pytest.mark.parametrize("key", ["", ".", "levels.", ".levels", "training..steps", "a." * 5000 + "b"])
def test_a_key_without_names_or_of_a_thousand_names_is_refused(key: str) -> None:
    with pytest.raises(ConfigError, match="not a valid key") as caught:
        build_config(load("method", "rqvae").Config, overrides={key: "1"}, owner="mine")
    assert len(str(caught.value)) < 200
