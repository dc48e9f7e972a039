"""Facets of tables: the data set and each part of the protocol, which a page filters its tables by."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benchmark.reports.tables.captions import query_set
from benchmark.reports.tables.layout import FilledTable
from benchmark.results.result_files import Result

LABELS = {
    "task": "Task", "set": "Data set", "preset": "Preset", "fields": "Text fields", "split": "Split", "ties": "Ties",
    "queries": "Queries", "scored": "Scored",
}  # fmt: skip
TASKS = {"id-quality": "ID quality", "recommendation": "recommendation", "search": "search"}

Facets = dict[str, list[str]]


def facets(filled: FilledTable) -> Facets:
    """Return facet -> its values in a table, in words; none where a facet does not concern the table."""
    results = [result for row in filled.rows for result in row.results]
    found = {"task": _distinct([TASKS.get(filled.table.task, filled.table.task)]), "set": data_sets(filled)}
    for name in list(LABELS)[len(found) :]:
        found[name] = _distinct(_value(name, filled.table.task, result) for result in results)
    return found


def data_sets(filled: FilledTable) -> list[str]:
    """Return the names of the data sets that a table is about."""
    of_columns = [column.dataset for column in filled.columns]
    return _distinct([*of_columns, *(str(result.dataset["name"]) for row in filled.rows for result in row.results)])


def choices(tables: Sequence[FilledTable]) -> list[tuple[str, str, list[str]]]:
    """Return (name, label, values) of each facet in which the tables differ."""
    return [(name, LABELS[name], values) for name, values in _all(tables).items() if len(values) > 1]


def shared(tables: Sequence[FilledTable]) -> list[tuple[str, str]]:
    """Return (label, value) of each part of the protocol that all tables share."""
    found = {name: values for name, values in _all(tables).items() if name not in ("task", "set")}
    return [(LABELS[name].lower(), values[0]) for name, values in found.items() if len(values) == 1]


def _all(tables: Sequence[FilledTable]) -> Facets:
    each = [facets(filled) for filled in tables]
    return {name: sorted(_distinct(value for one in each for value in one[name])) for name in LABELS}


def _value(name: str, task: str, result: Result) -> str:
    match name:
        case "preset":
            return result.preset
        case "fields":
            return ", ".join(result.text_fields) or "none"
        case "split":
            return result.of_histories.get("split", "leave-one-out")
        case "ties":
            return result.of_histories.get("ties", "order of the file")
        case "scored":
            return f"a first look at {limit:,}" if (limit := result.first_look) else "all users and queries"
        case _:
            return _queries(result) if task == "search" else ""


def _queries(result: Result) -> str:
    kept = " (self-retrieval kept)" if result.self_retrieval == "kept" else ""
    return f"{query_set(result.queries)}{kept}" if result.queries else ""


def _distinct(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(filter(None, values)))
