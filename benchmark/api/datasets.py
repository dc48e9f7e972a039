"""Opening a data set from Python."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from benchmark.data import dataset
from benchmark.results.result_files import RUNS


def open_dataset(
    name: str | PathLike[str],
    *,
    runs: str | PathLike[str] = RUNS,
    data_root: str | PathLike[str] | None = None,
    check: bool = True,
) -> dataset.Dataset:
    """Open a data set by name, by folder, or by name with options ('planted:items=5000').

    What is parsed or generated is kept below `runs`, where `run` finds it again. Raises UsageError, a ValueError, when
    there is no such data set, DataError when one of its files is wrong.
    """
    root = None if data_root is None else Path(data_root)
    return dataset.open_dataset(str(name), cache=Path(runs) / ".cache", data_root=root, check=check)
