"""Running methods on a data set: what `benchmark run` and `benchmark.run` do."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any

from benchmark.api.results import Results
from benchmark.api.run_request import RunRequest, make_request
from benchmark.api.runs_folder import require_writable
from benchmark.errors import BenchmarkError, UsageError
from benchmark.learning.devices import choose_device
from benchmark.learning.processes import process_rank, processes
from benchmark.results.result_files import RUNS, Result, read_result
from benchmark.running.cells import Cell, Plan
from benchmark.running.costs import keep_current
from benchmark.running.crew import make_crew, visible_gpus
from benchmark.running.executors.execution import Execution
from benchmark.running.other_versions import results_of_other_versions
from benchmark.running.task_tally import TaskTally
from benchmark.streams import plain

Log = Callable[[str], None]


def run(
    methods: Sequence[str] | str = (),
    dataset: str | PathLike[str] = "demo",
    *,
    ids: Mapping[str, str | PathLike[str]] | Sequence[str | Path] = (),
    ids_order: str | PathLike[str] = "",
    run_files: Mapping[str, str | PathLike[str]] | Sequence[str | Path] = (),
    tasks: Sequence[str] | str | None = None,
    preset: str | PathLike[str] | None = None,
    seeds: Sequence[int] | int = (0,),
    settings: Mapping[str, Any] | None = None,
    text_fields: str | Sequence[str] = "default",
    queries: str | None = None,
    self_retrieval: str = "excluded",
    split: str = "leave-one-out",
    ties: str = "file",
    metrics: str | Sequence[str] = (),
    runs: str | PathLike[str] = RUNS,
    data_root: str | PathLike[str] | None = None,
    device: str = "auto",
    workers: int | str = "auto",
    executor: str = "local",
    check: bool = True,
    any_version: bool = False,
    quiet: bool = False,
    limit: int | None = None,
    tracker: str = "",
) -> Results:
    """Compute the cells that are missing (method x task x seed) and return the results of all that were asked for.

    With `tasks` these tasks alone are returned, whatever earlier runs of the same rows have left in the folder.
    `methods` are names, or LABEL=METHOD for a second row of a method; `settings` are typed values by dotted key,
    {"rqvae.levels": 2}, or {"generative.search.epochs": 4} for all rows; `ids` are files of IDs from another toolkit,
    folders of `benchmark ids push`, or hub:org/name; `run_files` are rankings of other systems, TREC runs or CSV;
    `ids_order` says what row numbers in them count: "items", "first-seen" or a file; `preset` is a name, or a file that
    `tune` wrote. A query that is itself an item does not find itself, unless `self_retrieval` is "kept". `split` is
    "leave-one-out", "time[:SHARE or DATE]" or "cold-start[:SHARE]", `ties` "file" or "shuffled[:SEED]"; a cut in time
    and ties concern recommendation alone. `metrics` are further ones for rankings, by ir-measures' names: "nDCG@20 P@5"
    (`docs/metrics.md`). `workers` is how many cells are computed side by side, "auto" what cores or
    GPUs and memory allow; `executor` where: "local", or "ray" or "slurm" for several machines (`docs/clusters.md`).
    `tracker` shows training curves while they are made: "tensorboard" (below `runs`), "wandb", "trackio" or "mlflow".
    With `limit` only so many test users and test queries are ranked and scored, as a first look. The defaults are those
    of `benchmark run`. With `any_version` a result of another version of the suite's code counts as
    done, where all settings are the same. A cell that fails is warned about and stands in `Results.failures`; the
    others are kept. Raises UsageError, a ValueError, for what does not exist or cannot be.
    """
    request = make_request(
        str(dataset), methods=methods, ids=ids, ids_order=str(ids_order), run_files=run_files, tasks=tasks,
        preset=None if preset is None else str(preset), seeds=seeds, settings=settings, text_fields=text_fields,
        queries=queries, self_retrieval=self_retrieval, split=split, ties=ties, metrics=metrics,
        runs=Path(runs),
        data_root=None if data_root is None else Path(data_root), device=device, workers=workers, executor=executor,
        check=check, any_version=any_version, limit=limit, tracker=tracker,
    )  # fmt: skip
    results = execute(request, log=(lambda message: None) if quiet else to_stderr)
    warn_of_failures(results)
    return results


def warn_of_failures(results: Results) -> None:
    """Warn the caller's caller, once for each cell that failed."""
    for cell, reason in results.failures.items():
        warnings.warn(f"failed: {cell}: {reason}", stacklevel=3)


