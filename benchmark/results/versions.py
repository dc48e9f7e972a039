"""Results of one row with different keys: whether versions of the code tell them apart, or the metrics asked for."""

from __future__ import annotations

from collections.abc import Iterable

from benchmark.results.result_files import Result, identity

OTHER_SUITE = "of other versions of the suite"
OTHER_METHOD = "of other versions of the method's own code or local model"
OTHER_METRICS = "with other --metrics"
UNKNOWN = "computed with other code or metrics"
REASONS = (OTHER_SUITE, OTHER_METHOD, OTHER_METRICS, UNKNOWN)


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
