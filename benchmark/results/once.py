"""Files that several tables and figures of one report read: each is parsed once, as long as it stays as it is."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

KEPT = 4  # parsed files: IDs of a million items take 300 MB

T = TypeVar("T")


def read_once(read: Callable[[Path], T], path: Path) -> T:
    """Return `read(path)`, or the same object again where the file has not changed; it must not be changed either."""
    try:
        state = path.stat()
    except OSError:  # `read` says what is wrong
        return read(path)
    found: T = _read(read, path, (state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns))
    return found


@lru_cache(maxsize=KEPT)
def _read(read: Callable[[Path], Any], path: Path, state: tuple[int, ...]) -> Any:
    return read(path)
