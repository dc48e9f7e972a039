"""Items for `benchmark ids`: a data set, an items file, or a table that `benchmark import table` can read."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from benchmark.data.dataset import open_dataset
from benchmark.data.importing import bring_in
from benchmark.data.items import read_items
from benchmark.errors import DataError, UsageError
from benchmark.registry import load
from benchmark.types.data import Corpus
from benchmark.types.item_text import DEFAULT_TEXT_FIELDS

LINES = (".jsonl", ".jsonl.gz")
TABLES = (".csv", ".tsv", ".parquet", ".csv.gz", ".tsv.gz")


def read_corpus(
    source: str, fields: Sequence[str] = DEFAULT_TEXT_FIELDS, *, column: Sequence[str] = (),
    category_separator: str = "",
) -> Corpus:  # fmt: skip
    """Return the items of an items.jsonl, a table (CSV, TSV, Parquet) or a data set, by name or folder.

    `column` and `category_separator` are the options of `benchmark import table`. Raises DataError for a wrong file,
    UsageError for a data set that does not exist.
    """
    path = Path(source)
    with tempfile.TemporaryDirectory() as room:
        if path.name.endswith(TABLES):
            importer = load("importer", "table")()
            given: dict[str, Any] = {argument.key: argument.default for argument in importer.arguments}
            given |= {"items": path, "column": list(column), "category_separator": category_separator}
            bring_in(importer, SimpleNamespace(**given), Path(room) / "new")
            path = Path(room) / "new" / "items.jsonl"
        elif column or category_separator:
            raise UsageError(f"--column and --category-separator go with a table ({', '.join(TABLES)}), not {source}")
        if path.name.endswith(LINES):
            try:
                table, _ = read_items(path, spill=Path(room))
            except DataError as error:
                if path == Path(source):
                    raise
                raise DataError(str(error).replace(f"{path}:", f"{source}, row ")) from None  # a line of the copy
            return Corpus(table, tuple(fields))
        return open_dataset(source, cache=Path(room)).corpus(tuple(fields))


def with_columns(corpus: Corpus, columns: Sequence[str]) -> Corpus:
    """Return the items with these columns and no others, empty ones where they have none.

    An item's text depends on what other columns there are: those of the items that were learned from decide.
    """
    import pyarrow as pa

    table = corpus.table
    for name in columns:
        if name not in table.column_names:
            kind = pa.list_(pa.string()) if name == "categories" else pa.string()
            table = table.append_column(name, pa.nulls(len(table), kind))
    return Corpus(table.select(list(columns)), corpus.fields, corpus.fingerprint)
