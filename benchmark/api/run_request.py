"""What a run is asked for, typed: the one place of the defaults that the command line and Python share."""

from __future__ import annotations

import operator
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any

from benchmark.api.runs_folder import names_runs
from benchmark.data.dataset import Dataset, open_dataset
from benchmark.data.protocols import LEAVE_ONE_OUT, parse_split
from benchmark.data.self_retrieval import EXCLUDED
from benchmark.data.ties import FILE, parse_ties
from benchmark.errors import UsageError, quoted
from benchmark.fetching.hub import HUB, local_ids
from benchmark.learning.devices import check_device_name
from benchmark.learning.tracking import check_tracker
from benchmark.metrics.named import asked_names
from benchmark.results.id_files import label_of
from benchmark.results.id_order import FIRST_SEEN, first_seen
from benchmark.results.result_files import RUNS
from benchmark.running.cells import Plan, Protocol, Variant
from benchmark.running.crew import parse_workers
from benchmark.running.executors.cluster import Executor, parse_executor
from benchmark.running.first_look import limited_data
from benchmark.running.plan import TEXT_FIELD_PRESETS, check_variants, chosen_fields, make_plan, make_variants
from benchmark.running.store import Store
from benchmark.seeds import SEEDS
from benchmark.tuning.proposal import Proposal, is_proposal, read_proposal


@dataclass(frozen=True)
class RunRequest:
    """One data set, the rows that are asked for and the protocol they share; None: as the data set has it.

    `methods` are names or LABEL=METHOD; `ids` label -> file of IDs of another toolkit; `ids_order` what the row numbers
    in these files count ("items", "first-seen" or a file); `run_files` label -> rankings of another system; `preset` a
    name or a file that `tune` wrote; `settings` dotted key -> value, LABEL.KEY or generative.KEY; `self_retrieval` says
    whether a query that is itself an item may find itself ("excluded" or "kept"), `split` and `ties` how histories are
    split and read (`benchmark.data.protocols`); `metrics` are further ones for rankings (`benchmark.metrics.named`).
    """

    dataset: str
    methods: Sequence[str] = ()
    ids: Mapping[str, str] = field(default_factory=dict)
    ids_order: str = ""
    run_files: Mapping[str, str] = field(default_factory=dict)
    tasks: Sequence[str] | None = None
    preset: str | None = None
    seeds: Sequence[int] = (0,)
    settings: Mapping[str, Any] = field(default_factory=dict)
    text_fields: str | Sequence[str] = "default"
    queries: str | None = None
    self_retrieval: str = EXCLUDED
    split: str = LEAVE_ONE_OUT
    ties: str = FILE
    metrics: str | Sequence[str] = ()
    runs: Path = RUNS
    data_root: Path | None = None
    device: str = "auto"
    check: bool = True
    any_version: bool = False  # a result of another version of the code counts as done
    workers: int | None = None  # cells side by side; None: what fits
    executor: Executor = field(default_factory=Executor)
    cache: Path | None = None  # of stages and parsed data; None: `.cache` in the folder of runs
    limit: int | None = None  # test users, and test queries, that are ranked and scored; None: all
    tracker: str = ""  # what shows training curves while they are made; "": nothing

    @property
    def preset_name(self) -> str:
        """The preset, of a file the one that its settings go over: `tiny` for the embedded data set, else `small`."""
        if self.proposal is not None:
            return self.proposal.preset
        return self.preset or ("tiny" if self.dataset.partition(":")[0] == "demo" else "small")

    @cached_property
    def proposal(self) -> Proposal | None:
        """What the preset's file proposes, where `preset` is the path of one. Raises UsageError for a wrong file."""
        return read_proposal(Path(self.preset)) if self.preset and is_proposal(self.preset) else None

    @property
    def store(self) -> Store:
        """Where stages and parsed data are kept."""
        return Store(self.cache or self.runs / ".cache")

    def variants(self, dataset: Dataset | None = None) -> list[Variant]:
        """Return the rows. Raises UsageError where there is none, or a name or setting is wrong.

        `dataset` is needed where presets differ by data set, and where the row numbers of ID files count its items as
        they are first seen.
        """
        names = [
            *self.methods, *(f"{label}=ids-file" for label in self.ids),
            *(f"{label}=run-file" for label in self.run_files),
        ]  # fmt: skip
        if not names:
            raise UsageError("run: name methods with --methods, files of IDs with --ids, or rankings with --run-file")
        if self.ids_order and not self.ids:
            raise UsageError("run: --ids-order goes with --ids")
        of_file: dict[str, Any] = {"order": self.ids_order} if self.ids_order else {}
        if self.ids_order == FIRST_SEEN and dataset is not None:
            if "recommendation" not in dataset.tasks:
                raise UsageError(
                    f"run: --ids-order {FIRST_SEEN}: the data set '{dataset.name}' has no sequences.txt, in which "
                    "items could appear first; write items or a FILE"
                )
            of_file["seen"] = first_seen(dataset.histories(), dataset.corpus().ids)
        settings = {**self.settings, **{f"{label}.path": file for label, file in self.run_files.items()}}
        for label, file in self.ids.items():
            settings |= {f"{label}.{key}": value for key, value in {"path": str(file), **of_file}.items()}
        return self._variants(names, settings, dataset.original if dataset else "")

    def _variants(self, names: Sequence[str], settings: Mapping[str, Any], dataset: str) -> list[Variant]:
        """Return the rows with what a preset's file proposes for them below the other settings."""
        if self.proposal is None:
            return make_variants(names, self.preset_name, settings, dataset)
        variants = []
        known = make_variants(names, self.preset_name, settings, dataset)
        proposed = {variant.label: self.proposal.section(variant.label, variant.method) for variant in known}
        if not any(proposed.values()):
            sections = ", ".join(self.proposal.methods)
            raise UsageError(f"--preset {self.preset}: it has settings of {sections}, and of no method of this run")
        below = {
            f"{label}.{key}": value
            for label, chosen in proposed.items() if chosen is not None
            for key, value in chosen.settings.items() if key not in settings  # generative.KEY, set for all rows
        }  # fmt: skip
        for variant in make_variants(names, self.preset_name, {**below, **settings}, dataset):
            chosen = proposed[variant.label]
            owners = {variant.label, *(["generative"] if variant.generative is not None else [])}
            changed = owners & {key.partition(".")[0] for key in settings}
            if chosen is not None and not changed:
                variant = replace(variant, trials=chosen.trials)
            variants.append(variant)
        return variants

    def open(self) -> Dataset:
        """Open the data set. Raises RunsFolderError where its cache, below the folder of runs, cannot be written."""
        with names_runs(self.runs):
            return open_dataset(self.dataset, cache=self.store.root, data_root=self.data_root, check=self.check)

    def plan(self) -> Plan:
        """Return the cells. Raises UsageError for what does not exist or cannot be."""
        with names_runs(self.runs):  # the data are read into the cache below it as they are needed
            return self._plan()

    def _plan(self) -> Plan:
        check_device_name(self.device)
        if self.tracker:
            check_tracker(self.tracker)
        split, ties = parse_split(self.split), parse_ties(self.ties)
        metrics = asked_names(self.metrics, Protocol.depth) if self.metrics else ()
        if self.ids_order != FIRST_SEEN:
            self.variants()  # a wrong name or setting is found before the data are
        dataset = self.open()
        variants = self.variants(dataset)
        fields = chosen_fields(self.text_fields)
        if fields not in TEXT_FIELD_PRESETS.values():  # those are right for any data set
            dataset.check_fields(fields)
        queries = self.queries or dataset.default_queries
        protocol = Protocol(fields, queries, self.preset_name, self.self_retrieval, split, ties, limit=self.limit)
        if self.limit is not None:
            dataset = limited_data(dataset, self.limit)
        plan = make_plan(
            dataset, variants, tasks=self.tasks, seeds=self.seeds, protocol=protocol, runs=self.runs, metrics=metrics
        )
        check_variants(plan)
        return plan


