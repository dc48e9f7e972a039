"""A data set that is built from files of other people: the base class of those builders.

A subclass names its data set, has a TOML file beside its module (see `sources`) and turns the raw files into items,
sequences and queries; `benchmark data get NAME` does the rest.
"""

from __future__ import annotations

import inspect
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from benchmark.config import MethodConfig
from benchmark.data.dataset import DatasetBuilder
from benchmark.errors import UsageError
from benchmark.fetching.sources import Declaration, RemoteFile, read_declaration

ConfigT = TypeVar("ConfigT", bound=MethodConfig)


@dataclass(frozen=True)
class Built:
    """What the neutral files do not tell: measured facts (for `data stats`) and notes with counts."""

    facts: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


class FetchedDataset(DatasetBuilder[ConfigT]):
    """A registered data set whose raw files are downloaded by the suite or manually."""

    @classmethod
    def declaration(cls) -> Declaration:
        """Return what the TOML file says: by default the one beside the module, under the data set's name."""
        return read_declaration(Path(inspect.getfile(cls)).with_suffix(".toml"), cls.name)

    def files(self) -> tuple[RemoteFile, ...]:
        """Return the files to fetch."""
        return self.declaration().files

    def room(self) -> int:
        """Return how many bytes of disk building takes beside the raw files, about; 0 where it is little."""
        return self.declaration().room

    def build(self, folder: Path) -> None:
        """Say how to get the data set: it is not made in passing, its files may be large and have a licence."""
        raise UsageError(
            f"the data set '{self.name}' is not under the data root; get it with: benchmark data get {self.name}"
        )

    @abstractmethod
    def build_from(self, raw: Mapping[str, Path], folder: Path) -> Built:
        """Write items.jsonl, sequences.txt and queries into an empty folder, from the raw files by name."""
