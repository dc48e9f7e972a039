"""cost.json: seconds, peak memory, device, date and speed of a result. Measured, so different every time.

It holds its own digest and is named in no other file: all other files of a result come out the same again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmark.locks import lock
from benchmark.results.digests import write_with_digest
from benchmark.results.result_files import newest, read_own_cost, read_result
from benchmark.running.cells import Cell
from benchmark.running.store import Stage


def write_cost(path: Path, cell: Cell, stages: Mapping[str, Stage]) -> None:
    """Add the costs of a cell's stages, and when its numbers were written."""
    cost = _read(path)
    for name, stage in stages.items():
        content = stage.cost()
        cost["facts"].setdefault(name.partition(".")[2] or name, {}).update(content.pop("facts"))
        cost["stages"][name] = content
        cost |= {"device": content["device"], "date": content["date"]}
    if cell.variant.trials is not None:
        cost["trials"] = cell.variant.trials
    _write(path, cost, cell.task)


def keep_current(cells: Iterable[Cell]) -> None:
    """Let the results that a run has asked for be the newest of their rows, also where it found them done.

    After a return to an older version of the code its results are older than those of the version that was left.
    """
    for cell in cells:
        of_seed = sorted(cell.folder.parent.parent.glob(f"*/seed-{cell.seed}/result.json"))
        if len(of_seed) < 2 or not cell.done():
            continue
        found = [read_result(path) for path in of_seed]
        shown = next((r for r in newest(found) if r.folder == cell.folder), None)
        if shown is None or cell.task not in shown.metrics:
            with lock(cell.folder / ".lock"):
                _write(cell.folder / "cost.json", _read(cell.folder / "cost.json"), cell.task)


def _read(path: Path) -> dict[str, Any]:
    return {"stages": {}, "facts": {}, **read_own_cost(path)}


def _write(path: Path, cost: dict[str, Any], task: str) -> None:
    cost.setdefault("written", {})[task] = datetime.now(UTC).isoformat(timespec="milliseconds")
    write_with_digest(path, cost)