def make_request(
    dataset: str,
    *,
    methods: Sequence[str] | str = (),
    ids: Mapping[str, str | PathLike[str]] | Sequence[str | Path] = (),
    run_files: Mapping[str, str | PathLike[str]] | Sequence[str | Path] = (),
    tasks: Sequence[str] | str | None = None,
    seeds: Sequence[int] | int = (0,),
    settings: Mapping[str, Any] | None = None,
    workers: int | str = "auto",
    executor: str = "local",
    **others: Any,
) -> RunRequest:
    """Return the request that arguments of `benchmark.run` make; `others` are those that a request has as they are."""
    files = {label: local_ids(str(file)) for label, file in ids.items()} if isinstance(ids, Mapping) else None
    return RunRequest(
        dataset,
        methods=words_of(methods),
        ids=labelled_ids(ids) if files is None else files,  # type: ignore[arg-type]
        run_files=labelled_runs(run_files),
        tasks=None if tasks is None else words_of(tasks),
        seeds=_whole(seeds),
        settings=dict(settings or {}),
        workers=parse_workers(workers),
        executor=parse_executor(executor),
        **others,
    )


def labelled_ids(files: Sequence[str | Path]) -> dict[str, str]:
    """Return label -> file or folder of 'FILE' or 'LABEL=FILE'; what lies on the Hub, hub:org/name, is downloaded."""
    found: dict[str, str] = {}
    for text in map(str, files):
        label, equals, file = text.partition("=")
        if not equals or os.sep in label or os.path.exists(text):
            label, file = label_of(Path(text.removeprefix(HUB))), text
        if label in found:
            raise UsageError(f"--ids: two files have the label '{label}'; write --ids LABEL=FILE")
        found[label] = local_ids(file)
    return found


def labelled_runs(files: Mapping[str, str | PathLike[str]] | Sequence[str | Path]) -> dict[str, str]:
    """Return label -> file of 'LABEL=FILE' or 'FILE', whose name is then the label; or of what is labelled already."""
    if isinstance(files, Mapping):
        return {label: str(file) for label, file in files.items()}
    found: dict[str, str] = {}
    for text in map(str, files):
        label, equals, file = text.partition("=")
        if not equals or os.sep in label:
            label, file = Path(text).name.partition(".")[0], text
        if label in found:
            raise UsageError(f"two files of rankings have the label '{label}'; write LABEL=FILE")
        found[label] = file
    return found


def words_of(value: Sequence[str] | str) -> tuple[str, ...]:
    """Return names given as a list, or as one text with commas."""
    if isinstance(value, str):
        return tuple(word.strip() for word in value.split(",") if word.strip())
    return tuple(value)


def _whole(seeds: Sequence[int] | int) -> tuple[int, ...]:
    """Return seeds as Python's own numbers, also those of NumPy. Raises UsageError for what is not a valid seed."""
    try:
        found = tuple(map(operator.index, seeds if isinstance(seeds, Iterable) else (seeds,)))
    except TypeError:
        found = (-1,)
    if not found or not all(seed in SEEDS for seed in found):
        raise UsageError(f"seeds {quoted(seeds)}: whole numbers from 0 to {SEEDS[-1]:,} are needed, e.g. [0, 1, 2]")
    return found
