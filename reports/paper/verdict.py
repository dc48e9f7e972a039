"""May a value of ours be compared with the published one? Every reason why not, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from string import ascii_lowercase
from typing import Any

from benchmark.reports.paper.settings import other_settings
from benchmark.reports.paper.spec import PaperRow, Spec, data_set, read_toml
from benchmark.reports.tables.captions import query_set
from benchmark.reports.tables.labels import letter
from benchmark.reports.tables.layout import Column, Published
from benchmark.results.result_files import Result

TOLERANCE = 0.1  # relative difference up to which a value is `ok`


def published(value: float, ours: float | None, against: Sequence[str], unknown: Sequence[str] = ()) -> Published:
    """Return the published value with the verdict on ours.

    `against`: why ours cannot be compared; `unknown`: what the source leaves open although ours can.
    """
    if ours is None:
        return Published(value)
    verdict = "ok" if abs(ours - value) <= TOLERANCE * abs(value) else "off"
    return Published(value, "not comparable" if against else verdict, (*against, *unknown))


def marked(compared: Published, letters: dict[str, str]) -> Published:
    """Return it with the letters of its reasons, 'a,c', which a note explains; a new reason gets the next letter."""
    marks = {letters.setdefault(reason, letter(len(letters), ascii_lowercase)) for reason in compared.reasons}
    return replace(compared, marks=",".join(sorted(marks, key=lambda mark: (len(mark), mark))))


def reasons_against(spec: Spec, row: PaperRow, column: Column, reading: str, result: Result) -> list[str]:
    """Return why a result's value in this column is no measurement of the paper's: none if it is one."""
    reasons = []
    if result.preset != row.preset:
        reasons.append(f"preset {result.preset}, not {row.preset}")
    if row.reads_text:
        reasons += _other_text(row.text_fields or data_set(column.dataset).get("text_fields"), result)
    reasons += other_data(column, result)
    if (column.task == "recommendation" or result.withheld_file) and result.history_protocol:
        reasons.append(f"{result.history_protocol}, not leave-one-out in the order of the file")
    if column.task == "search" and result.queries != "judged":
        reasons.append(f"{query_set(str(result.queries))}, not the paper's")
    elif column.task == "search" and (other := data_set(str(result.dataset["name"])).get("judged_queries")):
        reasons.append(str(other))
    reasons += other_settings(row, column, result)
    if reading and row.reading != reading:
        reasons.append(f"the paper's row was read as {row.reading} does (inferred)")
    of_table = (spec.uncertain, spec.uncertain_columns.get(column.key, ""))
    return [*reasons, *_uncertain((*row.uncertain, *of_table), column)]


def unknown_settings(row: PaperRow, column: Column) -> list[str]:
    """Return what the row's source leaves unknown of its settings in this column."""
    return _uncertain(row.unknown, column)


def _uncertain(texts: Sequence[str | Mapping[str, str]], column: Column) -> list[str]:
    """Return what the texts say of a column's data set, each of them its words or the words for some data sets."""
    said = [text if isinstance(text, str) else text.get(column.dataset, "") for text in texts]
    return [f"uncertain: {text}" for text in said if text]


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


def other_data(column: Column, result: Result) -> list[str]:
    """Compare the counts that result files record with the published ones, and name a first look."""
    if limit := result.first_look:
        return [f"first look at {limit:,} users or queries"]
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
