"""Rows of other people's tables as dictionaries, each with its place: CSV, TSV (both may be gzipped) and Parquet.

CSV follows RFC 4180: quoted fields may hold separators and line breaks. Tables separated by tabs quote nothing by their
own standard (IANA), and pandas writes them with quotes: a line whose quotes open and close whole fields is read without
them, and in any other line a quote is part of the text. No field holds a line break there.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmark.errors import DataError, UsageError, at_line, line_error
from benchmark.fetching.lines import LONGEST, bounded_lines

Row = dict[str, Any]
SIGNS = ";\t|,"  # that separate columns somewhere
SEPARATORS = {".csv": ",", ".tsv": "\t", ".txt": "\t"}  # by the file's ending


def read_table(path: Path, *, separator: str = "") -> Iterator[tuple[str, Row]]:
    """Yield (place, row) of a .parquet file, or of a text table with a header; its separator goes by the name.

    Raises DataError where there is no such file, and UsageError for one of another kind when no separator is given.
    """
    if not path.is_file():
        raise DataError(f"{path}: is a folder; name a file" if path.is_dir() else f"{path}: there is no such file")
    ending = Path(path.name.removesuffix(".gz")).suffix.lower()
    if ending == ".parquet":
        return _read_parquet(path)
    if not separator and ending not in SEPARATORS:
        raise UsageError(f"{path}: no .csv, .tsv or .parquet; of another text table say --separator")
    return read_delimited(path, separator or SEPARATORS[ending], chosen=True)


def read_delimited(
    path: Path, separator: str, *, quoted: bool = True, header: tuple[str, ...] | None = None, chosen: bool = False
) -> Iterator[tuple[str, Row]]:
    """Yield (place, row) with text values; `header` names the columns of a file that does not.

    `chosen` says that the user could have named another separator.

    Raises DataError with the line for a row with more or fewer columns than the header.
    """
    number = 0

    def text() -> Iterator[str]:
        nonlocal number
        for number, line in bounded_lines(path):  # noqa: B007 (read after each row)
            yield line + "\n"

    before = csv.field_size_limit(LONGEST)
    try:
        style: dict[str, Any] = {"strict": True} if quoted else {"quoting": csv.QUOTE_NONE}
        by_line = quoted and separator == "\t"
        reader = map(_tab_fields, text()) if by_line else csv.reader(text(), delimiter=separator, **style)
        names = list(header or next(reader, ()))
        _check_header(path, names)
        for values in reader:
            if len(values) != len(names):
                said = f"expected {len(names)} columns as in the header, got {len(values)}"
                hint = other_separator(names) if chosen else ""
                raise line_error(path, number, f"{said}.{hint}" if hint else said)
            yield at_line(path, number), dict(zip(names, values, strict=True))
    except csv.Error as error:
        raise line_error(path, number, f"not a table separated by {separator!r}: {error}") from None
    finally:
        csv.field_size_limit(before)


def _tab_fields(line: str) -> list[str]:
    """Return the fields of one line: without the quotes where they quote whole fields, else as they stand."""
    line = line.rstrip("\r\n")
    if '"' in line:
        try:
            return next(csv.reader([line], delimiter="\t", strict=True))
        except csv.Error:
            pass
    return line.split("\t")


def other_separator(names: Sequence[str]) -> str:
    """Return a hint where the names of a table's columns look as if another sign separated them, else ''."""
    signs = [sign for sign in SIGNS if len(names) == 1 and sign in names[0]]
    return f" Its one column looks like several: --separator '{signs[0]}'?" if signs else ""


def _check_header(path: Path, names: list[str]) -> None:
    if not names:
        raise DataError(f"{path}: empty: not even a header")
    for position, name in enumerate(names):
        if not name.strip():
            raise line_error(path, 1, f"column {position + 1} has no name")
        if name in names[:position]:
            raise line_error(path, 1, f"two columns are called '{name}'")


def _read_parquet(path: Path) -> Iterator[tuple[str, Row]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    number = 0
    try:
        with pq.ParquetFile(path) as file:
            _check_header(path, file.schema_arrow.names)
            for batch in file.iter_batches(4096):
                for row in batch.to_pylist():
                    number += 1
                    yield f"{path}: row {number}", {name: _decoded(value) for name, value in row.items()}
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        reason = str(error).partition("\n")[0]
        raise DataError(f"{path}: row {number + 1}: not readable as Parquet: {reason}") from None


def _decoded(value: Any) -> Any:
    """Return text for the bytes that some writers store in place of text."""
    return value.decode("utf-8") if isinstance(value, bytes) else value
