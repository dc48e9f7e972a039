"""A table of items as CSV, TSV or Parquet, with a column mapping; where there are any, tables of events and searches.

    items       id, and text fields (title, description, brand, price, ... under any name), categories
    events      user, item and, where there is one, time (a number or an ISO date)
    queries     id, text
    judgments   query, item, grade (without a grade every line says 1)

Columns that have these names need no mapping. Where --column names none of a table, columns with usual names (sku,
name, customer, timestamp) and contents are taken for them (`guessing`), and a note says which; of two that are equally
good none is. Of the items every column is kept under its own name, unless --column names some: then those and the ones
with a known name (`mapping.ITEM_FIELDS`). What is left out is named in the notes.
Categories are a list (Parquet) or text such as 'Home > Kitchen > Mugs'. Of texts with HTML the tags are left out and
the entities read; a note counts the items.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

from benchmark.data.importing import Argument, Importer
from benchmark.data.interactions import Interactions
from benchmark.data.markup import plain_text
from benchmark.data.problems import Problems
from benchmark.data.writing import FolderWriter, examples, one_word
from benchmark.datasets.categories import CategorySeparator, find_separator, separator_argument
from benchmark.datasets.delimited import Row, other_separator, read_table
from benchmark.datasets.guessing import Guess, guess_items, guess_other
from benchmark.datasets.mapping import ITEM_FIELDS, KINDS, column_argument, parse_mapping
from benchmark.datasets.times import TimeColumn
from benchmark.errors import DataError, UsageError, did_you_mean

OPTIONAL = ("time", "grade")


class Table(Importer):
    """A table of items (CSV, TSV, Parquet), and where there are any, of events, queries and judgments."""

    title: ClassVar[str] = "table"
    example: ClassVar[str] = "table items.csv data/shop --events orders.parquet --column title=name --column id=sku"
    arguments = (
        Argument("items", "items: .csv, .tsv or .parquet (text may be .gz)", type=Path),
        Argument("--events", "table of user, item, time", type=Path),
        Argument("--queries", "table of id, text", type=Path),
        Argument("--judgments", "table of query, item, grade", type=Path),
        column_argument(
            "title=name; for other tables events.user=customer, queries.text=q, ... Of a table of which none is named "
            "they are guessed by name and content, and printed"
        ),
        Argument("--separator", "of text tables (default: comma for .csv, else a tab)", default=""),
        separator_argument(""),
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
        guessed = "items" not in mapping
        if guessed:
            mapping["items"] = self._taken(guess_items(arguments.items, separator), writer)
        writer.items(self._items(arguments.items, mapping["items"], guessed, arguments.category_separator, writer))
        for kind in KINDS:
            if (path := getattr(arguments, kind)) is not None and kind not in mapping:
                mapping[kind] = self._taken(guess_other(path, kind, separator, writer.ids), writer)
        self._note_left_out({kind: getattr(arguments, kind) for kind in KINDS}, mapping, writer)
        if arguments.events:
            writer.interactions(self._events(arguments.events, mapping.get("events", {}), writer))
        if arguments.queries:
            rows = self._chosen(arguments.queries, "queries", mapping)
            known = writer.queries("test", ((place, row["id"], row["text"]) for place, row in rows))
            rows = self._chosen(arguments.judgments, "judgments", mapping)
            judged = ((place, row["query"], row["item"], row.get("grade", 1)) for place, row in rows)
            writer.judgments("test", judged, known)
        return f"table {arguments.items.name}"

    def _taken(self, guess: Guess, writer: FolderWriter) -> dict[str, str]:
        """Return the mapping that was guessed, and note it."""
        writer.notes += filter(None, [guess.note])
        return guess.taken

    def _items(
        self, path: Path, columns: dict[str, str], keeps_all: bool, given: str, writer: FolderWriter
    ) -> Iterator[tuple[str, Row]]:
        """Yield items with our names as keys; category texts take a pass of their own to see what separates them."""
        first = next((row for _, row in read_table(path, separator=self._separator)), {})
        if not first:
            return
        name_of = _names(path, first, columns, keeps_all)
        writer.note_left_out(path.name, [name for name in first if name not in name_of.values()])
        separator = CategorySeparator(given)
        if (name := name_of.get("categories")) is not None:
            texts = (row[name] for _, row in self._rows(path, "categories") if isinstance(row[name], str))
            separator = find_separator(texts, given)
            writer.notes += separator.notes
        with_html: Counter[str] = Counter()
        for place, row in self._rows(path, "items"):
            item = {ours: row[name] for ours, name in name_of.items()}
            if isinstance(text := item.get("categories"), str):
                item["categories"] = separator.path(text)
            yield place, _without_html(item, with_html)
        writer.note_counts(
            {
                f"items had HTML in their {name}; its tags were left out, its entities read": number
                for name, number in with_html.items()
            }
        )

    def _note_left_out(
        self, tables: dict[str, Path | None], mapping: dict[str, dict[str, str]], writer: FolderWriter
    ) -> None:
        """Name the columns that are not read of the other tables than the items', one of which may be two things."""
        used: dict[Path, set[str]] = {}
        for kind, path in tables.items():
            if path is not None:
                names = {mapping.get(kind, {}).get(word, word) for word in KINDS[kind]}
                used[path] = used.get(path, set()) | names
        for path, names in used.items():
            row = next((row for _, row in read_table(path, separator=self._separator)), {})
            writer.note_left_out(path.name, [name for name in row if name not in names])

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
        events, times, timed = Interactions(), TimeColumn(), False
        unknown: Counter[str] = Counter()
        with Problems() as problems:
            for place, row in self._chosen(path, "events", {"events": columns}):
                timed = "time" in row
                try:
                    user = one_word(row["user"], "a user id", place)
                    item = one_word(row["item"], "an item id", place)
                    if item not in writer.ids:
                        unknown[item] += 1
                        continue
                    events.add(user, item, *(times.read(row["time"], place) if timed else (None,)))
                except DataError as error:
                    problems.add(error)
        if not len(events):
            found = f"; {unknown.total():,} name an unknown item{examples(unknown, writer.ids)}" if unknown else ""
            raise DataError(f"{path}: holds not one event of a known item{found}")
        said = f"events of {path.name} name an unknown item; left out{examples(unknown, writer.ids)}"
        writer.note_counts({said: unknown.total()})
        writer.notes += times.notes(columns.get("time", "time"))
        if not timed:
            writer.notes.append(f"{path.name} has no time: the order of its lines is trusted")
        return events


