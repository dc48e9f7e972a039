"""Results that another version of the suite's code computed, of the same settings: `--any-version` takes them as done.

A cell's key holds a hash of the suite's code, so that nothing older is ever taken for new without being asked. Where a
long series of runs is computed in several sittings, between which the code goes on, that would compute all anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from benchmark.code_version import model_folders
from benchmark.data.about import TASKS
from benchmark.files import file_digest
from benchmark.metrics.lookup import plugins
from benchmark.results.digests import FILES, read_unchanged
from benchmark.results.left_out import left_out
from benchmark.results.result_files import Result, read_result
from benchmark.running.cells import Cell, Plan


def results_of_other_versions(plan: Plan) -> dict[Cell, Result]:
    """Return cell -> newest result of the same settings, for the cells that this version has not computed.

    Data, text fields, preset, settings, protocol and seed are the same; versions of code and packages may differ. A
    result counts only if its files are as they were written, those apart that an archive has left out.
    """
    found: dict[Cell, Result] = {}
    known: dict[Path, Result] = {}
    for cell in plan.cells:
        paths = sorted(cell.folder.parent.parent.glob(f"*/seed-{cell.seed}/result.json"))
        if not paths or (not left_out(cell.folder) and cell.done()):
            continue
        results = [known.setdefault(path, read_result(path)) for path in paths]
        same = [result for result in results if _is_of(result, cell, plan) and _is_intact(result.folder, cell.task)]
        if same:
            found[cell] = max(same, key=lambda result: result.written(cell.task))
    return found


def _is_of(result: Result, cell: Cell, plan: Plan) -> bool:
    variant, protocol, dataset = cell.variant, plan.protocol, plan.dataset
    if result.problem or cell.task not in result.metrics:
        return False
    if model_folders(variant.config) or model_folders(variant.generative):
        return False  # a result does not say which state of a local model it was computed with
    said = {
        "method": variant.config.model_dump(mode="json"),
        "generative": variant.generative.model_dump(mode="json") if variant.generative else None,
    }
    own = result.config.get("protocol") or {}
    further = list(plan.metrics) if cell.task != "id-quality" else []
    further += [metric.name for _, metric in plugins() if cell.task in metric.tasks]
    return (
        (result.label, result.method, result.seed) == (variant.label, variant.method, cell.seed)
        and (result.preset, result.text_fields) == (protocol.preset, tuple(protocol.text_fields))
        and str(result.dataset["fingerprint"]) == dataset.fingerprint
        and all(result.config.get(name) == value for name, value in said.items())
        and all(name in result.metrics[cell.task] for name in further)
        and (cell.task != "search" or result.queries == protocol.query_set)
        and own.get("self_retrieval", protocol.self_retrieval) == protocol.self_retrieval
        and own.get("depth") == protocol.depth
        and result.of_histories == protocol.of_histories
    )


def _is_intact(folder: Path, task: str) -> bool:
    content = read_unchanged(folder / "result.json")
    if content is None or not isinstance(content.get(FILES), dict):
        return False
    absent = left_out(folder)
    return all(
        (folder / name).is_file() and file_digest(folder / name) == digest
        for name, digest in _of_task(content[FILES], task)
        if Path(name).name not in absent
    )


def _of_task(files: Mapping[str, Any], task: str) -> Iterable[tuple[str, Any]]:
    others = tuple(f".{other}." for other in TASKS if other != task)
    return [(name, digest) for name, digest in files.items() if not any(other in name for other in others)]
