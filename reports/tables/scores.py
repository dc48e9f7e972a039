"""Values per query or user, read once per report, and the intervals of their means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import isinf
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmark.errors import DataError
from benchmark.metrics.bounded import bounded_differences, bounded_intervals, is_coarse, is_skewed
from benchmark.metrics.lookup import find_metric
from benchmark.metrics.ranking import RankingScores, read_scores
from benchmark.metrics.significance import bootstrap_draws, over_seeds, resampled_means
from benchmark.results.digests import is_file_changed

Values = NDArray[np.float64]
DECIMALS = 8  # of limits: sums differ by rounding from one processor to another, and must not in a report
Stamp = tuple[Path, int, int]  # a file, its size and its time: what was read is kept while these stay


@dataclass(frozen=True)
class Limits:
    """A 95% interval over seeds and queries or users, and how it was made.

    'bootstrap'; 'bounded' for rare hits or misses; 'exact' for hits and misses that are not rare, but few.
    """

    low: float
    high: float
    kind: str = "bootstrap"


Intervals = dict[str, Limits]  # by measure

_intervals: dict[tuple[Stamp, ...], Intervals] = {}


def query_values(paths: Sequence[Path], measures: Sequence[str]) -> tuple[list[str], Values] | None:
    """Return (query ids, values [seeds, queries, measures]) of one row, nan where a file lacks a measure.

    None where a seed's file is missing, damaged or of other queries.
    """
    found = [_read(stamp) if (stamp := _stamp(path)) else None for path in paths]
    seeds = [scores for scores in found if scores is not None]
    if not seeds or len(seeds) < len(found) or not seeds[0].query_ids:
        return None
    ids, tables = seeds[0].query_ids, []
    for scores in seeds:
        table = np.full((len(scores.query_ids), len(measures)), np.nan)
        for column, measure in enumerate(measures):
            table[:, column] = scores.per_query.get(measure, np.nan)
        aligned = align((scores.query_ids, table), ids)
        if aligned is None:
            return None
        tables.append(aligned)
    return ids, np.stack(tables)


def align(table: tuple[list[str], Values], ids: list[str]) -> Values | None:
    """Return values [queries, ..] in the order of `ids`, or None when they are of other queries."""
    own, values = table
    if own == ids:
        return values
    row_of = {query: row for row, query in enumerate(own)}
    if len(own) != len(ids) or any(query not in row_of for query in ids):
        return None
    return values[[row_of[query] for query in ids]]


def align_seeds(table: tuple[list[str], Values], ids: list[str]) -> Values | None:
    """Return values [seeds, queries, measures] in the order of `ids`, or None when they are of other queries."""
    own, values = table
    found = align((own, values.transpose(1, 0, 2)), ids)
    return None if found is None else found.transpose(1, 0, 2)


def intervals(files: Sequence[Sequence[Path]], measures: Sequence[str]) -> list[Intervals]:
    """Return each row's 95% intervals over seeds and queries, from files [rows][seeds].

    A measure is absent where a seed lacks its values per query. Rows of equally many queries are resampled jointly.
    """
    keys = [tuple(stamp for path in paths if (stamp := _stamp(path))) for paths in files]
    waiting: dict[int, list[tuple[Intervals, list[str], Values]]] = {}
    for key, paths in zip(keys, files, strict=True):
        known = _intervals.setdefault(key, {})
        if len(key) < len(paths) or not (table := query_values(paths, measures)):
            continue
        new = [i for i, m in enumerate(measures) if m not in known and np.isfinite(table[1][:, :, i]).all()]
        if new:
            waiting.setdefault(len(table[0]), []).append((known, [measures[i] for i in new], table[1][:, :, new]))
    for rows in waiting.values():
        for (known, names, values), draws in zip(rows, bootstrap_draws([values for *_, values in rows]), strict=True):
            low, high = np.quantile(draws, (0.025, 0.975), axis=0).round(DECIMALS).tolist()
            known.update({name: Limits(low[i], high[i]) for i, name in enumerate(names)} | _bounded(names, values))
    return [_intervals[key] if len(key) == len(paths) else {} for key, paths in zip(keys, files, strict=True)]


def limits(measure: str, values: Values) -> Limits:
    """Return the 95% interval of one measure's values [seeds, queries]."""
    table = values[:, :, None]
    if found := _bounded([measure], table):
        return found[measure]
    (draws,) = bootstrap_draws([table])
    low, high = np.quantile(draws, (0.025, 0.975)).round(DECIMALS).tolist()
    return Limits(low, high)


