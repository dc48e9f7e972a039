"""What a run is asked for, typed: the one place of the defaults that the command line and Python share."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmark.api.runs_folder import names_runs
from benchmark.data.dataset import Dataset, open_dataset
from benchmark.errors import UsageError
from benchmark.results.id_files import label_of
from benchmark.results.result_files import RUNS
from benchmark.running.cells import Plan, Protocol, Variant
from benchmark.running.plan import chosen_fields, make_plan, make_variants
from benchmark.running.store import Store


@dataclass(frozen=True)
class RunRequest:
    """One data set, the rows that are asked for and the protocol they share; None: as the data set has it.

    `methods` are names or LABEL=METHOD; `ids` label -> file of IDs of another toolkit; `settings` dotted key ->
    value, LABEL.KEY or generative.KEY.
    """

    dataset: str
    methods: Sequence[str] = ()
    ids: Mapping[str, str] = field(default_factory=dict)
    tasks: Sequence[str] | None = None
    preset: str | None = None
    seeds: Sequence[int] = (0,)
    settings: Mapping[str, Any] = field(default_factory=dict)
    text_fields: str | Sequence[str] = "default"
    queries: str | None = None
    runs: Path = RUNS
    data_root: Path | None = None
    device: str = "auto"
    check: bool = True

    @property
    def preset_name(self) -> str:
        """The preset: `tiny` for the embedded data set, else `small`."""
        return self.preset or ("tiny" if self.dataset.partition(":")[0] == "demo" else "small")

    @property
    def store(self) -> Store:
        """Where the stages of the folder of runs are kept."""
        return Store(self.runs / ".cache")

    def variants(self) -> list[Variant]:
        """Return the rows. Raises UsageError where there is none, or a name or setting is wrong."""
        names = [*self.methods, *(f"{label}=ids-file" for label in self.ids)]
        if not names:
            raise UsageError("run: name methods with --methods, or files of IDs with --ids")
        of_files = {f"{label}.path": str(file) for label, file in self.ids.items()}
        return make_variants(names, self.preset_name, {**self.settings, **of_files})

    def open(self) -> Dataset:
        """Open the data set. Raises UsageError where its cache, below the folder of runs, cannot be written."""
        with names_runs(self.runs):
            return open_dataset(self.dataset, cache=self.store.root, data_root=self.data_root, check=self.check)

    def plan(self) -> Plan:
        """Return the cells. Raises UsageError for what does not exist or cannot be."""
        variants = self.variants()
        dataset = self.open()
        protocol = Protocol(chosen_fields(self.text_fields), self.queries or dataset.default_queries, self.preset_name)
        return make_plan(
            dataset, variants, tasks=self.tasks, seeds=self.seeds, protocol=protocol, runs=self.runs
        )  # fmt: skip


def labelled_ids(files: Sequence[str | Path]) -> dict[str, str]:
    """Return label -> file of 'FILE' or 'LABEL=FILE'."""
    found: dict[str, str] = {}
    for text in map(str, files):
        label, equals, file = text.partition("=")
        if not equals or os.sep in label or os.path.exists(text):
            label, file = label_of(Path(text)), text
        if label in found:
            raise UsageError(f"--ids: two files have the label '{label}'; write --ids LABEL=FILE")
        found[label] = file
    return found
