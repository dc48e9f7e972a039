"""The words of `benchmark run` that make a result again, from the result alone and the presets that are installed."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from functools import cache
from typing import Any

from benchmark.config import MethodConfig, build_config, flatten, load_presets
from benchmark.errors import BenchmarkError
from benchmark.generative.presets import build_generative, without_generative
from benchmark.registry import find, load, source_file
from benchmark.results.result_files import Result
from benchmark.types.item_text import DEFAULT_TEXT_FIELDS, PAPER_TEXT_FIELDS


def command(seeds: Sequence[Result]) -> str:
    """Return the command that makes the results of one configuration, an option a line."""
    result = seeds[0]
    name = result.method if result.label == result.method else f"{result.label}={result.method}"
    tasks = sorted({task for each in seeds for task in each.metrics})
    options = [
        ("--methods", name), ("--dataset", str(result.dataset["name"])), ("--preset", result.preset),
        ("--seeds", ",".join(str(each.seed) for each in seeds)), *([("--tasks", ",".join(tasks))] if tasks else []),
    ]  # fmt: skip
    if result.text_fields != DEFAULT_TEXT_FIELDS:
        fields = "paper" if result.text_fields == PAPER_TEXT_FIELDS else ",".join(result.text_fields)
        options.append(("--text-fields", fields))
    if result.queries:
        options.append(("--queries", result.queries))
    if result.self_retrieval == "kept":
        options.append(("--self-retrieval", "kept"))
    options += [("--set", f"{key}={value}") for key, value in settings(result).items()]
    return " \\\n  ".join(["benchmark run", *(f"{option} {shlex.quote(value)}" for option, value in options)])


def settings(result: Result) -> dict[str, str]:
    """Return LABEL.KEY -> value of what a result's preset does not say.

    All settings where the method is not installed here.
    """
    presets = _presets(result.method, result.preset)
    found: dict[str, str] = {}
    for part, prefix in (("method", ""), ("generative", "generative.")):
        own, preset = flatten(result.config.get(part) or {}), presets.get(part, {})
        found |= {
            f"{result.label}.{prefix}{key}": _word(value)
            for key, value in own.items()
            if value is not None and (key not in preset or preset[key] != value)
        }
    return found


@cache
def _presets(method: str, preset: str) -> dict[str, dict[str, Any]]:
    """Return the settings of a preset, flat: those of the method, and those of the fine-tuning."""
    try:
        config: type[MethodConfig] = load("method", method).Config
        of_method = load_presets(source_file(find("method", method)), method).get(preset)
        return {
            "method": flatten(build_config(config, preset=without_generative(of_method)).model_dump(mode="json")),
            "generative": flatten(build_generative(preset, of_method).model_dump(mode="json")),
        }
    except (BenchmarkError, AttributeError):
        return {}


def _word(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
