"""What a run is made of: rows of the tables (variants of methods), the protocol they share, cells, and their plan.

Nothing here imports torch or computes a result, so that a finished run is recognised in a fraction of a second.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from benchmark.code_version import model_folders
from benchmark.config import MethodConfig
from benchmark.data.about import TASKS
from benchmark.data.dataset import Dataset
from benchmark.data.protocols import LEAVE_ONE_OUT, withholds_items
from benchmark.data.self_retrieval import EXCLUDED
from benchmark.data.ties import FILE
from benchmark.files import file_digest
from benchmark.generative.config import GenerativeConfig
from benchmark.results.curves import LOG, read_curves
from benchmark.results.digests import FILES, read_unchanged
from benchmark.results.result_files import FORMAT, read_own_cost
from benchmark.sealing import note_damage
from benchmark.types.method import Indexer, Method, Precomputed, Recommender, Retriever

KINDS: dict[type[Method[Any]], tuple[str, tuple[str, ...]]] = {
    Indexer: ("indexer", TASKS),
    Retriever: ("retriever", ("search",)),
    Recommender: ("recommender", ("recommendation",)),
    Precomputed: ("run", ("recommendation", "search")),
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

    def with_note(self, note: str) -> Variant:
        """Return the row with one more thing to say of it."""
        return replace(self, notes=(*self.notes, note))

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
    split: str = LEAVE_ONE_OUT  # or "time:0.9", "time:2014-01-31", "cold-start:0.1"
    ties: str = FILE  # or "shuffled": the order of a user's events at one time stamp
    depth: int = 20  # ranked items per user or query: the paper's 20 beams, and 20 for every other method
    limit: int | None = None  # test users, and test queries, of a first look; None: all

    @property
    def histories_alone(self) -> bool:
        """Whether split or ties differ from the papers' in a way that concerns recommendation alone."""
        return self.ties != FILE or (self.split != LEAVE_ONE_OUT and not withholds_items(self.split))

    @property
    def of_histories(self) -> dict[str, str]:
        """How histories are split and read, where it is not the papers' way."""
        chosen = {"split": self.split, "ties": self.ties}
        return {name: value for name, value in chosen.items() if value not in (LEAVE_ONE_OUT, FILE)}


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

    def result(self) -> dict[str, Any] | None:
        """Return the content of its result file as it was written; None where there is none. Names a damaged one."""
        path = self.folder / "result.json"
        found = read_unchanged(path)
        own = {"format": FORMAT, "label": self.variant.label, "key": self.key, "seed": self.seed}
        if found is not None and isinstance(found.get(FILES), dict) and own.items() <= found.items():
            return found
        if path.exists():
            note_damage(path, "it was changed" if found is None else "it is not the result of this cell")
        return None

    def done(self) -> bool:
        """True if the task's metrics and all files that they came with are there, as they were written.

        Of the training curves, which the tasks share, those of the tasks that are done count.
        """
        found = self.result()
        if found is None or self.task not in found["metrics"]:
            return False
        others = tuple(f".{task}." for task in TASKS if task != self.task)
        own = {name: digest for name, digest in found[FILES].items() if not any(other in name for other in others)}
        damaged = [name for name, digest in own.items() if _digest(self.folder / name) != digest]
        if LOG in damaged and read_curves(self.folder / LOG, found) is not None:
            damaged.remove(LOG)  # another task has added its curves, and not yet its result
        if self.task not in read_own_cost(self.folder / "cost.json").get("written", {}):
            damaged.append("cost.json")
        for name in damaged:
            note_damage(self.folder.joinpath(name).resolve(), "it was changed or removed")
        return not damaged


def _digest(path: Path) -> str:
    """Return the digest of a file, '' where there is none; cells share files, and each is read once."""
    try:
        path = path.resolve()
        state = path.stat()
        return _digest_of_state(path, state.st_size, state.st_mtime_ns)
    except OSError:
        return ""


@cache
def _digest_of_state(path: Path, size: int, changed: int) -> str:
    return file_digest(path)


@dataclass(frozen=True)
class Plan:
    """All cells of a run, with what was left out and why."""

    dataset: Dataset
    protocol: Protocol
    cells: tuple[Cell, ...]
    skipped: tuple[str, ...]
    code: str  # hash of the suite's code, without the methods
    metrics: tuple[str, ...] = ()  # what rankings are scored with besides, by ir-measures' names; part of the keys
