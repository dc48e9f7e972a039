"""What a table of the paper needs, computed where it is missing: what `benchmark reproduce` does.

A part is one run: one data set, one preset, the rows that can run there. Imports no torch before it computes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any, Protocol

from benchmark.api.results import Results, Tables
from benchmark.api.run import Log, execute, to_stderr
from benchmark.api.run_request import RunRequest
from benchmark.api.runs_folder import names_runs
from benchmark.durations import duration
from benchmark.errors import BenchmarkError, RunsFolderError, UsageError, did_you_mean
from benchmark.results import registered_tables as tables
from benchmark.results.result_files import RUNS, Result, load_results, newest
from benchmark.running.cells import Cell, Plan, Variant
from benchmark.running.crew import parse_workers
from benchmark.running.estimates import estimate_cell
from benchmark.running.executors.cluster import parse_executor
from benchmark.running.plan import chosen_fields, make_variants


class PaperRow(Protocol):
    """A row of the paper: the method that fills it, under which label and with which settings."""

    @property
    def title(self) -> str: ...
    @property
    def method(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def preset(self) -> str: ...
    @property
    def settings(self) -> Mapping[str, Any]: ...


class PaperSpec(Protocol):
    """What a table of the paper declares: its rows, its columns of a task and a data set each."""

    @property
    def rows(self) -> Sequence[Any]: ...  # PaperRow
    @property
    def columns(self) -> Sequence[Any]: ...
    @property
    def data_sets(self) -> Sequence[str]: ...


@dataclass(frozen=True)
class Part:
    """One run and its plan: the cells it is to leave behind."""

    request: RunRequest
    plan: Plan

    @property
    def dataset(self) -> str:
        """The data set's name."""
        return self.plan.dataset.name

    @property
    def items(self) -> int:
        """How many items the data set has."""
        return self.plan.dataset.n_items

    @property
    def preset(self) -> str:
        """The preset of all its cells."""
        return self.plan.protocol.preset

    @property
    def missing(self) -> list[Cell]:
        """The cells that are not there yet."""
        return [cell for cell in self.plan.cells if not cell.done()]


@dataclass(frozen=True)
class Reproduction:
    """The runs that a table asks for, and what cannot run, with the reason."""

    table: str
    request: RunRequest  # what all parts share
    parts: tuple[Part, ...]
    unavailable: tuple[str, ...]

    def plan_lines(self) -> list[str]:
        """Return one line per cell, then what cannot run and what the missing cells will cost."""
        cells = [(part.dataset, cell) for part in self.parts for cell in part.plan.cells]
        lines = [f"{'done ' if cell.done() else 'to do'}  {name}: {cell.title}" for name, cell in cells]
        costs = estimate(self.parts, load_results(self.request.runs))
        return [*lines, *(f"cannot run  {reason}" for reason in self.unavailable), *costs]

    def execute(self, log: Log) -> Results:
        """Compute what is missing; return the results that the table is filled from, and the cells that failed."""
        failures: dict[str, str] = {}
        for part in self.parts:
            failed = execute(part.request, log=log, plan=part.plan).failures
            failures |= {f"{part.dataset}, preset {part.preset}: {cell}": why for cell, why in failed.items()}
        presets = {part.preset for part in self.parts}
        fields = chosen_fields(self.request.text_fields)
        found = [r for r in newest(load_results(self.request.runs)) if r.preset in presets and r.text_fields == fields]
        return Results(tuple(found), failures, self.request.runs)


def reproduce(
    table: str,
    dataset: Sequence[str] | str | None = None,
    *,
    preset: str = "paper",
    seeds: Sequence[int] = (0,),
    settings: Mapping[str, Any] | None = None,
    text_fields: str | Sequence[str] = "paper",
    runs: str | PathLike[str] = RUNS,
    data_root: str | PathLike[str] | None = None,
    device: str = "auto",
    workers: int | str = "auto",
    executor: str = "local",
) -> Tables:
    """Compute what a table of the paper lacks, and return it with the published values beside ours.

    `dataset` names one or several data sets (None: all of the table). What cannot run, or failed, is told on standard
    error, and the table marks the missing cells. Raises UsageError, a ValueError, for a table that runs cannot fill.
    """
    request = RunRequest(
        "", seeds=tuple(seeds), settings=dict(settings or {}), text_fields=text_fields, preset=preset, runs=Path(runs),
        data_root=None if data_root is None else Path(data_root), device=device, workers=parse_workers(workers),
        executor=parse_executor(executor),
    )  # fmt: skip
    names = [dataset] if isinstance(dataset, str) else dataset
    planned = plan_reproduction(table, names, request)
    for reason in planned.unavailable:
        to_stderr(f"cannot run  {reason}")
    results = planned.execute(to_stderr)
    for cell, reason in results.failures.items():
        to_stderr(f"failed: {cell}: {reason}")
    return results.table(table)


