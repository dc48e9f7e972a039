"""Foreign data sets: an importer turns the files of another benchmark or toolkit into a folder in the neutral layout.

A plugin adds a format with a class of its own and one line in its pyproject.toml:

    [project.entry-points."benchmark.importers"]
    mine = "my_package:MyImporter"

    class MyImporter(Importer):
        "My format: one JSON object per line."      # its first line stands in `benchmark import --help`

        title = "mine"                              # of the data set: "NAME (mine)"
        example = "mine items.jsonl data/mine --minimum 2"
        arguments = (
            Argument("source", "the items", type=Path),
            Argument("--minimum", "leave out shorter histories", type=int, default=1, metavar="N"),
        )

        def write(self, arguments, writer):
            writer.items(..)                        # then writer.histories, writer.queries, ..
            return f"my file {arguments.source.name}"

The command line is made from `arguments`; the folder to write comes behind the sources. `write` gets the values as
attributes, `arguments.category_separator` for `--category-separator`, and returns where the data came from, in words.
What it leaves out or repairs belongs in the notes: `writer.note_left_out`, `writer.note_counts`, `writer.notes`.
It raises DataError for a wrong file and UsageError for contradictory arguments; nothing half-written is left then.
"""

from __future__ import annotations

import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

from benchmark.data.dataset import Dataset, folder_name
from benchmark.data.writing import FolderWriter
from benchmark.errors import DataError, UsageError
from benchmark.files import whole
from benchmark.types.method import Progress, no_progress


@dataclass(frozen=True)
class Argument:
    """What `benchmark import FORMAT` is given: a source, or an option where the name begins with --."""

    name: str
    help: str
    type: Callable[[str], Any] = str  # reads the word; a ValueError says what is wrong with it
    default: Any = None  # of an option that was not given
    metavar: str | None = None  # what an option's value is called in the help
    repeatable: bool = False  # the option may be given several times, and its value is a list

    @property
    def key(self) -> str:
        """The attribute that holds the value."""
        return self.name.lstrip("-").replace("-", "_")


class Importer(ABC):
    """One foreign format. The first line of the docstring and `example` stand in `benchmark import --help`."""

    title: ClassVar[str]
    example: ClassVar[str]  # the words behind `benchmark import`
    arguments: ClassVar[tuple[Argument, ...]] = ()  # sources and options; the target folder comes behind them

    def __init__(self, progress: Progress = no_progress) -> None:
        self.progress = progress

    @abstractmethod
    def write(self, arguments: SimpleNamespace, writer: FolderWriter) -> str:
        """Write items and what else there is; return where they came from, in words."""


def bring_in(importer: Importer, arguments: SimpleNamespace, target: Path) -> FolderWriter:
    """Write the folder `target`, which appears only when it is whole and opens as a data set; return the counts.

    Raises UsageError when it is already there, DataError for a wrong file.
    """
    if target.exists():
        raise UsageError(f"import: {target} is already there; delete it or name another folder")
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
