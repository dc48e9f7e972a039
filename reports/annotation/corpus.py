"""What judges may see: the titles of a data set's items; and the codes that decide what they see together."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from benchmark.errors import DataError, UsageError, line_error
from benchmark.results.result_files import read_id_lines


def titles(path: Path) -> dict[str, str]:
    """Read an items file: item -> title, in row order.

    Raises UsageError where there is none, DataError for a line that is no item.
    """
    if not path.is_file():
        raise UsageError(
            f"{path}: not there, so that nothing could be shown to judges; results of this version have it: run "
            "'benchmark run' into a new folder"
        )
    found: dict[str, str] = {}
    for number, line in enumerate(path.read_text("utf-8").rstrip("\n").split("\n"), 1):
        try:
            entry = json.loads(line)
            found[entry["id"]] = entry["title"].strip()
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise line_error(path, number, f"not an item with id and title ({error!r})") from None
    return found


def read_codes(path: Path, items: Mapping[str, str]) -> Mapping[str, tuple[int, ...]]:
    """Read an ids.tsv: item -> codes. Raises DataError where an item has none."""
    ids = read_id_lines(path)
    lacking = next((item for item in items if item not in ids), None)
    if lacking is not None:
        raise DataError(f"{path}: the item '{lacking}' has no ID there")
    return ids
