"""Scoring rankings of any system against judgments, without a data set: what `benchmark score` does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.api.compare import Comparison
from benchmark.api.run_request import labelled_runs
from benchmark.errors import DataError, UsageError
from benchmark.files import home_path
from benchmark.metrics.named import measure_names
from benchmark.metrics.ranking import score_rankings
from benchmark.registry import load
from benchmark.terminal import table_lines
from benchmark.types.trec import one_score_note, ranking_files, read_qrels, read_ranking_file

METRICS = "nDCG@10 R@10 RR@10 AP"
ANY_DEPTH = 1_000_000


@dataclass(frozen=True)
class Scores:
    """Means of each run with their 95% intervals, and the first run compared with each other one."""

    queries: int
    means: Mapping[str, Mapping[str, tuple[float, float, float]]]  # label -> metric -> mean, low, high
    seeds: Mapping[str, int]  # label -> files
    comparisons: tuple[Comparison, ...]
    notes: tuple[str, ...]

    def __str__(self) -> str:
        rows = [
            [label if place == 0 else "", name, f"{mean:.4f}", f"[{low:.4f}, {high:.4f}]"]
            for label, of_metrics in self.means.items()
            for place, (name, (mean, low, high)) in enumerate(of_metrics.items())
        ]
        said = f"{self.queries:,} judged queries; the interval is of the mean over queries" + (
            " and seeds" if max(self.seeds.values()) > 1 else ""
        )
        header = ("run", "metric", "mean", "95% interval")
        lines = [*table_lines(rows, header=header, numbers=True), "", f"{said}.", *self.notes, ""]
        return "\n".join([*lines, *map(str, self.comparisons)]).rstrip("\n")

    __repr__ = __str__

    def to_dict(self) -> dict[str, Any]:
        """Return what `benchmark score --json` prints."""
        return {
            "queries": self.queries,
            "runs": {
                label: {name: dict(zip(("mean", "low", "high"), found, strict=True)) for name, found in of.items()}
                for label, of in self.means.items()
            },
            "comparisons": [one for comparison in self.comparisons for one in comparison.to_dicts()],
            "notes": list(self.notes),
        }  # fmt: skip


def score(
    qrels: str | PathLike[str],
    runs: Mapping[str, str | PathLike[str]] | Sequence[str | Path],
    *,
    metrics: str | Sequence[str] = METRICS,
) -> Scores:
    """Score TREC runs, or CSV files query,item,score, against TREC judgments.

    `runs` are files, or LABEL=FILE; {seed} in a name stands for several seeds of one system. `metrics` are ir-measures'
    names. A judged query that a run lacks counts 0, and a query without judgments does not count. The first run is
    compared with each other one as `benchmark compare` does. Raises UsageError for names that cannot be, DataError for
    files that are missing or damaged.
    """
    names = measure_names(metrics, ANY_DEPTH)
    if not names:
        raise UsageError("--metrics: name at least one")
    judgments = _judgments(home_path(Path(qrels)))
    judged = {query for query, _, _ in judgments}
    values, notes = {}, []
    for label, pattern in labelled_runs(runs).items():
        tables = []
        for file in ranking_files(home_path(pattern)):
            run = read_ranking_file(file)
            if judged.isdisjoint(run):
                raise DataError(f"{file}: none of its {len(run):,} queries is among the {len(judged):,} judged ones")
            if lacking := len(judged - run.keys()):
                notes.append(f"{file.name}: {lacking:,} judged queries are not in it and count 0.")
            if others := len(run.keys() - judged):
                notes.append(f"{file.name}: {others:,} queries have no judgments and do not count.")
            if said := one_score_note(file, (run[query] for query in judged & run.keys()), "queries"):
                notes.append(f"{file.name}: {said}.")
            scores = score_rankings(run, judgments, names)
            tables.append(np.column_stack([scores.per_query[name] for name in names]))
        values[label] = np.stack(tables)  # [seeds, queries, metrics]
    means, compared = load("tool", "score")(values, names, Path(qrels).name)
    seeds = {label: len(table) for label, table in values.items()}
    return Scores(len(judged), means, seeds, tuple(Comparison((one,)) for one in compared), tuple(notes))


def _judgments(path: Path) -> list[tuple[str, str, int]]:
    try:
        found = read_qrels(path)
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read ({error})") from None
    if not found:
        raise DataError(f"{path}: it holds no judgments")
    return found
