"""Free disk space: checked before anything large starts, and one clear error where it runs out all the same."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmark.errors import BenchmarkError, DiskFullError
from benchmark.files import full_disk_names


def require_room(folder: Path, needs: Mapping[str, int]) -> None:
    """Raise BenchmarkError unless the disk of a folder has space for all needs (what for -> bytes).

    The folder need not be there yet.
    """
    there = next(path for path in (folder, *folder.resolve().parents) if path.is_dir())
    needed, free = sum(needs.values()), shutil.disk_usage(there).free
    if needed > free:
        parts = ", ".join(f"{megabytes(size)} {what}" for what, size in needs.items() if size)
        raise BenchmarkError(
            f"not enough free disk space for {folder}: {megabytes(needed)} are needed ({parts}), {megabytes(free)} are "
            "free; free some space or name a folder on another disk with --data-root"
        )


def megabytes(size: int) -> str:
    """Return a number of bytes as a person reads it: '1,057.7 MB'."""
    return f"{size / 1e6:,.1f} MB"


@contextmanager
def room_for(path: Path) -> Iterator[None]:
    """Turn 'no space left' into an error that says where, and what to do."""
    try:
        with full_disk_names(path):
            yield
    except DiskFullError as error:
        raise DiskFullError(
            f"{error}; free some space or name another --data-root "
            "(what has been downloaded is kept, the same command resumes)"
        ) from error
