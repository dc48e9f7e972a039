"""A table of the paper as data, read from `<name>.toml` beside this module (`methods.toml`, `data-sets.toml` with it).

columns = ["beauty/id-quality/AMI", ..]          data set / task / metric
readings = ["published", "trec_eval"]            one filled table per reading of nDCG and AP
[[rows]] method, title, label                    the method that `reproduce` runs under this label
         settings = {"reconstructor.layers" = 2} what it changes in the method's preset
         match = settings                        which runs fill the row ("> 0" for any positive number)
         unknown = "..."                         what the source leaves open although values can be compared; also
                                                 {data set = "..."}
         published = [0.2654, ..]                in the order of the columns; "-" where the paper has none
         uncertain = "..."                       why no value of the row can be compared, whatever the run; also
                                                 {data set = "..."}
ablation = true                                  rows are one method with and without a part: no other method stands
                                                 beside them, and other data sets need two of them
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from benchmark.metrics.lookup import find_metric
from benchmark.reports.tables.columns import column
from benchmark.reports.tables.layout import Column
from benchmark.results.result_files import Result

HERE = Path(__file__).parent
PAPER = "Jin et al., Language Models as Semantic Indexers, ICML 2024"
GROUP = "paper"
READING = " (published)"  # the suffix of metrics in LMIndexer's reading
READINGS = {
    "published": "nDCG and AP as LMIndexer's code reads them", "trec_eval": "nDCG and AP as trec_eval reads them",
    "": "",
}  # fmt: skip


@dataclass(frozen=True)
class PaperRow:
    """One row of the paper: which runs fill it, what they must have to be compared, and the published values."""

    title: str
    method: str
    label: str
    published: tuple[float | None, ...]  # per column
    settings: Mapping[str, Any] = field(default_factory=dict)
    match: Mapping[str, Any] = field(default_factory=dict)
    preset: str = "paper"  # it states the source's settings
    reads_text: bool = True
    text_fields: tuple[str, ...] = ()  # that the row's source read; (): the paper's of the data set
    reading: str = "trec_eval"
    uncertain: tuple[str | Mapping[str, str], ...] = ()
    unknown: tuple[str | Mapping[str, str], ...] = ()


@dataclass(frozen=True)
class Spec:
    """A table of the paper."""

    source: str
    columns: tuple[Column, ...]
    rows: tuple[PaperRow, ...]
    readings: tuple[str, ...] = ("",)
    footnotes: tuple[str, ...] = ()
    uncertain: str = ""
    uncertain_columns: Mapping[str, str] = field(default_factory=dict)
    others: str = ""  # other data sets that get a table of their own: 'products', 'documents' or, for '', all
    ablation: bool = False

    def columns_of(self, reading: str) -> tuple[Column, ...]:
        """Return the columns with the metrics of one reading."""
        if reading != "published":
            return self.columns
        return tuple(map(_published, self.columns))

    @property
    def data_sets(self) -> tuple[str, ...]:
        """The paper's data sets in the order of the columns."""
        return tuple(dict.fromkeys(column.dataset for column in self.columns))


@cache
def read_toml(name: str) -> dict[str, Any]:
    """Return the content of a file of this folder."""
    return tomllib.loads((HERE / f"{name}.toml").read_text("utf-8"))


def read_spec(name: str) -> Spec:
    """Return the declaration of one table of results."""
    data = read_toml(name)
    columns = tuple(_column(text, data.get("digits")) for text in data["columns"])
    return Spec(
        data["source"], columns, paper_rows(data), tuple(data.get("readings", ("",))), tuple(data.get("footnotes", ())),
        data.get("uncertain", ""), data.get("uncertain_columns", {}), data.get("others", ""),
        data.get("ablation", False),
    )  # fmt: skip


def _column(text: str, digits: int | None) -> Column:
    """Return the column of 'data set/task/metric'; `digits` are the paper's where they are not the metric's."""
    dataset, task, metric = text.split("/")
    own = {} if digits is None else {"digits": digits}
    title = f"{data_set(dataset)['title']} {metric}"
    return column(task, metric, key=text, header=title, task=task, dataset=dataset, metric=metric, **own)


def _published(of: Column) -> Column:
    """Return the column of the same metric in LMIndexer's reading, whether the suite computes such a reading or not."""
    name = f"{of.measure}{READING}"
    own = column(of.task, name).description if find_metric(name, of.task) else ""
    return replace(of, key=f"{of.key}{READING}", metric=name, description=own)


def paper_rows(data: Mapping[str, Any]) -> tuple[PaperRow, ...]:
    """Return the rows of a table's file, completed by what `methods.toml` says of their methods."""
    return tuple(_row(row, read_toml("methods")[row["method"]]) for row in data["rows"])


def _row(row: Mapping[str, Any], method: Mapping[str, Any]) -> PaperRow:
    uncertain, unknown = (tuple(of[key] for of in (method, row) if key in of) for key in ("uncertain", "unknown"))
    return PaperRow(
        row.get("title", method["title"]), row["method"], row.get("label", row["method"]),
        tuple(map(number, row["published"])), row.get("settings", {}), row.get("match", row.get("settings", {})),
        method.get("preset", "paper"), method.get("reads_text", True), tuple(method.get("text_fields", ())),
        method.get("reading", "trec_eval"), uncertain, unknown,
    )  # fmt: skip


def number(value: Any) -> float | None:
    """Return a published value; None for '-'."""
    return None if value == "-" else float(value)


def data_set(name: str) -> Mapping[str, Any]:
    """Return what `data-sets.toml` says of a data set; {} for one that is not of the paper."""
    found = read_toml("data-sets").get(name, {})
    return found if isinstance(found, dict) else {}


def name_in_paper(result: Result) -> str:
    """Return the paper's name for a result's data set, also where options made another version of it; else its own."""
    own = str(result.dataset["name"])
    sets = {name: known for name, known in read_toml("data-sets").items() if isinstance(known, dict)}
    return next((name for name, known in sets.items() if own in known.get("versions", ())), own)
