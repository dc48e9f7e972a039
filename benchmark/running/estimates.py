"""What a cell will take, seconds and memory, from what earlier runs recorded in their cost.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmark.results.result_files import Result
from benchmark.running.cells import Cell, Plan

GIB = 1024**3
UNKNOWN = {"tiny": (600, 2 * GIB), "small": (7200, 4 * GIB)}  # seconds and bytes where no earlier run says it
LARGE = (86_400, 16 * GIB)  # at any other preset


@dataclass(frozen=True)
class Estimate:
    """Seconds, and bytes of memory at the peak; `source` says in words where they are taken from."""

    seconds: float
    memory: int
    source: str


def estimate_cell(cell: Cell, plan: Plan, results: Sequence[Result], *, with_ids: bool) -> Estimate | None:
    """Return the mean over a method's earlier runs at the same preset, None where there are none.

    Those on the same data set count, or else any, scaled by items. `with_ids` says whether the stages that the
    tasks of a method share are still to be computed.
    """
    same, scaled = [], []
    for result in results:
        stages = result.cost.get("stages") or {}
        alike = (result.method, result.preset) == (cell.variant.method, plan.protocol.preset)
        if not (alike and cell.task in result.metrics and stages):
            continue
        own = [stage for name, stage in stages.items() if name.endswith(f".{cell.task}")]
        shared = [stage for name, stage in stages.items() if with_ids and "." not in name]
        items = (result.dataset.get("counts") or {}).get("items") or plan.dataset.n_items
        factor, name = plan.dataset.n_items / items, str(result.dataset["name"])
        seconds = sum(float(stage.get("seconds") or 0.0) for stage in own + shared)
        memory = max((_memory(stage) for stage in stages.values()), default=0)
        device = str(result.cost.get("device") or "an unrecorded device")
        same += [(seconds, memory, name, device)] if name == plan.dataset.name else []
        scaled.append((seconds * factor, int(memory * max(1.0, factor)), name, device))
    found = same or scaled
    if not found:
        return None
    names = ", ".join(sorted({name for _, _, name, _ in found}))
    devices = ", ".join(sorted({device for *_, device in found}))
    source = f"from earlier runs on it, {devices}" if same else f"scaled by items from {names}, {devices}"
    return Estimate(sum(each[0] for each in found) / len(found), max(each[1] for each in found), source)


def estimate_or_guess(cell: Cell, plan: Plan, results: Sequence[Result]) -> Estimate:
    """Return what to ask a cluster for: the estimate, or else a generous guess for the preset."""
    seconds, memory = UNKNOWN.get(plan.protocol.preset, LARGE)
    return estimate_cell(cell, plan, results, with_ids=True) or Estimate(seconds, memory, "no earlier run says it")


def _memory(stage: Mapping[str, Any]) -> int:
    return int((stage.get("peak_memory") or {}).get("cpu") or 0)
