"""Foreign data sets: an importer turns the files of another benchmark or toolkit into a folder in the neutral layout.

A plugin adds a format with a class of its own and one line:

    [project.entry-points."benchmark.importers"]
    mine = "my_package:MyImporter"
"""

from __future__ import annotations

import argparse
import tempfile
from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from benchmark.data.dataset import Dataset, folder_name
from benchmark.data.writing import FolderWriter
from benchmark.errors import DataError, UsageError
from benchmark.files import whole
from benchmark.types.method import Progress, no_progress


class Importer(ABC):
    """One foreign format. The first line of the docstring and `example` stand in `benchmark import --help`."""

    title: ClassVar[str]
    example: ClassVar[str]  # the words behind `benchmark import`

    def __init__(self, progress: Progress = no_progress) -> None:
        self.progress = progress

    @staticmethod
    @abstractmethod
    def add_arguments(parser: argparse.ArgumentParser) -> None:
        """Add the sources and the options of this format; the target folder comes behind them."""

    @abstractmethod
    def write(self, arguments: argparse.Namespace, writer: FolderWriter) -> str:
        """Write items and what else there is; return where they came from, in words."""


def bring_in(importer: Importer, arguments: argparse.Namespace, target: Path) -> FolderWriter:
    """Write the folder `target`, which appears only when it is whole and opens as a data set; return the counts.

    Raises UsageError when it is already there, DataError for a wrong file.
    """
    if target.exists():
        raise UsageError(f"import: {target} is already there")
    with whole(target) as folder:
        folder.mkdir()
        writer = FolderWriter(folder)
        source = importer.write(arguments, writer)
        name = folder_name(target.resolve().name)
        writer.seal(name, f"{name} ({importer.title})", source)
        with tempfile.TemporaryDirectory(dir=folder.parent) as cache:
            Dataset(folder, cache=Path(cache))
    return writer


def existing(path: Path) -> Path:
    """Return the path. Raises DataError when there is no such file."""
    if path.is_dir():
        raise DataError(f"{path}: this is a folder, a file is asked for")
    if not path.is_file():
        raise DataError(f"{path}: there is no such file")
    return path
