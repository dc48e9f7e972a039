"""What a table of the paper needs: the cells that fill it, the words of `benchmark run` that compute them, their cost.

A part is one call of `benchmark run`: one data set, one preset, the rows that can run there. Imports no torch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmark.data.dataset import open_dataset
from benchmark.errors import BenchmarkError
from benchmark.reports.paper.spec import PaperRow, Spec
from benchmark.results.result_files import Result
from benchmark.running.cells import Cell, Protocol, Variant
from benchmark.running.plan import make_plan, make_variants, parse_settings, parse_text_fields
from benchmark.running.store import Store


@dataclass(frozen=True)
class Part:
    """One call of `benchmark run`, and the cells it is to leave behind."""

    dataset: str
    items: int
    preset: str
    cells: tuple[Cell, ...]
    words: list[str]  # of `benchmark run`

    @property
    def missing(self) -> list[Cell]:
        """The cells that are not there yet."""
        return [cell for cell in self.cells if not cell.done()]


def parts_of(spec: Spec, preset: str) -> dict[str, list[PaperRow]]:
    """Return preset -> rows: at `paper` every row runs at its own preset, at another all run there."""
    parts: dict[str, list[PaperRow]] = {}
    for row in spec.rows:
        parts.setdefault(row.preset if preset == "paper" else preset, []).append(row)
    return parts


def make_part(
    arguments: Any, spec: Spec, name: str, preset: str, rows: Sequence[PaperRow], seeds: Sequence[int]
) -> tuple[Part | None, list[str]]:
    """Return the part of one data set and preset (None: nothing of it can run) and what cannot run, with the reason.

    `arguments` are those of `benchmark reproduce`.
    """
    try:
        dataset = open_dataset(name, cache=Store(arguments.runs / ".cache").root, data_root=arguments.data_root)
        items = dataset.counts()["items"]
    except BenchmarkError as error:
        return None, [f"{name}: {error}"]
    wanted = _tasks(spec, dataset.name)
    tasks = [task for task in wanted if task in dataset.tasks]
    holes = [f"{name}: the data set has no {task}" for task in wanted if task not in tasks]
    variants: list[Variant] = []
    settings: dict[str, str] = {}
    for row in rows:
        try:
            variant, own = _variant(row, preset, parse_settings(arguments.set))
        except BenchmarkError as error:
            holes.append(f"{name}: {row.title} at preset {preset}: {error}")
            continue
        if any(task in variant.tasks for task in tasks):
            variants.append(variant)
            settings |= own
    if not variants:
        return None, holes
    protocol = Protocol(parse_text_fields(arguments.text_fields), dataset.default_queries, preset)
    plan = make_plan(dataset, variants, tasks=tasks, seeds=seeds, protocol=protocol, runs=arguments.runs)
    words = ["--methods", ",".join(f"{variant.label}={variant.method}" for variant in variants)]
    words += ["--dataset", name, "--tasks", ",".join(tasks), "--preset", preset, "--runs", str(arguments.runs)]
    words += ["--seeds", ",".join(map(str, seeds)), "--text-fields", arguments.text_fields]
    words += ["--data-root", str(arguments.data_root)] if arguments.data_root else []
    words += ["--device", arguments.device, *(f"--set={key}={value}" for key, value in settings.items())]
    return Part(dataset.name, items, preset, plan.cells, words), holes


def _tasks(spec: Spec, dataset: str) -> list[str]:
    """The tasks of a data set's columns; of all columns where the paper's table does not have the data set."""
    columns = [column for column in spec.columns if column.dataset == dataset] or spec.columns
    return list(dict.fromkeys(column.task for column in columns))


def _variant(row: PaperRow, preset: str, given: Mapping[str, str]) -> tuple[Variant, dict[str, str]]:
    """Return the row's method with its settings and those given for it, and these settings by dotted key."""
    (plain,) = make_variants([f"{row.label}={row.method}"], preset, {})
    owners = (row.label, "generative") if plain.generative else (row.label,)
    settings = {f"{row.label}.{key}": str(value) for key, value in row.settings.items()}
    settings |= {key: value for key, value in given.items() if key.partition(".")[0] in owners}
    (variant,) = make_variants([f"{row.label}={row.method}"], preset, settings)
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
            found = _cost(cell, part, results, with_ids=(cell.variant.label, cell.seed) not in begun)
            if found is None:
                unknown.append(cell.title)
                continue
            begun.add((cell.variant.label, cell.seed))
            seconds[cell.variant.label] = seconds.get(cell.variant.label, 0.0) + found[0]
            bases.add(found[1])
        if seconds:
            each = ", ".join(f"{label} {_duration(value)}" for label, value in seconds.items())
            total = _duration(sum(seconds.values()))
            taken = "; ".join(sorted(bases))
            lines.append(f"cost   {part.dataset}, preset {part.preset}: about {total} ({each}), {taken}")
    if unknown:
        lines.append(f"cost   no earlier run says what these cost: {'; '.join(unknown)}")
    return lines


def _cost(cell: Cell, part: Part, results: Sequence[Result], *, with_ids: bool) -> tuple[float, str] | None:
    """Return (seconds, what they are taken from) of a cell, on average over earlier runs; None where there are none."""
    found = []
    for result in results:
        stages = result.cost.get("stages") or {}
        alike = (result.method, result.preset) == (cell.variant.method, part.preset)
        if alike and cell.task in result.metrics and stages:
            own = [stage for name, stage in stages.items() if name.endswith(f".{cell.task}")]
            shared = [stage for name, stage in stages.items() if with_ids and "." not in name]
            items = (result.dataset.get("counts") or {}).get("items") or part.items
            seconds = sum(float(stage.get("seconds") or 0.0) for stage in own + shared)
            device = str(result.cost.get("device") or "an unrecorded device")
            found.append((str(result.dataset["name"]), seconds, part.items / items, device))
    if not found:
        return None
    same = [(seconds, device) for name, seconds, _, device in found if name == part.dataset]
    if same:
        return sum(seconds for seconds, _ in same) / len(same), f"from earlier runs on it, {_devices(same)}"
    scaled = [(seconds * factor, device) for _, seconds, factor, device in found]
    names = ", ".join(sorted({name for name, *_ in found}))
    return sum(seconds for seconds, _ in scaled) / len(scaled), f"scaled by items from {names}, {_devices(scaled)}"


def _devices(costs: Sequence[tuple[float, str]]) -> str:
    return ", ".join(sorted({device for _, device in costs}))


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