def difference_limits(
    measures: Sequence[str], a: Values, others: Sequence[Values], swapped: Sequence[bool]
) -> list[tuple[Values, Values]]:
    """Return the 95% limits (low, high) [measures] of mean(a) - mean(b) for each b of the others.

    Values are [seeds, queries, measures] of the same queries, which are resampled jointly; seeds of a and b apart, each
    by a stream of its own. `swapped` says of each pair that b takes the first stream: where it is that of a row's place
    among the names (`is_swapped`), a - b and b - a have the same limits. Where few queries differ the limits are
    Gaffke's (`benchmark.metrics.bounded`).
    """
    of_a, *of_others = resampled_means([a, *others])
    found = []
    for b, of_b, swap in zip(others, of_others, swapped, strict=True):
        draws = over_seeds(of_a, stream=int(swap)) - over_seeds(of_b, stream=int(not swap))
        low, high = np.quantile(draws, (0.025, 0.975), axis=0)
        skewed = is_skewed(a.mean(axis=0) - b.mean(axis=0))
        ranges = value_ranges(measures, a, b)
        if rare := [i for i in ranges if skewed[i]]:
            first, second, of_rare = a[:, :, rare], b[:, :, rare], [ranges[i] for i in rare]
            if swap:
                high[rare], low[rare] = (-limit for limit in bounded_differences(second, first, of_rare))
            else:
                low[rare], high[rare] = bounded_differences(first, second, of_rare)
        found.append((low.round(DECIMALS), high.round(DECIMALS)))
    return found


def is_swapped(a: Sequence[Path], b: Sequence[Path]) -> bool:
    """Say whether the files of row b, of a label and a key, come before those of row a."""
    return [path.parts[-4:] for path in b] < [path.parts[-4:] for path in a]


def value_ranges(measures: Sequence[str], *tables: Values) -> dict[int, tuple[float, float]]:
    """Return the least and the largest value that a metric can have, by its place; of those that have both.

    A metric whose values in the tables [seeds, queries, measures] leave the range that it declares has none.
    """
    metrics = {i: metric for i, name in enumerate(measures) if (metric := find_metric(name))}
    return {
        i: metric.range
        for i, metric in metrics.items()
        if not isinf(sum(metric.range))
        and all(t[:, :, i].min() >= metric.range[0] and t[:, :, i].max() <= metric.range[1] for t in tables)
    }


def _bounded(measures: Sequence[str], values: Values) -> Intervals:
    """Return the intervals of the measures of values [seeds, queries, measures] whose bootstrap is too short."""
    skewed = is_skewed(values.mean(axis=0))
    ranges = {i: r for i, r in value_ranges(measures, values).items() if skewed[i] or is_coarse(values[:, :, i], r)}
    found: Intervals = {}
    for i, of_measure in ranges.items():  # one by one: the draws must not depend on which columns are shown
        ((low,), (high,)) = bounded_intervals(values[:, :, [i]], [of_measure]).round(DECIMALS).tolist()
        found[measures[i]] = Limits(low, high, "bounded" if skewed[i] else "exact")
    return found


def _stamp(path: Path) -> Stamp | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return path, status.st_size, status.st_mtime_ns


@cache
def _read(stamp: Stamp) -> RankingScores | None:
    path = stamp[0]
    try:
        return None if is_file_changed(path.parent, path.name) else read_scores(path)
    except (OSError, DataError):
        return None
