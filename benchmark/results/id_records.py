"""IDs as records, one an item: JSON lines, and Parquet in a data-set folder.

Codes come without the dedup counter, unless it is asked for: then it is the last code.

X.jsonl               {"id": "B001", "codes": [12, 7, 201], "counter": 0}      `benchmark ids assign`
FOLDER/ids.parquet    columns id, codes, counter                               `benchmark ids push`
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmark.errors import DataError, at_line, line_error
from benchmark.results.id_text import id_bytes, id_text
from benchmark.results.row_folder import result_folder

PARQUET = "ids.parquet"
UNIQUE = "ids.unique.tsv"  # of a finished cell: its last code is the dedup counter
RECORDS = (".jsonl", ".parquet")  # endings of files of records
IN_FOLDERS = (PARQUET, "ids.tsv")  # where a folder has its IDs: one that was pushed, a finished cell
Record = tuple[str, str, Any]  # item, its place in the file, codes


def ids_in(path: Path) -> Path:
    """Return the file of IDs in a folder (a pushed one, a finished cell or its row); any other path as it is."""
    if not path.is_dir():
        return path
    path = result_folder(path)
    return next((path / name for name in IN_FOLDERS if (path / name).is_file()), path / PARQUET)


def has_counters(path: Path, option: str = "--ids") -> bool:
    """Say whether a file of records has the dedup counter: a Parquet file as a column, JSON lines in the first one."""
    if path.suffix == ".parquet":
        return _has_column(path, option)
    if path.suffix != ".jsonl":
        return False
    first = next((line for line in id_text(path, option).split("\n") if line.strip()), "")
    try:
        return "counter" in json.loads(first)
    except (ValueError, TypeError):  # whoever reads the file names the line
        return False


def _has_column(path: Path, option: str) -> bool:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return "counter" in pq.read_schema(io.BytesIO(id_bytes(path, option))).names
    except pa.ArrowException:
        return False


def json_lines(items: Iterable[str], codes: Iterable[Sequence[int]], counters: Iterable[int]) -> Iterator[str]:
    """Yield one line of JSON for each item; codes of -1 are left out."""
    for item, own, counter in zip(items, codes, counters, strict=True):
        record = {"id": item, "codes": [code for code in own if code >= 0], "counter": counter}
        yield json.dumps(record, ensure_ascii=False) + "\n"


def read_json_lines(path: Path, option: str, *, counter: bool = False) -> Iterator[Record]:
    """Yield the records of a .jsonl file. Raises DataError that names the line."""
    form = '{"id": .., "codes": [..], "counter": ..}' if counter else '{"id": .., "codes": [..]}'
    for number, line in enumerate(id_text(path, option).split("\n"), 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            item, codes = record["id"], record["codes"]
            codes = [*codes, record["counter"]] if counter else codes
        except (ValueError, TypeError, KeyError):
            raise line_error(path, number, f"expected {form}, got {line[:60]!r}") from None
        yield str(item), at_line(path, number), codes


def read_parquet(path: Path, option: str, *, counter: bool = False) -> Iterator[Record]:
    """Yield the records of a Parquet file. Raises DataError where it lacks a column."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = ["id", "codes", *(["counter"] if counter else [])]
    try:
        table = pq.read_table(io.BytesIO(id_bytes(path, option)), columns=names)
        columns = [table.column(name).to_pylist() for name in names]
    except (pa.ArrowException, KeyError) as error:
        raise DataError(f"{path}: not a Parquet file with columns {', '.join(names)} ({error})") from None
    for row, (item, codes, *last) in enumerate(zip(*columns, strict=True)):
        yield str(item), f"{path}: row {row}", [*codes, *last] if codes else codes
