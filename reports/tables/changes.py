"""What `--set` changed in a preset, as the result files say it: for captions and notes.

A preset's name over a table is true of rows at that preset alone; what a row changed in it stands beside the name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmark.reports.tables.labels import short_value
from benchmark.results.result_files import Result
from benchmark.results.settings import flat_settings

SHOWN = 4  # changes in a caption; a note has all where there are more
GENERATIVE = "generative."
READERS = {  # sections and keys of the generative part that only some readers have a use for
    "ids": ("ids",), "items": ("items",), "sentence": ("sentence",), "decoder": ("items", "sentence"),
    "backbone": ("text",), "scratch": ("text",), "max_source": ("text", "ids"),
}  # fmt: skip
NO_NUMBERS = {  # they decide time, memory and what is measured besides, not the results
    "accumulation", "beam_batch", "cache_bytes", "checkpoint_seconds", "search_error_queries", "study_items",
}  # fmt: skip
OF_TASK = {"recommendation": "recommendation", "pairs": "recommendation", "search": "search"}


def decides(key: str, task: str, settings: Mapping[str, Any]) -> bool:
    """Does a setting have a part in a task's results (''; in any), given all settings of its row by dotted key?"""
    if not task:
        return True
    if key.rpartition(".")[2] in NO_NUMBERS:
        return False
    if not key.startswith(GENERATIVE):
        return True
    if task == "id-quality":
        return False
    part = key.split(".")[1]
    reader = settings.get(f"{GENERATIVE}{task}.reader")
    return OF_TASK.get(part, task) == task and (reader is None or reader in READERS.get(part, (reader,)))


def changed_settings(result: Result, tasks: Sequence[str]) -> dict[str, Any]:
    """Return by dotted key what a result changed in its preset, of what decides one of these tasks."""
    settings = flat_settings(result.config) if result.changed else {}
    return {key: v for key, v in result.changed.items() if any(decides(key, task, settings) for task in tasks)}


def words_on_changes(groups: Sequence[Sequence[Result]], tasks: Sequence[str]) -> tuple[str, list[str]]:
    """Return what a caption says behind the preset's name, and the notes with all of it where that is too long.

    ', changed: rqvae.levels=2, generative.search.epochs=8'; a change that all generative rows share has no label.
    """
    every = _entries(groups, tasks)
    if not every:
        return "", []
    caption = f", changed: {', '.join(every[:SHOWN])}"
    if len(every) <= SHOWN:
        return caption, []
    return f"{caption}, .. ({len(every)} in all)", [f"Changed in the preset: {', '.join(every)}."]


def _entries(groups: Sequence[Sequence[Result]], tasks: Sequence[str]) -> list[str]:
    firsts = [seeds[0] for seeds in groups]
    generative = [changed_settings(result, tasks) for result in firsts if result.config.get("generative")]
    shared = {
        key: value for key, value in (generative[0] if generative else {}).items()
        if key.startswith(GENERATIVE) and all(key in other and other[key] == value for other in generative)
    }  # fmt: skip
    presets: dict[str, set[str]] = {}
    for result in firsts:
        presets.setdefault(result.label, set()).add(result.preset)
    own = [
        f"{result.label}{f' [preset={result.preset}]' if len(presets[result.label]) > 1 else ''}."
        f"{key}={short_value(value)}"
        for result in firsts
        for key, value in changed_settings(result, tasks).items()
        if key not in shared
    ]
    return list(dict.fromkeys([*own, *(f"{key}={short_value(value)}" for key, value in shared.items())]))
