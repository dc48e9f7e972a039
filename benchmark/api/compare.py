"""Saying whether one row is better than another: what `benchmark compare` and `Results.compare` do."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from benchmark.registry import load
from benchmark.results.result_files import RUNS, Result, newest, results_below, versions_apart
from benchmark.terminal import table_lines, width_there

HEADER = ("", "A", "B", "A - B", "95% interval", "p", "p (Holm)", "A > B", "A < B")
COUNTS = 2  # the last columns, which a narrow terminal has no room for


@dataclass(frozen=True)
class Comparison:
    """Two rows compared, task by task; prints as `benchmark compare` does."""

    tasks: tuple[Any, ...]  # one TaskComparison of `benchmark.reports.tables.comparison` per task

    def __str__(self) -> str:
        lines = []
        for one in self.tasks:
            of_a, of_b = map(_seeds, one.seeds)
            what = "; ".join(filter(None, (", ".join(filter(None, (one.dataset, one.task))), one.protocol)))
            lines += [f"{what}: A = {one.a}{of_a}, B = {one.b}{of_b}", ""]
            lines += [*_table(one.metrics), ""] if one.metrics else []
            lines += [*textwrap.wrap(one.sentence, width_there()), ""]
        return "\n".join(lines)

    __repr__ = __str__

    def to_dicts(self) -> list[dict[str, Any]]:
        """Return one dictionary per task and protocol, with a list of metrics."""
        return [
            {
                "task": one.task, "dataset": one.dataset, "protocol": one.protocol, "a": one.a, "b": one.b,
                "sentence": one.sentence,
                "metrics": [{key: value for key, value in vars(m).items() if key != "task"} for m in one.metrics],
            }
            for one in self.tasks
        ]  # fmt: skip

    def to_frame(self) -> Any:
        """Return a pandas frame with one row per protocol, task and metric."""
        import pandas

        return pandas.DataFrame([
            {"dataset": one.dataset, "protocol": one.protocol, "a": one.a, "b": one.b, **vars(m)}
            for one in self.tasks for m in one.metrics
        ])  # fmt: skip


def compare(
    a: str, b: str, *, dataset: str | None = None, task: str | None = None, runs: str | PathLike[str] = RUNS
) -> Comparison:
    """Compare two labels, or folders of results, below a folder of runs.

    Raises UsageError, a ValueError, for rows that are not there or not one of each, and where there are no results.
    """
    found = results_below(Path(runs))
    results = versions_apart(found) if any(map(_is_folder, (a, b))) else newest(found)  # a folder may be of any version
    return compare_results(results, a, b, dataset=dataset, task=task, runs=Path(runs))


def compare_results(
    results: Sequence[Result], a: str, b: str, *, dataset: str | None = None, task: str | None = None, runs: Path
) -> Comparison:
    """Compare two labels, or folders of results, among these results."""
    return Comparison(tuple(load("tool", "compare")(results, a, b, dataset=dataset, task=task, runs=runs)))


def _seeds(seeds: Sequence[int]) -> str:
    """Return ' (seeds 0, 1)'; '' where rankings came from one file, of which no seed is known."""
    return f" (seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, seeds))})" if seeds else ""


def _is_folder(name: str) -> bool:
    return Path(name).is_dir()


def _table(compared: Sequence[Any]) -> list[str]:
    rows = []
    for c in compared:
        interval = "–" if c.low is None else f"[{c.low:+.4f}, {c.high:+.4f}]"
        p_values = ["–" if p is None else f"{p:.4f}" for p in (c.p, c.p_holm)]
        counts = [f"{count:,}" for count in (c.wins, c.losses) if count is not None]
        rows.append([c.measure, f"{c.a:.4f}", f"{c.b:.4f}", f"{c.difference:+.4f}", interval, *p_values, *counts])
    lines = table_lines(rows, header=HEADER[: len(rows[0])], numbers=True)
    if len(rows[0]) == len(HEADER) and max(map(len, lines)) > width_there():  # a narrow terminal
        return table_lines([row[:-COUNTS] for row in rows], header=HEADER[:-COUNTS], numbers=True)
    return lines
