"""Results of one row with different keys: whether versions of the code tell them apart, or the metrics asked for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmark.results.result_files import Result, identity

OTHER_SUITE = "of other versions of the suite"
OTHER_METHOD = "of other versions of the method's own code or local model"
OTHER_METRICS = "with other --metrics"
UNKNOWN = "computed with other code or metrics"
REASONS = (OTHER_SUITE, OTHER_METHOD, OTHER_METRICS, UNKNOWN)
SEEDS_OF_SUITES = "Seeds of more than one version of the suite's code"
TASKS_OF_VERSIONS = (
    "Tasks computed by different versions of the code (the suite's or the method's own), perhaps from different IDs"
)
SEEDS_OF_METHODS = "Seeds with different --metrics, or of more than one version of the method's own code"


def reasons_apart(one: Result, other: Result) -> tuple[str, ...]:
    """Return why two results of one row and seed have different keys; UNKNOWN where their files do not tell."""
    reasons = []
    if one.code != other.code:
        reasons.append(OTHER_SUITE)
    elif one.code and any(one.stages[name] != other.stages[name] for name in one.stages.keys() & other.stages.keys()):
        reasons.append(OTHER_METHOD)  # all else that decides a stage is the same
    if one.further_metrics != other.further_metrics:
        reasons.append(OTHER_METRICS)
    return tuple(reasons) or (UNKNOWN,)


def older_note(results: Iterable[Result], shown: Iterable[Result]) -> str:
    """Return what to say of results that `newest` has left out, in whole or in part, and why; '' where none are."""
    current = {(identity(result), result.seed, task): result for result in shown for task in result.metrics}
    kept = {(result.folder, task) for result in shown for task in result.metrics}
    left = [(result, task) for result in results for task in result.metrics if (result.folder, task) not in kept]
    found = {reason for r, task in left for reason in reasons_apart(r, current[identity(r), r.seed, task])}
    reasons = " or ".join(reason for reason in REASONS if reason in found)
    return f"{len(left)} older results, {reasons}, are left out; see --all-versions" if left else ""


def seeds_note(row: Iterable[Result]) -> str:
    """Return what to say of a row whose results are of several versions for one task; '' where they are of one."""
    of_task: dict[Any, list[Result]] = {}  # a row of the paper's tables may be of several data sets
    for result in row:
        for task in result.metrics:
            of_task.setdefault((identity(result), task), []).append(result)
    mixed = [results for results in of_task.values() if len({result.key for result in results}) > 1]
    if not mixed:
        return ""
    same = all(results[0].code and len({result.code for result in results}) == 1 for results in mixed)
    return SEEDS_OF_METHODS if same else SEEDS_OF_SUITES


def tasks_apart(shown: Iterable[tuple[Result, str]]) -> dict[Any, str]:
    """Return the identity of each row whose tasks are of several versions of the code for one seed, and which tasks.

    `shown` are results with a task that is shown of them, '' for costs; 'id-quality apart from recommendation, search'.
    """
    of_seed: dict[Any, dict[Path, tuple[Result, list[str]]]] = {}
    for result, task in {(result.folder, result.label, task): (result, task) for result, task in shown}.values():
        parts = of_seed.setdefault((identity(result), result.seed), {})
        parts.setdefault(result.folder, (result, []))[1].append(task or "costs")
    rows: dict[Any, str] = {}
    for (row, _), parts in of_seed.items():
        versions = _versions(list(parts.values()))
        if len(versions) > 1:
            rows.setdefault(row, " apart from ".join(map(", ".join, versions)))
    return rows


def _versions(parts: Sequence[tuple[Result, list[str]]]) -> list[list[str]]:
    """Return the tasks of each version of the code; other --metrics alone make no other version."""
    versions: list[tuple[Result, list[str]]] = []
    for result, tasks in parts:
        same = next((of for first, of in versions if reasons_apart(first, result) == (OTHER_METRICS,)), None)
        if same is None:
            versions.append((result, [*tasks]))
        else:
            same += tasks
    return [tasks for _, tasks in versions]
