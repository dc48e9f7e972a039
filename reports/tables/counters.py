"""Which rows owe their ranking to the dedup counter, said below tables that do not show the readings without it."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from benchmark.metrics.collisions import is_collision_aware, readings
from benchmark.reports.tables.layout import Column
from benchmark.results.result_files import Result

LEFT = 0.8  # a row is named where less than this share of its value is left


def remarks_on_counters(
    task: str, columns: Sequence[Column], labels: Sequence[str], groups: Sequence[tuple[Result, ...]]
) -> list[str]:
    """Return a remark on the first column that has an expected reading; none where the table shows readings."""
    if any(is_collision_aware(column.measure) for column in columns):
        return []
    measure = next((column.measure for column in columns if readings([column.measure])), "")
    expected = f"{measure} (expected)"
    named = []
    for label, seeds in zip(labels, groups, strict=True):
        own = [result.metrics[task] for result in seeds if expected in result.metrics.get(task, {})]
        if own and fmean(values[expected] for values in own) < LEFT * fmean(values[measure] for values in own):
            named.append(f"{label} {fmean(values[expected] for values in own):.4f}")
    if not named:
        return []
    return [
        "Items of these rows share IDs, and which of them comes first is up to a token that means nothing. With such "
        f"items in random order their {measure} is: {', '.join(named)} (the columns strict, expected and optimistic)."
    ]
