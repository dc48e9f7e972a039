"""IDs as records, one an item: JSON lines, and Parquet in a data-set folder. Codes come without the dedup counter.

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

PARQUET = "ids.parquet"
IN_FOLDERS = (PARQUET, "ids.tsv")  # where a folder has its IDs: one that was pushed, a finished cell
Record = tuple[str, str, Any]  # item, its place in the file, codes


def ids_in(path: Path) -> Path:
    """Return the file of IDs in a folder (a pushed one, or a finished cell); any other path as it is."""
    if not path.is_dir():
        return path
    return next((path / name for name in IN_FOLDERS if (path / name).is_file()), path / PARQUET)


def json_lines(items: Iterable[str], codes: Iterable[Sequence[int]], counters: Iterable[int]) -> Iterator[str]:
    """Yield one line of JSON for each item; codes of -1 are left out."""
    for item, own, counter in zip(items, codes, counters, strict=True):
        record = {"id": item, "codes": [code for code in own if code >= 0], "counter": counter}
        yield json.dumps(record, ensure_ascii=False) + "\n"


def read_json_lines(path: Path, option: str) -> Iterator[Record]:
    """Yield the records of a .jsonl file. Raises DataError that names the line."""
    for number, line in enumerate(id_text(path, option).split("\n"), 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            item, codes = record["id"], record["codes"]
        except (ValueError, TypeError, KeyError):
            raise line_error(path, number, f'expected {{"id": .., "codes": [..]}}, got {line[:60]!r}') from None
        yield str(item), at_line(path, number), codes


def read_parquet(path: Path, option: str) -> Iterator[Record]:
    """Yield the records of a Parquet file. Raises DataError where it has no columns id and codes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(io.BytesIO(id_bytes(path, option)), columns=["id", "codes"])
    except pa.ArrowException as error:
        raise DataError(f"{path}: not a Parquet file with columns id and codes ({error})") from None
    for row, (item, codes) in enumerate(
        zip(*(table.column(name).to_pylist() for name in ("id", "codes")), strict=True)
    ):
        yield str(item), f"{path}: row {row}", codes
