"""Search spaces: which settings of a method `benchmark tune` tries, and between which bounds.

A space stands beside the presets of a method, as [tune], or [sasrec.tune] in a file that several methods share:

    [tune]
    levels = { low = 2, high = 4 }                                # a range of whole numbers
    codebook_size = [64, 128, 256]                                # choices
    training.learning_rate = { low = 1e-4, high = 1e-2, log = true }
    generative.recommendation.epochs = { low = 5, high = 20, step = 5 }

Keys are those of `--set`. A plugin offers a space in the same way: a TOML file beside its module.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmark.errors import ConfigError, UsageError, did_you_mean, quoted

LARGEST = 10**18  # of a bound
WORDS = ("low", "high", "log", "step")  # of a range
Scalar = int | float | str | bool


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, both included; whole ones where the setting is a whole number."""

    low: float
    high: float
    log: bool = False
    step: float | None = None

    @property
    def ends(self) -> tuple[Scalar, ...]:
        """The values that decide whether the method takes all of them."""
        return self.low, self.high

    def holds(self, value: object) -> bool:
        """True for a value that a trial may draw."""
        if isinstance(value, bool) or not isinstance(value, int | float) or not self.low <= value <= self.high:
            return False
        return self.step is None or abs((value - self.low) / self.step - round((value - self.low) / self.step)) < 1e-9

    def __str__(self) -> str:
        step = f", step {self.step:g}" if self.step else ""
        return f"{self.low:g} to {self.high:g}{', log' if self.log else ''}{step}"


@dataclass(frozen=True)
class Choices:
    """Values in no order."""

    values: tuple[Scalar, ...]

    @property
    def ends(self) -> tuple[Scalar, ...]:
        """The values that decide whether the method takes all of them."""
        return self.values

    def holds(self, value: object) -> bool:
        """True for a value that a trial may draw."""
        return any(type(value) is type(choice) and value == choice for choice in self.values)

    def __str__(self) -> str:
        return " | ".join(map(str, self.values))


Space = Mapping[str, Range | Choices]  # dotted key -> what is tried


def parse_space(content: Mapping[str, Any], where: str) -> dict[str, Range | Choices]:
    """Return the space of a TOML section. Raises ConfigError that names the place, the key and what to write."""
    found: dict[str, Range | Choices] = {}
    for key, value in _leaves(content):
        try:
            found[key] = _choices(value) if isinstance(value, list) else _range(value)
        except ConfigError as error:
            raise ConfigError(f"{where}: {key}: {error}") from None
    return found


def read_spaces(path: Path, labels: Collection[str]) -> dict[str, dict[str, Range | Choices]]:
    """Return label -> space of a user's file, one section per label.

    Raises UsageError for a file that cannot be read and a section of no such label, ConfigError for a wrong space.
    """
    try:
        content = tomllib.loads(path.read_text("utf-8"))
        _leaves(content)
    except RecursionError:
        raise UsageError(f"--space {path}: cannot be read: too deeply nested") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise UsageError(f"--space {path}: cannot be read: {reason}") from None
    for label, section in content.items():
        if label not in labels:
            raise UsageError(f"--space {path}: no method '{label}' is tuned here.{did_you_mean(label, labels)}")
        if not isinstance(section, Mapping):
            raise ConfigError(f"--space {path}: {label}: expected a section, [{label}]")
    return {label: parse_space(section, f"--space {path}: [{label}]") for label, section in content.items()}


def checked(space: Space, settings_with: Callable[[str, Scalar], Mapping[str, Any]], where: str) -> Space:
    """Return the space with whole numbers where the settings are; every end of it is tried on the configuration.

    `settings_with(key, value)` returns all settings, flat, with one of them changed, and raises ConfigError for an
    unknown key or a value out of bounds.
    """
    found: dict[str, Range | Choices] = {}
    for key, tried in space.items():
        try:
            values = [settings_with(key, value).get(key) for value in tried.ends]
        except ConfigError as error:
            raise ConfigError(f"{where}: {error}") from None
        found[key] = _typed(tried, values, f"{where}: {key}") if isinstance(tried, Range) else tried
    return found


def _typed(tried: Range, values: Sequence[Any], where: str) -> Range:
    """Return a range of whole numbers, or of others, as the `values` that its ends become."""
    if not all(type(value) in (int, float) for value in values):
        raise ConfigError(f"{where}: the setting is not a number; write a list of choices")
    if any(type(value) is float for value in values):
        return replace(tried, low=float(tried.low), high=float(tried.high))
    if tried.step is not None and tried.step != int(tried.step):
        raise ConfigError(f"{where}: step {tried.step:g}: the setting is a whole number")
    return replace(tried, low=int(tried.low), high=int(tried.high), step=tried.step and int(tried.step))


def at_most(space: Space, keys: Collection[str], n_items: int) -> Space:
    """Return the space with these settings no larger than the number of items; one that has no value left goes."""
    found = dict(space)
    for key in keys:
        tried = found.get(key)
        if isinstance(tried, Range) and tried.high > n_items:
            found[key] = replace(tried, high=n_items)
        elif isinstance(tried, Choices):
            found[key] = Choices(tuple(v for v in tried.values if isinstance(v, str) or v <= n_items))
        left = found.get(key)
        if (isinstance(left, Range) and left.low > left.high) or (isinstance(left, Choices) and not left.values):
            del found[key]
    return found


def _leaves(content: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """Return (dotted key, value); a table with `low` or `high` in it is a range, any other one a section."""
    found: list[tuple[str, Any]] = []
    for key, value in content.items():
        is_section = isinstance(value, Mapping) and value and not {"low", "high"} & set(value)
        found += _leaves(value, f"{prefix}{key}.") if is_section else [(f"{prefix}{key}", value)]
    return found


def _choices(values: list[Any]) -> Choices:
    for value in values:
        if not isinstance(value, int | float | str):
            raise ConfigError(
                f"{quoted(value)}: a choice is a number, a text or true or false; a list is the text '[1]'"
            )
    if len(set(map(repr, values))) != len(values) or not values:
        raise ConfigError("expected a list of different choices" if values else "an empty list of choices")
    return Choices(tuple(values))


def _range(value: Any) -> Range:
    if not isinstance(value, Mapping) or not value:
        raise ConfigError(
            f"expected [choice, choice, ..] or {{ low = .., high = .. }}, got {quoted(value)}; --set fixes one value"
        )
    for word in value:
        if word not in WORDS:
            raise ConfigError(f"unknown word '{word}' in a range.{did_you_mean(word, WORDS)}")
    low, high = _number(value, "low"), _number(value, "high")
    step, log = (_number(value, "step") if "step" in value else None), value.get("log", False)
    if not low < high:
        raise ConfigError(f"low = {low} is not below high = {high}")
    if not isinstance(log, bool):
        raise ConfigError(f"log = {quoted(log)}: true or false")
    if step is not None and (log or step <= 0):
        raise ConfigError("log and step do not go together" if log else f"step = {step} is not above 0")
    if log and low <= 0:
        raise ConfigError(f"low = {low}: a range on a logarithmic scale begins above 0")
    return Range(low, high, log, step)


def _number(values: Mapping[str, Any], word: str) -> float:
    number = values.get(word)
    if isinstance(number, bool) or not isinstance(number, int | float) or not abs(number) <= LARGEST:
        raise ConfigError(f"{word} = {quoted(number)}: a number is needed" if word in values else f"{word} is missing")
    return number
