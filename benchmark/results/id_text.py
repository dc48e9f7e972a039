"""The content of the files that `--ids` and `--ids-order` name; an error names the file and, where it can, the line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmark.errors import DataError, UsageError, line_error
from benchmark.json_text import parse_json


def id_bytes(path: Path, option: str) -> bytes:
    """Return the bytes of a file. Raises UsageError, which names the option, where it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{option} {path}: {error.strerror or error}") from None


def id_text(path: Path, option: str) -> str:
    """Return the text of a file. Raises DataError where it is not UTF-8."""
    raw = id_bytes(path, option)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise line_error(path, raw[: error.start].count(b"\n") + 1, f"not UTF-8 ({error.reason})") from None


def id_json(path: Path, option: str) -> Any:
    """Return the value of a JSON file. Raises DataError for broken JSON and for a key that stands twice."""
    text = id_text(path, option)
    try:
        return parse_json(text, repeated_keys=False)
    except json.JSONDecodeError as error:
        raise line_error(path, error.lineno, f"broken JSON: {error.msg} (column {error.colno})") from None
    except ValueError as error:
        raise DataError(f"{path}: broken JSON: {error}") from None
