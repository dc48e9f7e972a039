"""Raw files, plain or gzipped, that strangers made, as lines or as JSON: bounded in what they unpack to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmark.data.layout import UNREADABLE, open_bytes, unreadable_error
from benchmark.errors import DataError, line_error
from benchmark.fetching.archives import archive_bomb_error, size_limit
from benchmark.json_text import parse_json

LONGEST = 4 << 20  # bytes of a line, far above any review or item record


def bounded_lines(path: Path, encoding: str = "utf-8", *, longest: int = LONGEST) -> Iterator[tuple[int, str]]:
    """Yield (line number, text) of the lines that are not blank; a byte order mark and CRLF are taken off.

    Raises DataError with the line for one that is too long, in another encoding or with a NUL byte, and for a
    gz file that is broken or unpacks to far more than its size.
    """
    number, budget = 0, size_limit(path)
    try:
        with open_bytes(path) as file:
            while raw := file.readline(longest + 1):
                number += 1
                if len(raw) > longest:
                    raise line_error(path, number, f"the line is longer than {longest:,} bytes")
                budget -= len(raw)
                if budget < 0 and path.suffix == ".gz":
                    raise archive_bomb_error(path)
                if number == 1:
                    raw = raw.removeprefix(b"\xef\xbb\xbf")
                if b"\0" in raw:
                    raise line_error(path, number, "holds a NUL byte: the file is damaged or not text")
                text = raw.decode(encoding).rstrip("\r\n")
                if text and not text.isspace():
                    yield number, text
    except UnicodeDecodeError as error:
        raise line_error(path, number, f"not {encoding} (byte {error.start + 1} of the line: {error.reason})") from None
    except UNREADABLE as error:
        raise unreadable_error(path, number + 1, error) from None


def json_object(path: Path, number: int, line: str) -> dict[str, Any]:
    """Return the JSON object of one line. Raises DataError with the line when it is none."""
    try:
        record = parse_json(line)
    except ValueError as error:
        raise line_error(path, number, f"broken JSON: {error}") from None
    if not isinstance(record, dict):
        raise line_error(path, number, f"expected a JSON object, not {type(record).__name__}")
    return record


def json_file(path: Path) -> dict[str, Any]:
    """Return the JSON object that a file holds, on however many lines.

    Raises DataError, with the line where there is one, for anything else and for a key that stands twice.
    """
    limit = size_limit(path)
    try:
        with open_bytes(path) as file:
            raw = file.read(limit + 1)
        if len(raw) > limit:
            raise archive_bomb_error(path)
        content = parse_json(raw.decode("utf-8-sig"), repeated_keys=False)
    except UnicodeDecodeError as error:
        number = raw.count(b"\n", 0, error.start) + 1
        raise line_error(path, number, f"not utf-8 ({error.reason})") from None
    except json.JSONDecodeError as error:
        raise line_error(path, error.lineno, f"broken JSON: {error.msg} (column {error.colno})") from None
    except ValueError as error:
        raise DataError(f"{path}: broken JSON: {error}") from None
    except UNREADABLE as error:
        raise unreadable_error(path, 1, error) from None
    if not isinstance(content, dict):
        raise line_error(path, 1, f"expected a JSON object, not {type(content).__name__}")
    return content