def _without_html(item: Row, with_html: Counter[str]) -> Row:
    """Return an item with plain texts; count the fields that had HTML. Categories were read before."""
    plain = {name: value if name in ("id", "categories") else _plain(value) for name, value in item.items()}
    with_html.update(name for name, value in item.items() if plain[name] is not value and plain[name] != value)
    return plain


def _plain(value: Any) -> Any:
    match value:
        case str():
            return plain_text(value)
        case list():
            return [_plain(part) for part in value]
        case _:
            return value


def _names(path: Path, row: Row, columns: dict[str, str], keeps_all: bool) -> dict[str, str]:
    """Return our name -> the column's; a column that --column gave another name is not kept under its own as well."""
    mapped = set(columns.values())
    known = {name: name for name in row if name not in mapped and (name in ITEM_FIELDS or keeps_all)}
    chosen = {"id": "id", **known, **columns}
    if "category" in chosen:  # its other name
        category = chosen.pop("category")
        chosen.setdefault("categories", category)
    for ours, name in chosen.items():
        if name not in row:
            raise _no_column(path, name, ours, row)
    return chosen


def _no_column(path: Path, name: str, ours: str, row: Row) -> DataError:
    hint = f"{did_you_mean(name, row)}{other_separator(list(row))}"
    return DataError(f"{path}: has no column '{name}' (name it with --column {ours}=COLUMN).{hint}")
