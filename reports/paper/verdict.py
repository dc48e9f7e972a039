"""May a value of ours be compared with the published one? Every reason why not, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmark.reports.paper.spec import PaperRow, Spec, data_set, read_toml
from benchmark.reports.tables.captions import query_set
from benchmark.reports.tables.layout import Column, Published
from benchmark.results.result_files import Result

TOLERANCE = 0.1  # relative difference up to which a value is `ok`
OF_TASK = {  # settings that decide one task alone, by how their keys begin
    "generative.pairs": "recommendation",
    "generative.recommendation.": "recommendation",
    "generative.search.": "search",
}


def published(value: float, ours: float | None, reasons: list[str]) -> Published:
    """Return the published value with the verdict on ours."""
    if ours is None:
        return Published(value)
    if reasons:
        return Published(value, "not comparable", tuple(reasons))
    return Published(value, "ok" if abs(ours - value) <= TOLERANCE * abs(value) else "off")


def reasons_against(spec: Spec, row: PaperRow, column: Column, reading: str, result: Result) -> list[str]:
    """Return why a result's value in this column is no measurement of the paper's: none if it is one."""
    reasons = []
    if result.preset != row.preset:
        reasons.append(f"preset {result.preset}, not {row.preset}")
    if row.reads_text:
        reasons += _other_text(row.text_fields or data_set(column.dataset).get("text_fields"), result)
    reasons += _other_data(column, result)
    if column.task == "search" and result.queries != "judged":
        reasons.append(f"{query_set(str(result.queries))}, not the paper's")
    for key, expected in row.expect.items():
        if not _decides(key, column.task):
            continue
        value = expected.get(column.dataset) if isinstance(expected, Mapping) else expected
        if value is not None and not holds(value, setting(result, key)):
            reasons.append(f"{key} {_words(setting(result, key))}, not {_words(value)}")
    if reading and row.reading != reading:
        reasons.append(f"the paper's row was read as {row.reading} does (inferred)")
    uncertain = (row.uncertain, spec.uncertain, spec.uncertain_columns.get(column.key, ""))
    return [*reasons, *filter(None, uncertain)]


def _decides(key: str, task: str) -> bool:
    """Does a setting have a part in a task's results?"""
    if key.startswith("generative.") and task == "id-quality":
        return False
    return next((owner for start, owner in OF_TASK.items() if key.startswith(start)), task) == task


def _other_text(expected: Sequence[str] | None, result: Result) -> list[str]:
    """Compare the fields that were read with those of the source."""
    if expected is None:
        return []
    read = set(result.text_fields) - set(result.absent_fields)
    missing = [name for name in expected if name not in read]
    more = [name for name in result.text_fields if name not in expected]
    return [
        *([f"text without {', '.join(missing)}"] if missing else []),
        *([f"text with {', '.join(more)} besides"] if more else []),
    ]


def _other_data(column: Column, result: Result) -> list[str]:
    """Compare the counts that result files record with the published ones."""
    known = data_set(column.dataset)
    names = [source.get("count") for source in read_toml("data-sets")["columns"]]
    published_counts = dict(zip(names, known["published"], strict=True))
    found: Mapping[str, Any] = result.dataset.get("counts") or {}
    different = []
    for count in known["counts"].get(column.task, ()):
        if found.get(count) != published_counts[count]:
            ours = f"{found[count]:,}" if count in found else "not recorded"
            different.append(f"{count} {ours}, not {published_counts[count]:,}")
    return [f"other data: {'; '.join(different)}"] if different else []


def setting(result: Result, key: str) -> Any:
    """Return a setting of a result by dotted key: of its method, or of its fine-tuning (`generative.`)."""
    node: Any = result.config if key.startswith("generative.") else result.config.get("method")
    for part in key.split("."):
        node = node.get(part) if isinstance(node, Mapping) else None
    return node


def holds(expected: Any, value: Any) -> bool:
    """Is a setting what is expected, or one of a list? '> 0': any positive number; a model's name may have a path."""
    if isinstance(expected, list):
        return any(holds(one, value) for one in expected)
    if expected == "> 0":
        return isinstance(value, int | float) and value > 0
    if isinstance(expected, str) and isinstance(value, str):
        return value.rstrip("/").rpartition("/")[2] == expected
    return bool(value == expected)


def _words(value: Any) -> str:
    if isinstance(value, list):
        return " or ".join(map(_words, value))
    return "unset" if value is None else str(value)
