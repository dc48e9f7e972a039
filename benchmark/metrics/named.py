"""Metrics by their ir-measures name: what `--metrics "nDCG@20 P@5"` asks for, and how tables show it.

Any measure is taken that ir-measures can compute for every ranking and that is a mean over queries. Names are in
ir-measures' own spelling: `MRR@5` is `RR@5`, `P(rel=1)@5` is `P@5`. A measure without a cut-off, `AP` or `Bpref`, is
computed on all items that were ranked. See https://ir-measur.es/en/latest/measures.html.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from benchmark.errors import UsageError, did_you_mean, quoted
from benchmark.metrics.collisions import readings
from benchmark.metrics.metric import RANKED, Metric
from benchmark.metrics.ranking import RECOMMENDATION, SEARCH

SCORED = {"recommendation": RECOMMENDATION, "search": SEARCH}  # what every ranking of a task is scored with
NO_DIRECTION = ("Judged",)  # measures of the judgments, not of the ranking
ROUNDED = "gdeval"  # a provider that rounds to five digits and takes numbers as query ids alone


def asked_names(text: str | Sequence[str], depth: int) -> tuple[str, ...]:
    """Return the names of 'nDCG@20 P@5' in ir-measures' spelling, each once and sorted; without those of every task.

    Raises UsageError for a name that ir-measures does not know, a cut-off beyond the `depth` of rankings, and a measure
    that cannot be computed for every ranking.

        asked_names("MRR@5, P@5 R@10", depth=20)    # ("P@5", "RR@5"): R@10 stands in the tables already
    """
    wanted = set(measure_names(text, depth)) - (set(RECOMMENDATION) & set(SEARCH))
    return tuple(sorted(wanted, key=lambda name: (name.partition("@")[0], len(name), name)))


def measure_names(text: str | Sequence[str], depth: int) -> tuple[str, ...]:
    """Return the names of 'nDCG@20 P@5' in ir-measures' spelling, each once; raise UsageError as `asked_names`."""
    names = re.findall(r"(?:[^\s,(]|\([^)]*\))+", text if isinstance(text, str) else " ".join(text))
    return tuple(dict.fromkeys(str(_measure(name, depth)) for name in names))


def stored_names(task: str, names: Iterable[str]) -> list[str]:
    """Return those of a result's metric names that `--metrics` has added to its task."""
    scored = SCORED.get(task)
    if scored is None:
        return []
    own = {*scored, *readings(scored)}
    return [name for name in names if name not in own and named_metric(name)]


@cache
def named_metric(name: str) -> Metric | None:
    """Return the declaration of an ir-measures measure, None for a name that is not in its spelling."""
    measure = _parsed(name)
    if measure is None or str(measure) != name or measure.params.get("cutoff", 1) < 1:
        return None
    return Metric(
        name, f"{measure.PRETTY_NAME}, by ir-measures: {measure.SHORT_DESC.rstrip('.')}", tasks=RANKED,
        higher_is_better=None if measure.NAME in NO_DIRECTION else True, footnote=f"{name}: {{description}}.",
    )  # fmt: skip


def _measure(name: str, depth: int) -> Any:
    """Return an ir-measures measure that tables can show. Raises UsageError for any other name."""
    import ir_measures
    from ir_measures.measures import MeanAgg, registry

    measure, option = _parsed(name), f"--metrics {name}"
    if measure is None:
        base = name.partition("@")[0].partition("(")[0]
        if base in registry:
            raise UsageError(f"--metrics {quoted(name)}: {base} needs other parameters, e.g. P@5, AP(rel=2)")
        raise UsageError(f"--metrics {quoted(name)}: ir-measures has no such measure.{did_you_mean(base, registry)}")
    cutoff = measure.params.get("cutoff", 1)
    if not 1 <= cutoff <= depth:
        raise UsageError(f"{option}: rankings are {depth} items deep; write a cut-off from 1 to {depth}")
    if not isinstance(measure.aggregator(), MeanAgg):
        raise UsageError(f"{option}: it is a sum over queries, not a mean")
    providers = [provider for provider in ir_measures.DefaultPipeline.providers if provider.supports(measure)]
    if not any(provider.is_available() and provider.NAME != ROUNDED for provider in providers):
        needed = ", ".join(provider.NAME for provider in providers if provider.NAME != ROUNDED)
        reason = f"it needs the package {needed}" if needed else "no provider computes it to the last digit"
        raise UsageError(f"{option}: ir-measures cannot compute it here; {reason}")
    if not _is_total(measure):
        raise UsageError(f"{option}: it is not defined for every ranking, so it has no mean")
    return measure


def _parsed(name: str) -> Any:
    """Return an ir-measures measure with all parameters that it needs, None for what is not the name of one."""
    import ir_measures

    try:
        measure = ir_measures.parse_measure(name)
        measure.validate_params()
    except Exception:  # names are foreign text, and ir-measures raises errors of many kinds
        return None
    return measure


def _is_total(measure: Any) -> bool:
    """Try rankings of every kind: a hit, one alone, after others, none, nothing ranked, nothing relevant."""
    import ir_measures

    grades = {query: {"a": 1, "b": 0} for query in ("first", "alone", "second", "missed", "unranked")}
    grades["irrelevant"] = {"a": 0}
    run = {"first": "ac", "alone": "a", "second": "ca", "missed": "c", "irrelevant": "ac"}
    scored = {query: {item: -float(rank) for rank, item in enumerate(items)} for query, items in run.items()}
    try:
        values = [found.value for found in ir_measures.evaluator([measure], grades).iter_calc(scored)]
    except Exception:  # of any provider
        return False
    return bool(values) and all(math.isfinite(value) for value in values)
