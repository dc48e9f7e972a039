"""The folder of results and caches, where it cannot be used: the error names the flag."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmark.errors import RunsFolderError


@contextmanager
def names_runs(runs: Path) -> Iterator[None]:
    """Turn what the system says of a file at or below the folder into a RunsFolderError that names `--runs`."""
    try:
        yield
    except OSError as error:
        place = Path(str(error.filename)).absolute()
        if error.filename is None or runs.absolute() not in (place, *place.parents):
            raise
        raise _unusable(runs, error) from error


def require_writable(runs: Path) -> None:
    """Make the folder. Raises RunsFolderError where it cannot be made or nothing can be written into it."""
    try:
        runs.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=runs).close()
    except OSError as error:
        raise _unusable(runs, error) from error


def _unusable(runs: Path, error: OSError) -> RunsFolderError:
    where = f" ({error.filename})" if error.filename and Path(str(error.filename)) != runs else ""
    return RunsFolderError(f"--runs {runs}: cannot be written: {error.strerror or error}{where}; give another folder")
