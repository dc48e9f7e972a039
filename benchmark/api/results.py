"""Results in Python: as a frame, as tables, compared. They are read from result files, as every report is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

from benchmark.api.archive import opened_runs
from benchmark.api.compare import Comparison, compare_results
from benchmark.errors import UsageError
from benchmark.results import result_files
from benchmark.results.registered_tables import fill_tables, render
from benchmark.results.result_files import RUNS, Result
from benchmark.results.settings import changes_as_text

COLUMNS = [
    "dataset", "fingerprint", "method", "label", "preset", "changed", "text_fields", "split", "ties", "queries",
    "first_look", "code", "key", "seed", "task", "metric", "value",
]  # fmt: skip


@dataclass(frozen=True)
class Tables:
    """Filled tables: rendered in a notebook, printed in a terminal, or as text in any registered format."""

    filled: tuple[Any, ...]

    def __str__(self) -> str:
        return self.text("terminal")

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return self.text("notebook")

    def text(self, style: str) -> str:
        """Return the tables in a registered format: terminal, md, latex, csv, json, html, notebook."""
        return render(self.filled, style)


@dataclass(frozen=True)
class Results:
    """Results of methods on data sets, one per row, configuration and seed.

    `failures` are the cells that could not be computed, with the reason; a result file that cannot be read has a
    `problem` and no metrics.
    """

    results: tuple[Result, ...]
    failures: Mapping[str, str] = field(default_factory=dict)
    runs: Path = RUNS

    def __len__(self) -> int:
        return len(self.results)

    def __iter__(self) -> Iterator[Result]:
        return iter(self.results)

    def __repr__(self) -> str:
        labels = ", ".join(dict.fromkeys(result.label for result in self.results if not result.problem))
        failed = f"; {len(self.failures)} cells failed" if self.failures else ""
        return f"<{len(self.results)} results: {labels or 'none'}{failed}>"

    def _repr_html_(self) -> str:
        return self.table()._repr_html_()

    def to_frame(self) -> Any:
        """Return a pandas frame with one row per method, seed, task and metric.

        `fingerprint` is that of the data, `changed` what `--set` changed in the preset, `first_look` the number that
        `--limit` gave ('' for all users and queries), `code` the hash of the suite's code. `key` stands for all that
        decides a result but its seed: no two rows share data set, label, key, seed, task and metric.
        """
        import pandas

        rows = [
            (
                result.dataset["name"], result.dataset["fingerprint"], result.method, result.label, result.preset,
                changes_as_text(result.changed), ",".join(result.text_fields),
                result.of_histories.get("split", "leave-one-out"), result.of_histories.get("ties", "file"),
                result.query_protocol if task == "search" else None, str(result.first_look or ""), result.code,
                result.key, result.seed, task, metric, value,
            )
            for result in self.results if not result.problem
            for task, values in result.metrics.items()
            for metric, value in values.items()
        ]  # fmt: skip
        return pandas.DataFrame(rows, columns=COLUMNS)

    def table(self, *names: str) -> Tables:
        """Return the named tables or groups of tables; without a name, all of the suite's own that have rows.

        Raises UsageError, a ValueError, for an unknown name.
        """
        return Tables(tuple(fill_tables(self.results, names or None)))

    def compare(self, a: str, b: str, task: str | None = None) -> Comparison:
        """Say, task by task and metric by metric, whether one row is better than another."""
        if not self.results:
            raise UsageError("compare: there are no results")
        return compare_results(self.results, a, b, task=task, runs=self.runs)


def load_results(runs: str | PathLike[str] = RUNS, *, all_versions: bool = False) -> Results:
    """Return the results below a folder of runs: the newest of each row and seed.

    With `all_versions`, results that older versions of the suite left behind come too, as rows of their own. Raises
    UsageError, a ValueError, where there are none. `runs` may be an archive that `benchmark archive` wrote.
    """
    folder = opened_runs(Path(runs))
    found: Sequence[Result] = result_files.results_below(folder)
    chosen = result_files.versions_apart(found) if all_versions else result_files.newest(found)
    return Results(tuple(chosen), runs=folder)
