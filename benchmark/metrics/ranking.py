"""Ranking metrics of a written TREC run, by ir-measures; a judged query that the run lacks counts 0.

`R@k`, `nDCG@k`, `AP@k` and `RR@k` are ir-measures' (trec_eval's): an item is relevant from grade 1, nDCG takes the
grades as gains and its ideal from all judged items, AP@k divides by all relevant items.

LMIndexer's code reads two of them differently. Both readings are here under their own names:

    nDCG@5 (published)   the ideal DCG sorts the hits among the k retrieved items only (gains 0 or 1)
    AP@5 (published)     mean of the precision at each hit, divided by the hits found

With 5 relevant items and a single hit, at rank 1, both say 1.0; nDCG@5 says 0.34 and AP@5 0.2. With one relevant
item the readings agree.

`R@k`, `nDCG@k` and `RR@k` of semantic IDs also come as `(strict)`, `(expected)` and `(optimistic)`: see
`benchmark.metrics.collisions`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmark.errors import BenchmarkError, DataError
from benchmark.files import write_lines
from benchmark.metrics.collisions import IdGroups, collision_aware, is_collision_aware
from benchmark.types.trec import Judgment, Run, read_run

RECOMMENDATION = ("R@5", "R@10", "nDCG@5", "nDCG@10", "RR@20")
SEARCH = ("nDCG@5", "AP@5", "R@1", "R@10", "nDCG@10", "RR@10", "nDCG@5 (published)", "AP@5 (published)")

Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class RankingScores:
    """Means over the judged queries, and the value of every query [n_queries] in the order of `query_ids`."""

    means: dict[str, float]
    per_query: dict[str, Float64]
    query_ids: list[str]


def score_run(
    run_path: Path, qrels: Iterable[Judgment], measures: Sequence[str], groups: IdGroups | None = None
) -> RankingScores:
    """Score a TREC run file: see `score_rankings`."""
    try:
        return score_rankings(read_run(run_path), qrels, measures, groups)
    except BenchmarkError as error:
        raise type(error)(f"{run_path}: {error}") from None


def score_rankings(
    run: Run, qrels: Iterable[Judgment], measures: Sequence[str], groups: IdGroups | None = None
) -> RankingScores:
    """Score rankings against (query, item, grade) judgments; every judged query counts, found or not.

    A negative grade counts as 0: trec_eval's code, which ir-measures calls, crashes where all grades of a query are
    negative.
    The collision-aware measures need `groups`: which items share an ID before the dedup counter.
    """
    grades: dict[str, dict[str, int]] = {}
    for query, item, grade in qrels:
        grades.setdefault(query, {})[item] = max(int(grade), 0)
    if not grades:
        raise BenchmarkError("there are no judgments to score it with")
    run = {query: items for query, items in run.items() if query in grades}
    published = [name for name in measures if name.endswith(" (published)")]
    aware = [name for name in measures if is_collision_aware(name)]
    found = _by_ir_measures([name for name in measures if name not in {*published, *aware}], grades, run)
    hits = _hits(grades, run, max((_cutoff(name) for name in published), default=0))
    found |= {name: _published(name, hits) for name in published}
    if aware and groups is None:
        raise BenchmarkError(f"{aware[0]} needs the IDs of the items")
    if groups is not None:
        found |= collision_aware(aware, grades, run, groups)
    per_query = {name: found[name] for name in measures}
    return RankingScores({name: float(values.mean()) for name, values in per_query.items()}, per_query, list(grades))


def _by_ir_measures(names: Sequence[str], grades: dict[str, dict[str, int]], run: Run) -> dict[str, Float64]:
    """Per-query values from ir-measures, 0 where the run has nothing [n_queries]."""
    import ir_measures

    parsed: dict[Any, str] = {}
    for name in names:
        try:
            parsed[ir_measures.parse_measure(name)] = name
        except (NameError, ValueError, SyntaxError) as error:
            raise BenchmarkError(f"ir-measures does not know the measure '{name}': {error}") from None
    row = {query: index for index, query in enumerate(grades)}
    values = {name: np.zeros(len(grades)) for name in names}
    if run and names:
        for query, measure, value in ir_measures.evaluator(list(parsed), grades).iter_calc(run):
            if not np.isfinite(value):
                raise BenchmarkError(f"ir-measures gives {value} for {parsed[measure]} of '{query}': it has no mean")
            values[parsed[measure]][row[query]] = value
    return values


def _hits(grades: dict[str, dict[str, int]], run: Run, depth: int) -> Float64:
    """1 where the item at a rank is relevant [n_queries, depth], in trec_eval's order."""
    hits = np.zeros((len(grades), depth))
    for row, (query, judged) in enumerate(grades.items()):
        for rank, item in zip(range(depth), run.get(query, ()), strict=False):
            hits[row, rank] = judged.get(item, 0) >= 1
    return hits


def _published(name: str, hits: Float64) -> Float64:
    """LMIndexer's reading of nDCG@k or AP@k from the hits [n_queries, >= k]."""
    hits = hits[:, : _cutoff(name)]
    found = hits.sum(axis=1)
    ranks = np.arange(1, hits.shape[1] + 1)
    if name.startswith("nDCG@"):
        discount = 1 / np.log2(ranks + 1)
        ideal = np.r_[0.0, np.cumsum(discount)][found.astype(np.int64)]
        return np.asarray((hits @ discount) / np.where(found > 0, ideal, 1.0))
    precision = np.cumsum(hits, axis=1) / ranks
    return np.asarray((precision * hits).sum(axis=1) / np.maximum(found, 1))


def _cutoff(name: str) -> int:
    match = re.fullmatch(r"(?:nDCG|AP)@(\d+) \(published\)", name)
    if match is None:
        raise BenchmarkError(f"unknown measure '{name}': only nDCG@k and AP@k have a published reading")
    return int(match[1])


def write_scores(path: Path, scores: RankingScores) -> None:
    """Write the per-query values as TSV (query id, then one column a measure); the file appears when it is whole."""
    columns = [map(repr, values.tolist()) for values in scores.per_query.values()]
    rows = [("query", *scores.per_query), *zip(scores.query_ids, *columns, strict=True)]
    write_lines(path, ("\t".join(row) + "\n" for row in rows))


def read_scores(path: Path) -> RankingScores:
    """Read what `write_scores` wrote."""
    header, *lines = path.read_text("utf-8").split("\n")[:-1] or [""]
    names = header.split("\t")[1:]
    table = np.zeros((0, len(names)))
    if lines and names:
        columns = range(1, len(names) + 1)
        try:
            table = np.loadtxt(
                path, delimiter="\t", skiprows=1, usecols=columns, ndmin=2, comments=None, encoding="utf-8"
            )
        except ValueError as error:
            raise DataError(f"{path}: not a table of one number per query and measure: {error}") from None
    per_query = {name: table[:, column] for column, name in enumerate(names)}
    means = {name: float(values.mean()) if len(values) else 0.0 for name, values in per_query.items()}
    return RankingScores(means, per_query, [line.partition("\t")[0] for line in lines])
