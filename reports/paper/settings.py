"""What a run has set otherwise than the source of a published row: its whole configuration against a preset.

The preset of a row (`paper`, or `published` where a method has one) states the source's settings, on each data set its
own; every key of it that decides the column's task is compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmark.reports.paper.spec import PaperRow
from benchmark.reports.tables.changes import decides
from benchmark.reports.tables.layout import Column
from benchmark.results.result_files import Result
from benchmark.results.settings import flat_settings

FEW = 8  # keys that differ and have a reason each; more have one reason together
DIFFER = "settings differ from it: "
SAME = {"generative.scorer": ("auto", "full")}  # behind a T5, and the paper's readers are T5s


def expected_settings(row: PaperRow, dataset: str) -> Mapping[str, Any]:
    """Return by dotted key what a row of the paper was made with on a data set."""
    from benchmark.generative.presets import preset_settings  # see flat_settings

    return {**preset_settings(row.method, row.preset, dataset), **row.settings}


def other_settings(row: PaperRow, column: Column, result: Result) -> list[str]:
    """Return in words what a result has set otherwise than the row's source, in what decides the column."""
    expected, own = expected_settings(row, column.dataset), flat_settings(result.config)
    keys = [key for key in dict.fromkeys((*expected, *own)) if decides(key, column.task, expected)]
    different = [key for key in keys if not _same(key, expected.get(key), own.get(key))]
    if len(different) > FEW and result.preset != row.preset:
        return [f"{len(different)} {DIFFER}{', '.join(different)}"]
    said = [f"{key} {_words(own.get(key))}, not {_words(expected.get(key))}" for key in different]
    return said if len(said) <= FEW else [f"{len(said)} settings differ: {'; '.join(said)}"]


def in_few_words(reason: str) -> str:
    """Return a reason with the first of its settings alone, where it names more than a reader wants to see."""
    count, differ, keys = reason.partition(DIFFER)
    names = keys.split(", ")
    return f"{count}{differ}{', '.join(names[:FEW])} and {len(names) - FEW} more" if differ else reason


def _same(key: str, expected: Any, value: Any) -> bool:
    return holds(expected, value) or (expected in SAME.get(key, ()) and value in SAME[key])


def setting(result: Result, key: str) -> Any:
    """Return a setting of a result by dotted key: of its method, or of its fine-tuning (`generative.`)."""
    return flat_settings(result.config).get(key)


def holds(expected: Any, value: Any) -> bool:
    """Is a setting what is expected? '> 0' is any positive number; a model's name may have a path before it."""
    if expected == "> 0":
        return isinstance(value, int | float) and value > 0
    if isinstance(expected, str) and isinstance(value, str):
        return _name(value) == _name(expected)
    return bool(value == expected)


def _name(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2]


def _words(value: Any) -> str:
    match value:
        case None:
            return "unset"
        case str():
            return _name(value)
        case float():
            return f"{value:g}"
        case _:
            return str(value)
