"""RecBole's atomic files as tables: which columns a header declares, what separates them, and the rows.

    user_id:token TAB item_id:token TAB timestamp:float      NAME:TYPE; TYPE is token, float, token_seq or float_seq

RecBole's `field_separator` may be another one than a tab; a header that reads well with commas, semicolons or spaces
says so itself.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from benchmark.datasets.delimited import read_delimited
from benchmark.errors import DataError, line_error
from benchmark.fetching.lines import bounded_lines

TYPES = ("token", "float", "token_seq", "float_seq")
SEPARATORS = {"\t": "tabs", ",": "commas", ";": "semicolons", " ": "spaces"}


class AtomicFile:
    """One .inter or .item file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @cached_property
    def fields(self) -> dict[str, str]:
        """Field -> type. Raises DataError for a header that declares something else."""
        fields = {}
        for column in self._header[1]:
            name, _, kind = column.rpartition(":")
            if not _is_field(column):
                reason = f"'{column[:40]}' is not a field of an atomic file (NAME:{'|'.join(TYPES)})"
                raise line_error(self.path, 1, reason)
            fields[name] = kind
        return fields

    def rows(self) -> Iterator[tuple[str, dict[str, str]]]:
        """Yield (place, field -> value)."""
        separator = self._header[0]
        names = list(self.fields)
        for place, row in read_delimited(self.path, separator, quoted=separator != " "):
            yield place, dict(zip(names, row.values(), strict=True))

    def notes(self) -> list[str]:
        """Say what separates the columns where it is no tab."""
        separator = self._header[0]
        return [] if separator == "\t" else [f"{self.path.name}: columns are separated by {SEPARATORS[separator]}"]

    @cached_property
    def _header(self) -> tuple[str, list[str]]:
        lines = bounded_lines(self.path)
        line = next((line for _, line in lines), None)
        if line is None or next(lines, None) is None:
            raise DataError(f"{self.path}: holds a header at most")
        headers = {separator: next(csv.reader([line], delimiter=separator)) for separator in SEPARATORS}
        return next(
            ((separator, names) for separator, names in headers.items() if all(map(_is_field, names))),
            ("\t", headers["\t"]),
        )


def _is_field(column: str) -> bool:
    name, _, kind = column.rpartition(":")
    return bool(name) and ":" not in name and kind in TYPES
