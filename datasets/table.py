"""A table of items as CSV, TSV or Parquet, with a column mapping; where there are any, tables of events and searches.

    items       id, and text fields (title, description, brand, price, ... under any name), categories
    events      user, item and, where there is one, time (a number or an ISO date)
    queries     id, text
    judgments   query, item, grade (without a grade every line says 1)

Columns that have these names need no mapping. Of the items every column is kept under its own name, unless --column
names some: then only those. Categories are a list (Parquet) or text such as 'Home > Kitchen > Mugs'.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

from benchmark.data.importing import Argument, Importer
from benchmark.data.interactions import Interactions
from benchmark.data.writing import FolderWriter, one_word
from benchmark.datasets.delimited import Row, read_table, time_of
from benchmark.datasets.mapping import KINDS, column_argument, parse_mapping
from benchmark.errors import DataError, UsageError, did_you_mean

OPTIONAL = ("time", "grade")


class Table(Importer):
    """A table of items (CSV, TSV, Parquet), and where there are any, of events, queries and judgments."""

    title: ClassVar[str] = "table"
    example: ClassVar[str] = "table items.csv data/shop --column id=sku --column title=name --events orders.parquet"
    arguments = (
        Argument("items", "items: .csv, .tsv or .parquet (text may be .gz)", type=Path),
        Argument("--events", "table of user, item, time", type=Path),
        Argument("--queries", "table of id, text", type=Path),
        Argument("--judgments", "table of query, item, grade", type=Path),
        column_argument("title=name; for other tables events.user=customer, queries.text=q, ..."),
        Argument("--separator", "of text tables (default: comma for .csv, else a tab)", default=""),
        Argument("--category-separator", "between the categories of a path (default >)", default=">"),
    )

    def write(self, arguments: SimpleNamespace, writer: FolderWriter) -> str:
        """Write items and what other tables were given."""
        mapping = parse_mapping(arguments.column)
        for kind in KINDS:
            if kind in mapping and getattr(arguments, kind) is None:
                raise UsageError(f"--column: names columns of {kind}, but there is no --{kind}")
        if (arguments.queries is None) != (arguments.judgments is None):
            raise UsageError("import table: --queries and --judgments go together")
        separator = arguments.separator.replace("\\t", "\t")
        if len(separator) > 1:
            raise UsageError("--separator: one character")
        self._separator = separator
        columns = mapping.get("items", {})
        writer.items(_items(self._rows(arguments.items, "items"), arguments, columns))
        if arguments.events:
            writer.interactions(self._events(arguments.events, mapping.get("events", {}), writer))
        if arguments.queries:
            rows = self._chosen(arguments.queries, "queries", mapping)
            known = writer.queries("test", ((place, row["id"], row["text"]) for place, row in rows))
            rows = self._chosen(arguments.judgments, "judgments", mapping)
            judged = ((place, row["query"], row["item"], row.get("grade", 1)) for place, row in rows)
            writer.judgments("test", judged, known)
        return f"table {arguments.items.name}"

    def _rows(self, path: Path, title: str) -> Iterator[tuple[str, Row]]:
        yield from self.progress(read_table(path, separator=self._separator), title)

    def _chosen(self, path: Path, kind: str, mapping: dict[str, dict[str, str]]) -> Iterator[tuple[str, Row]]:
        """Yield (place, row) with our words as keys; optional ones only where the table has them."""
        columns = mapping.get(kind, {})
        for place, row in self._rows(path, kind):
            chosen: Row = {}
            for word in KINDS[kind]:
                name = columns.get(word, word)
                if name in row:
                    chosen[word] = row[name]
                elif word not in OPTIONAL or word in columns:
                    raise _no_column(path, name, f"{kind}.{word}", row)
            yield place, chosen

    def _events(self, path: Path, columns: dict[str, str], writer: FolderWriter) -> Interactions:
        events, unknown, timed = Interactions(), 0, False
        for place, row in self._chosen(path, "events", {"events": columns}):
            user = one_word(row["user"], "a user id", place)
            item = one_word(row["item"], "an item id", place)
            timed = "time" in row
            if item not in writer.ids:
                unknown += 1
                continue
            events.add(user, item, time_of(row["time"], place) if timed else 0.0)
        if not len(events):
            found = f"; {unknown:,} name an unknown item" if unknown else ""
            raise DataError(f"{path}: holds not one event of a known item{found}")
        writer.note_counts({f"events of {path.name} name an unknown item; left out": unknown})
        if not timed:
            writer.notes.append(f"{path.name} has no time: the order of its lines is trusted")
        return events


def _items(
    rows: Iterator[tuple[str, Row]], arguments: SimpleNamespace, columns: dict[str, str]
) -> Iterator[tuple[str, Row]]:
    name_of = {}
    for number, (place, row) in enumerate(rows):
        if not number:
            name_of = _names(arguments.items, row, columns)
        item = {ours: row[name] for ours, name in name_of.items()}
        if isinstance(path := item.get("categories"), str):
            item["categories"] = [part.strip() for part in path.split(arguments.category_separator) if part.strip()]
        yield place, item


def _names(path: Path, row: Row, columns: dict[str, str]) -> dict[str, str]:
    """Return our name -> the column's."""
    chosen = {"id": "id", **columns} if columns else {name: name for name in row}
    if "category" in chosen and "categories" not in chosen:
        chosen["categories"] = chosen.pop("category")
    for ours, name in {"id": "id", **chosen}.items():
        if name not in row:
            raise _no_column(path, name, ours, row)
    return chosen


def _no_column(path: Path, name: str, ours: str, row: Row) -> DataError:
    (first, *others) = row
    other = next((sign for sign in ";\t|," if sign in first), None) if not others else None
    separated = f" Its one column looks like several: --separator '{other}'?" if other else ""
    return DataError(
        f"{path}: has no column '{name}' (name it with --column {ours}=COLUMN).{did_you_mean(name, row)}{separated}"
    )
