"""The files beside a result that figures read: where its IDs lie, and the training log."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmark.errors import line_error
from benchmark.reports.listing import lines_of
from benchmark.results.result_files import Result


def ids_file(result: Result) -> Path:
    """Where an indexer's IDs lie."""
    return result.folder / "ids.tsv"


def read_log(result: Result) -> list[dict[str, Any]]:
    """Return the records of a training log, none where there is no log. Raises DataError naming file and line."""
    path = result.folder / "log.jsonl"
    records = []
    for number, line in enumerate(lines_of(path) if path.is_file() else (), 1):
        try:
            record = json.loads(line)
            records.append({"stage": str(record["stage"]), "step": int(record["step"]), **record})
        except (ValueError, KeyError, TypeError) as error:
            raise line_error(path, number, f"no log record with stage and step ({error!r})") from None
    return records
