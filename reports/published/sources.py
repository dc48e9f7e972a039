"""The published tables that are quoted, read from the TOML files of this folder."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from benchmark.errors import BenchmarkError
from benchmark.reports.paper.spec import number

HERE = Path(__file__).parent


@dataclass(frozen=True)
class QuotedRow:
    """One method of a published table."""

    name: str
    values: Mapping[str, Sequence[float | str]]  # data set -> values, in the order of the source's metrics
    method: str = ""  # ours of the same method
    preset: str = "published"
    text_fields: tuple[str, ...] = ()  # that its source read, as far as known; (): they are not compared
    differs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Source:
    """One published table."""

    name: str
    document: str
    table: str
    read: str
    checked: bool
    task: str
    evaluation: str
    metrics: tuple[str, ...]
    rows: tuple[QuotedRow, ...] = field(repr=False)
    differs: tuple[str, ...] = ()

    def values(self, row: QuotedRow, dataset: str) -> dict[str, float]:
        """Return metric -> published value of a row on a data set, without those that are not printed."""
        printed = map(number, row.values.get(dataset, ()))
        return {metric: value for metric, value in zip(self.metrics, printed, strict=False) if value is not None}


@cache
def sources() -> tuple[Source, ...]:
    """Return every quoted table. Raises BenchmarkError where a file is not one."""
    return tuple(map(read_source, sorted(HERE.glob("*.toml"))))


def read_source(path: Path) -> Source:
    """Return the table that a file quotes. Raises BenchmarkError, with its name, where it is not one."""
    try:
        data = tomllib.loads(path.read_text("utf-8"))
        rows = tuple(QuotedRow(**_with_tuples(row)) for row in data.pop("rows"))
        source = Source(**_with_tuples(data), rows=rows)
    except (tomllib.TOMLDecodeError, TypeError, KeyError) as error:
        raise BenchmarkError(f"{path}: not a published table ({error})") from None
    for row in source.rows:
        for dataset, values in row.values.items():
            if len(values) != len(source.metrics):
                raise BenchmarkError(
                    f"{path}: '{row.name}' on {dataset} has {len(values)} values for {len(source.metrics)} metrics"
                )
    return source


def _with_tuples(data: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in data.items()}