def plan_reproduction(table: str, names: Sequence[str] | None, shared: RunRequest) -> Reproduction:
    """Return the runs of a table on these data sets (None: all of the table); `shared` holds what all have in common.

    Raises UsageError for a table that runs cannot fill and for a setting of no row of it, RunsFolderError where data
    cannot be cached in the folder of runs.
    """
    spec = _spec(table)
    owners = [*(row.label for row in spec.rows), "generative"]
    for key in shared.settings:
        if (owner := key.partition(".")[0]) not in owners:
            raise UsageError(f"--set {key}: no row '{owner}' in this table.{did_you_mean(owner, owners)}")
    parts: list[Part] = []
    unavailable: list[str] = []
    for name in names if names is not None else spec.data_sets:
        for preset, rows in parts_of(spec, shared.preset or "paper").items():
            part, problems = make_part(replace(shared, dataset=name, preset=preset), spec, rows)
            parts += [part] if part else []
            unavailable += [problem for problem in problems if problem not in unavailable]
    return Reproduction(table, shared, tuple(parts), tuple(unavailable))


def _spec(table: str) -> PaperSpec:
    chosen = tables.chosen_tables([table])
    spec: PaperSpec | None = getattr(chosen[0], "spec", None) if len(chosen) == 1 else None
    if spec is None:
        raise UsageError(f"'{table}' is not a table that runs can fill; see: benchmark list tables")
    return spec


def parts_of(spec: PaperSpec, preset: str) -> dict[str, list[PaperRow]]:
    """Return preset -> rows: at `paper` every row runs at its own preset, at another all run there."""
    parts: dict[str, list[PaperRow]] = {}
    for row in spec.rows:
        parts.setdefault(row.preset if preset == "paper" else preset, []).append(row)
    return parts


def make_part(request: RunRequest, spec: PaperSpec, rows: Sequence[PaperRow]) -> tuple[Part | None, list[str]]:
    """Return the part of one data set and preset (None: nothing of it can run) and what cannot run, with the reason.

    `request` names the data set and the preset; its settings may be of other rows too.
    """
    name, preset = request.dataset, request.preset_name
    try:
        dataset = request.open()
        with names_runs(request.runs):
            dataset.counts()  # reads every file of it
    except RunsFolderError:
        raise
    except BenchmarkError as error:
        return None, [f"{name}: {error}"]
    wanted = _tasks(spec, dataset.name)
    tasks = [task for task in wanted if task in dataset.tasks]
    unavailable = [f"{name}: the data set has no {task}" for task in wanted if task not in tasks]
    methods: list[str] = []
    settings: dict[str, Any] = {}
    for row in rows:
        try:
            variant, own = _variant(row, preset, request.settings, dataset.name)
        except BenchmarkError as error:
            unavailable.append(f"{name}: {row.title} at preset {preset}: {error}")
            continue
        if any(task in variant.tasks for task in tasks):
            methods.append(f"{variant.label}={variant.method}")
            settings |= own
    if not methods:
        return None, unavailable
    request = replace(request, methods=tuple(methods), tasks=tasks, settings=settings)
    return Part(request, request.plan()), unavailable


def _tasks(spec: PaperSpec, dataset: str) -> list[str]:
    """The tasks of a data set's columns; of all columns where the paper's table does not have the data set."""
    columns = [column for column in spec.columns if column.dataset == dataset] or spec.columns
    return list(dict.fromkeys(column.task for column in columns))


def _variant(row: PaperRow, preset: str, given: Mapping[str, Any], dataset: str) -> tuple[Variant, dict[str, Any]]:
    """Return the row's method with its settings and those given for it, and these settings by dotted key."""
    (plain,) = make_variants([f"{row.label}={row.method}"], preset, {}, dataset)
    owners = (row.label, "generative") if plain.generative else (row.label,)
    settings = {f"{row.label}.{key}": value for key, value in row.settings.items()}
    settings |= {key: value for key, value in given.items() if key.partition(".")[0] in owners}
    (variant,) = make_variants([f"{row.label}={row.method}"], preset, settings, dataset)
    return variant, settings


def estimate(parts: Sequence[Part], results: Sequence[Result]) -> list[str]:
    """Return what the missing cells will cost in words, from the costs that earlier runs recorded.

    A method's earlier runs at the same preset count: those on the same data set, or else any, scaled by items.
    """
    lines, unknown = [], []
    for part in parts:
        seconds: dict[str, float] = {}
        bases: set[str] = set()
        begun: set[tuple[str, int]] = set()
        for cell in part.missing:
            found = estimate_cell(cell, part.plan, results, with_ids=(cell.variant.label, cell.seed) not in begun)
            if found is None:
                unknown.append(cell.title)
                continue
            begun.add((cell.variant.label, cell.seed))
            seconds[cell.variant.label] = seconds.get(cell.variant.label, 0.0) + found.seconds
            bases.add(found.source)
        if seconds:
            each = ", ".join(f"{label} {duration(value)}" for label, value in seconds.items())
            total = duration(sum(seconds.values()))
            taken = "; ".join(sorted(bases))
            lines.append(f"cost   {part.dataset}, preset {part.preset}: about {total} ({each}), {taken}")
    if unknown:
        lines.append(f"cost   no earlier run says what these cost: {'; '.join(unknown)}")
    return lines
