"""What a run is made of: rows of the tables (variants of methods), the protocol they share, cells, and their plan.

Nothing here imports torch or computes a result, so that a finished run is recognised in a fraction of a second.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmark.code_version import model_folders
from benchmark.config import MethodConfig
from benchmark.data.dataset import Dataset
from benchmark.data.self_retrieval import EXCLUDED
from benchmark.generative.config import GenerativeConfig
from benchmark.types.method import Indexer, Method, Recommender, Retriever

TASKS = ("id-quality", "recommendation", "search")
KINDS: dict[type[Method[Any]], tuple[str, tuple[str, ...]]] = {
    Indexer: ("indexer", TASKS),
    Retriever: ("retriever", ("search",)),
    Recommender: ("recommender", ("recommendation",)),
}


@dataclass(frozen=True)
class Variant:
    """One row of the tables: a method with its configuration."""

    label: str
    method: str
    cls: type[Method[Any]]
    kind: str
    tasks: tuple[str, ...]
    config: MethodConfig
    generative: GenerativeConfig | None  # indexers only
    code: str  # hash of the method's code
    chosen: frozenset[str] = frozenset()  # keys of the method's configuration that `--set` gave, not the preset
    notes: tuple[str, ...] = ()  # what the tables must say of the configuration
    trials: int | None = None  # settings that were tried to choose the preset's; None: unknown, or others were set

    def describe(self) -> dict[str, Any]:
        """Everything about the row that decides its results."""
        return {
            "method": self.method,
            "config": self.config.model_dump(mode="json"),
            "generative": self.generative.model_dump(mode="json") if self.generative else None,
            "models": [model_folders(self.config), model_folders(self.generative)],
            "code": self.code,
        }


@dataclass(frozen=True)
class Protocol:
    """What is the same for all rows of a table."""

    text_fields: tuple[str, ...]
    query_set: str
    preset: str
    self_retrieval: str = EXCLUDED  # what becomes of an item that is the query itself
    depth: int = 20  # ranked items per user or query: the paper's 20 beams, and 20 for every other method


@dataclass(frozen=True)
class Cell:
    """One method variant on one task with one seed."""

    variant: Variant
    task: str
    seed: int
    key: str
    folder: Path

    @property
    def title(self) -> str:
        return f"{self.variant.label}, {self.task}, seed {self.seed}"

    def done(self) -> bool:
        """True if the result file holds this task's metrics."""
        try:
            return self.task in json.loads((self.folder / "result.json").read_text("utf-8"))["metrics"]
        except (OSError, ValueError, KeyError, TypeError):  # not there, or damaged: it is computed again
            return False


@dataclass(frozen=True)
class Plan:
    """All cells of a run, with what was left out and why."""

    dataset: Dataset
    protocol: Protocol
    cells: tuple[Cell, ...]
    skipped: tuple[str, ...]
