"""What `benchmark run`, its files of runs and `benchmark sweep` do with a request: print its tables, plan or file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from benchmark.streams import answer, answer_data, answer_json

if TYPE_CHECKING:
    from benchmark.results.result_files import Result
    from benchmark.running.cells import Plan


def execute_request(request: Any, *, dry_run: bool, as_json: bool, wide: bool = False, plan: Plan | None = None) -> int:
    """Carry out a request and print its tables, or print its plan, which is made unless it is given."""
    from benchmark.api.run import execute, to_stderr
    from benchmark.cli.run_tables import RunTables
    from benchmark.learning.processes import process_rank

    if dry_run:
        return _dry_run(request, plan, as_json)
    first, tables = process_rank() == 0, RunTables(wide=wide)
    log = to_stderr if first else lambda message: None
    results = execute(request, log=log, plan=plan, of_task=None if as_json else tables.of_task)
    if first and as_json:
        answer_json(_json(results))
    elif first and len(results):
        tables.rest(results)
    for cell, reason in results.failures.items():
        to_stderr(f"benchmark: failed: {cell}: {reason}")
    return 1 if results.failures else 0


def _json(results: Any) -> dict[str, Any]:
    return {"results": [_content(one) for one in results if not one.problem], "failed": dict(results.failures)}


def _content(result: Result) -> dict[str, Any]:
    """Return what a result's file holds, without the numbers of tasks that the run was not asked for."""
    content: dict[str, Any] = json.loads((result.folder / "result.json").read_text("utf-8"))
    for part in {"metrics", "counts"} & content.keys():
        content[part] = {task: of for task, of in content[part].items() if task in result.metrics}
    return content


def planned(request: Any, plan: Plan | None = None) -> list[dict[str, Any]]:
    """Return a row for each cell of a request: its name, whether it is done, its folder and its stages."""
    return _rows(request, plan)[0]


def _rows(request: Any, plan: Plan | None) -> tuple[list[dict[str, Any]], Sequence[str], int]:
    """Return the rows of `planned`, what was left out and why, and how many results of other versions count as done."""
    from benchmark.api.run import of_any_version
    from benchmark.api.runs_folder import names_runs
    from benchmark.running.stages import Stages

    plan, others = of_any_version(plan or request.plan(), request)
    plan_stages = Stages(plan, request.store)
    rows = [
        {
            "cell": cell.title,
            "done": cell.done(),
            "folder": str(cell.folder),
            "stages": {stage.name: "cached" if stage.done else "to do" for stage in plan_stages.of(cell)},
        }
        for cell in plan.cells
    ]
    if not all(row["done"] for row in rows):
        with names_runs(request.runs):
            plan.dataset.corpus(plan.protocol.text_fields)  # every cell reads the items: what it would refuse is said
    return rows, plan.skipped, len(others)


def _dry_run(request: Any, plan: Plan | None, as_json: bool) -> int:
    from benchmark.api.run import to_stderr

    rows, skipped, others = _rows(request, plan)
    if as_json:
        answer_json(rows)
        return 0
    for line in skipped:
        to_stderr(f"skipped: {line}")
    for row in rows:
        stages = ", ".join(f"{name} {state}" for name, state in row["stages"].items())
        answer(f"{'done ' if row['done'] else 'to do'}  {row['cell']}  ({stages})" if stages else f"{row['cell']}")
    found = f"; {others} results of other versions count as done" if others else ""
    answer(f"{sum(not row['done'] for row in rows)} of {len(rows)} cells to compute{found}")
    return 0


def print_config(requests: Sequence[Any]) -> int:
    """Print the file that describes requests, after a look at their plans: what cannot be is refused here."""
    from benchmark.api.run_config import run_config_text

    for request in requests:
        request.plan()
    answer_data(run_config_text(requests))
    return 0