def execute(
    request: RunRequest, *, log: Log, plan: Plan | None = None, of_task: Callable[[str, Results], None] | None = None
) -> Results:
    """Carry out a request; `log` is told of each cell, of notes on the data and of what was left out.

    `plan` is the request's, where it is there already. `of_task` is given each task, in order, as soon as all its cells
    have ended, and the results so far; its tables have the notes on the data, and `log` is told only where there are no
    results. Among the failures are cells whose results cannot be read.
    """
    plan, found = of_any_version(plan or request.plan(), request)
    missing = [cell for cell in plan.cells if not cell.done()]
    if missing:
        require_writable(request.runs)

    def tell(task: str) -> None:
        if of_task and process_rank() == 0:
            of_task(task, Results((*written(plan, request.tasks), *found), runs=request.runs))

    tally = TaskTally(plan.cells, missing, tell)
    tally.tell()  # of tasks that were complete before
    failures = _execution(request, plan, log, tally.ended, missing=bool(missing)).run()
    if process_rank() == 0:
        _keep_current(plan, log)
    results = tuple(written(plan, request.tasks))
    if process_rank() == 0 and missing and not (of_task and results):
        for warning in plan.dataset.warnings:
            log(f"note: {warning}")
    for line in plan.skipped:
        log(f"skipped: {line}")
    unread = unreadable(plan, results) if process_rank() == 0 else {}  # the first process may be writing still
    return Results(
        (*results, *found), unread | {failure.cell.title: failure.reason for failure in failures}, request.runs
    )


def of_any_version(plan: Plan, request: RunRequest) -> tuple[Plan, tuple[Result, ...]]:
    """Return the cells that must be computed, or were by this version, and the results of others that count as done."""
    if not request.any_version:
        return plan, ()
    others = results_of_other_versions(plan)
    cells = tuple(cell for cell in plan.cells if cell not in others)
    found = {result.folder: result for result in others.values()}.values()
    return replace(plan, cells=cells), tuple(result.of_tasks(request.tasks or result.metrics) for result in found)


def _execution(request: RunRequest, plan: Plan, log: Log, ended: Callable[[Cell], None], *, missing: bool) -> Execution:
    elsewhere, device = request.executor.name != "local", "cpu"
    if elsewhere and processes() > 1:
        raise UsageError("--executor goes without a launcher, whose processes compute each cell together")
    if elsewhere and request.workers is not None:
        raise UsageError(
            f"--workers goes with --executor local; {request.executor.name} starts cells where there is room"
        )
    if missing:  # on a cluster it is not this machine that must have a GPU
        device = "cuda:0" if elsewhere and request.device.startswith("cuda") else choose_device(request.device)
    gpus = visible_gpus(request.device) if device.startswith("cuda") and not elsewhere else ()
    crew = make_crew(request.workers, device, gpus)
    bars = sys.stderr.isatty()
    return Execution(
        plan, request.store, device, crew, log, bars=bars, executor=request.executor, ended=ended,
        tracker=request.tracker,
    )  # fmt: skip


def _keep_current(plan: Plan, log: Log) -> None:
    try:
        keep_current(plan.cells)
    except (OSError, BenchmarkError) as error:  # the results are there all the same
        log(f"note: reports may show results of another version of the suite: {error}")


def written(plan: Plan, tasks: Sequence[str] | None) -> Iterable[Result]:
    """Yield the results of a plan's cells that are there, of these tasks alone (none: of all that they have)."""
    for folder in dict.fromkeys(cell.folder for cell in plan.cells):
        if (folder / "result.json").is_file():
            result = read_result(folder / "result.json")
            result = result.of_tasks(tasks or result.metrics)
            if result.metrics or result.problem:
                yield result


def unreadable(plan: Plan, results: Iterable[Result]) -> dict[str, str]:
    """Return cell -> reason of the plan's cells that no table can show."""
    found = {result.folder: result for result in results}
    problems: dict[str, str] = {}
    for cell in plan.cells:
        result = found.get(cell.folder)
        if result is None or cell.task not in result.metrics:
            problem = result.problem if result else ""
            problems[cell.title] = problem or f"{cell.folder / 'result.json'} has no {cell.task}"
    return problems


def to_stderr(message: str) -> None:
    """Print a message for people, apart from the results. Where it cannot be printed, the run is worth more."""
    with suppress(OSError, ValueError):  # a log file on a full disk, a closed terminal
        print(plain(message), file=sys.stderr, flush=True)
