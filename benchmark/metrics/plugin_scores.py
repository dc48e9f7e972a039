"""The values of plugins' metrics, checked against what they declare."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from importlib.metadata import EntryPoint
from numbers import Real
from typing import TYPE_CHECKING

import numpy as np

from benchmark.errors import BenchmarkError
from benchmark.metrics.lookup import plugins
from benchmark.metrics.metric import IdMetric, Metric, QueryMetric

if TYPE_CHECKING:
    from benchmark.metrics.ranking import RankingScores
    from benchmark.types.codes import Codes
    from benchmark.types.data import Corpus, Histories
    from benchmark.types.trec import Judgment, Run

SLACK = 1e-9  # by which rounding may leave a declared range


def score_ids(codes: Codes, corpus: Corpus, histories: Histories | None) -> dict[str, float]:
    """Return the plugins' metrics of semantic IDs; those that are undefined here are absent."""
    values = {}
    for entry, metric in plugins():
        if isinstance(metric, IdMetric):
            try:
                value = metric.compute(codes, corpus, histories)
            except Exception as error:
                raise _failed(entry, metric, error) from error
            if value is not None:
                values[metric.name] = _checked(entry, metric, value)
    return values


def add_query_scores(
    task: str, scores: RankingScores, read_run: Callable[[], Run], judgments: Iterable[Judgment]
) -> RankingScores:
    """Return the scores of a run with those of the plugins' metrics of this task; without any, the run is not read."""
    found = [(entry, metric) for entry, metric in plugins() if task in metric.tasks]
    wanted = [(entry, metric) for entry, metric in found if isinstance(metric, QueryMetric)]
    if not wanted:
        return scores
    run = read_run()
    grades: dict[str, dict[str, int]] = {}
    for query, item, grade in judgments:
        grades.setdefault(query, {})[item] = int(grade)
    per_query = dict(scores.per_query)
    for entry, metric in wanted:
        values = [_score(entry, metric, run.get(query, {}), grades[query]) for query in scores.query_ids]
        per_query[metric.name] = np.array(values, np.float64)
    means = {name: float(values.mean()) for name, values in per_query.items()}
    return replace(scores, means=means, per_query=per_query)


def _score(entry: EntryPoint, metric: QueryMetric, ranked: Mapping[str, float], grades: Mapping[str, int]) -> float:
    try:
        value = metric.compute(tuple(ranked), dict(grades))
    except Exception as error:
        raise _failed(entry, metric, error) from error
    return _checked(entry, metric, value)


def _failed(entry: EntryPoint, metric: Metric, error: Exception) -> BenchmarkError:
    return BenchmarkError(f"the metric '{metric.name}' ({entry.value}) failed: {type(error).__name__}: {error}")


def _checked(entry: EntryPoint, metric: Metric, value: object) -> float:
    low, high = metric.range
    number = float(value) if isinstance(value, Real) else float("nan")
    if not (np.isfinite(number) and low - SLACK <= number <= high + SLACK):
        raise BenchmarkError(
            f"the metric '{metric.name}' ({entry.value}) gave {value!r}; expected a number {metric.range_text}"
        )
    return number
