"""The words of `benchmark run` that make a result again, from the result alone and the presets that are installed."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from typing import Any

from benchmark.generative.presets import preset_settings
from benchmark.metrics.named import stored_names
from benchmark.results.result_files import Result
from benchmark.results.settings import flat_settings
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
    options += [(f"--{name}", value) for name, value in result.of_histories.items()]
    options += [("--limit", str(limit))] if (limit := result.first_look) else []
    every = ((task, values) for each in seeds for task, values in each.metrics.items())
    if further := dict.fromkeys(name for task, values in every for name in stored_names(task, values)):
        options.append(("--metrics", " ".join(further)))
    options += [("--set", f"{key}={value}") for key, value in settings(result).items()]
    return " \\\n  ".join(["benchmark run", *(f"{option} {shlex.quote(value)}" for option, value in options)])


def settings(result: Result) -> dict[str, str]:
    """Return LABEL.KEY -> value of what a result's preset does not say.

    All settings where the method is not installed here.
    """
    preset = preset_settings(result.method, result.preset, str(result.dataset["name"]))
    return {
        f"{result.label}.{key}": _word(value)
        for key, value in flat_settings(result.config).items()
        if value is not None and (key not in preset or preset[key] != value)
    }


def _word(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
