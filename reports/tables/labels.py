"""Row labels: a method's label, with the configuration keys that tell rows of one label apart."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from benchmark.reports.tables.layout import Row
from benchmark.results.result_files import Result

SCRATCH_NOTE = (
    "(scratch): the row's own language model starts from random weights, not from a pretrained model: it shows that "
    "the method runs, not how well it does."
)
MAX_VALUE = 24  # characters of a configuration value in a label
MAX_KEYS = 3


def row_labels(results: Sequence[Result]) -> list[str]:
    """Return one distinct label per result (one result per row): 'rqvae', or 'rqvae [levels=4]' where it must."""
    labels = [result.label for result in results]
    for label in {label for label in labels if labels.count(label) > 1}:
        rows = [row for row, result in enumerate(results) if result.label == label]
        suffixes = _suffixes([results[row] for row in rows])
        for row, suffix in zip(rows, suffixes, strict=True):
            labels[row] = f"{label} [{suffix}]"
    return labels


def scratch_notes(rows: Sequence[Row]) -> list[str]:
    """Say what '(scratch)' means, where a row is marked so."""
    return [SCRATCH_NOTE] if any(row.from_scratch for row in rows) else []


def _suffixes(results: Sequence[Result]) -> list[str]:
    from benchmark.config import flatten

    if len({result.method for result in results}) == len(results):
        return [result.method for result in results]
    presets = list(dict.fromkeys(result.preset for result in results))
    if len(presets) > 1:
        found: dict[int, str] = {}
        for preset in presets:
            rows = [row for row, result in enumerate(results) if result.preset == preset]
            inner = _suffixes([results[row] for row in rows]) if len(rows) > 1 else [""]
            found |= {row: f"preset={preset}{f', {own}' if own else ''}" for row, own in zip(rows, inner, strict=True)}
        return [found[row] for row in range(len(results))]
    settings = [  # the method is sorted before its settings
        flatten({"0.method": result.method, **result.config, "queries": result.queries}) for result in results
    ]
    configs = [{key: short_value(value) for key, value in own.items()} for own in settings]
    keys = sorted({key for config in configs for key in config})
    differing = [key for key in keys if len({config.get(key, MISSING_KEY) for config in configs}) > 1][:MAX_KEYS]
    short = [key.rpartition(".")[2] for key in differing]
    names = [key if short.count(name) > 1 else name for key, name in zip(differing, short, strict=True)]
    suffixes = [
        ", ".join(f"{name}={config.get(key, MISSING_KEY)}" for key, name in zip(differing, names, strict=True))
        for config in configs
    ]
    return [
        suffix if suffix and suffixes.count(suffix) == 1 else ", ".join(filter(None, (suffix, f"key={result.key[:8]}")))
        for suffix, result in zip(suffixes, results, strict=True)
    ]


MISSING_KEY = "unset"


def short_value(value: Any) -> str:
    """Return a setting's value as text, a long one cut."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # 8.0 epochs are 8
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= MAX_VALUE else f"{text[:MAX_VALUE]}…"


def letter(number: int, alphabet: str) -> str:
    """Return a, b, .. z, aa, ab, .. for 0, 1, .."""
    high, low = divmod(number, len(alphabet))
    return (alphabet[high - 1] if high else "") + alphabet[low]


def without_histories(result: Result) -> Result:
    """Return a result without how its histories were split and read: the rest decides which row it is."""
    own = result.config.get("protocol") or {}
    kept = {name: value for name, value in own.items() if name not in ("split", "ties", "cut", "withheld")}
    return replace(result, config={**result.config, "protocol": kept})


def row_identity(result: Result) -> str:
    """Return what two results must share to stand in one row of a table of several protocols or tasks."""
    config = {name: value for name, value in without_histories(result).config.items() if name != "protocol"}
    return json.dumps([result.label, result.method, config], sort_keys=True, default=str)
