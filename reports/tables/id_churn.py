"""ID churn: do the events after a cut in time need IDs that no event before it has? See `benchmark.metrics.churn`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import ClassVar

from benchmark.errors import DataError
from benchmark.metrics.churn import churn
from benchmark.reports.tables.cells import Seeds, mean_cell
from benchmark.reports.tables.columns import columns
from benchmark.reports.tables.from_files import FromFiles
from benchmark.reports.tables.layout import Cell, FilledTable
from benchmark.results.result_files import Result, read_id_lines
from benchmark.types.trec import read_qrels

TASK = "recommendation"
MEASURES = ("new_item", "new_prefix@1", "new_prefix@2", "new_prefix@3", "code_drift@1")
Events = tuple[list[str], list[str]]  # items of the training events, and of the later ones


@dataclass(frozen=True)
class IdChurn(FromFiles):
    """A row for each indexer of the table `recommendation`, for splits by time."""

    base: ClassVar[str] = "R@10"

    def fill(self, results: Iterable[Result]) -> list[FilledTable]:
        """Return one table per protocol that splits by time."""
        of_time = [r for r in results if r.kind == "indexer" and r.of_histories.get("split", "").startswith("time")]
        return super().fill(of_time)

    def shared(self, result: Result) -> Events | None:
        """Return the events before and after the cut."""
        try:
            with result.histories_file.open(encoding="utf-8") as file:
                earlier = [item for line in file for item in line.split()[1:]]
            return earlier, [item for _, item, _ in read_qrels(result.folder / f"qrels.{TASK}.txt")]
        except (OSError, DataError):
            return None

    def cells(self, shared: Events, seeds: Seeds) -> dict[str, Cell]:
        """Return means over seeds."""
        try:
            found = [churn(read_id_lines(result.folder / "ids.tsv"), *shared) for result in seeds]
        except (DataError, KeyError):
            return {}
        names = [name for name in MEASURES if all(name in values for values in found)]
        return {name: replace(mean_cell([values[name] for values in found]), results=seeds) for name in names}


ID_CHURN = IdChurn(
    "id-churn", "ID churn: later events whose codes no earlier event has", TASK, columns(TASK, *MEASURES),
    (
        "Events after the cut in time are each test user's next item, events before it the training histories. All "
        "values are taken before the dedup counter.",
    ),
    group="details",
)  # fmt: skip
