"""Recommendation by how often the next item was taken in the training histories: from never to often.

A mean over all users is carried by items that many took. What a method does with rare items, and with items that nobody
took in training, stands here: the users are grouped by their next item.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from benchmark.reports.tables.captions import remarks_of_runs
from benchmark.reports.tables.cells import interval_notes, limits_cell
from benchmark.reports.tables.columns import column
from benchmark.reports.tables.layout import Cell, FilledTable, Row
from benchmark.reports.tables.scores import Values, limits, query_values
from benchmark.reports.tables.table import Table
from benchmark.results.result_files import Result
from benchmark.types.trec import read_qrels

MEASURE = "R@10"
LEAST = (0, 1, 5, 10, 20)  # training events of the next item: where each band begins
NAMES = ("0", "1 to 4", "5 to 9", "10 to 19", "20 or more")

Int64 = NDArray[np.int64]


class ByFrequency(Table):
    """Columns are bands of users, by the training events of their next item."""

    def fill(self, results: Iterable[Result]) -> list[FilledTable]:
        """Return one table per protocol, none where the histories or judgments are not there."""
        whole = Table(self.name, self.title, self.task, (column(self.task, MEASURE),))
        return [banded for filled in whole.fill(results) if (banded := self._banded(filled)) is not None]

    def _banded(self, filled: FilledTable) -> FilledTable | None:
        bands = next((found for row in filled.rows if (found := _bands(row.results[0])) is not None), None)
        if bands is None:
            return None
        n_users = np.bincount(list(bands.values()), minlength=len(NAMES))
        shown = np.flatnonzero(n_users).tolist()
        columns = tuple(
            column(
                self.task,
                MEASURE,
                key=f"{MEASURE}.{NAMES[band]}",
                header=f"{NAMES[band]} (n = {n_users[band]:,})",
                source="bands",
            )
            for band in shown
        )
        rows = tuple(replace(row, cells=_cells(row, bands, shown)) for row in filled.rows)
        labels, groups = [row.label for row in rows], [row.results for row in rows]
        notes = (*self.footnotes, *interval_notes([(r.label, r.cells) for r in rows]), *remarks_of_runs(labels, groups))
        return FilledTable(self, columns, rows, filled.caption, notes)


def _bands(result: Result) -> dict[str, int] | None:
    """Return user -> band of the next item."""
    histories = result.histories_file
    judgments = result.folder / "qrels.recommendation.txt"
    if not histories.is_file() or not judgments.is_file():
        return None
    with histories.open(encoding="utf-8") as file:
        taken = Counter(item for line in file for item in line.split()[1:])
    return {user: int(np.searchsorted(LEAST, taken[item], "right")) - 1 for user, item, _ in read_qrels(judgments)}


def _cells(row: Row, bands: dict[str, int], shown: list[int]) -> tuple[Cell, ...]:
    found = query_values([result.scores_file("recommendation") for result in row.results], [MEASURE])
    if found is None or any(user not in bands for user in found[0]) or not np.isfinite(found[1]).all():
        return tuple(Cell() for _ in shown)
    band = np.array([bands[user] for user in found[0]])
    return tuple(_cell(row, found[1][:, band == number, 0]) for number in shown)


def _cell(row: Row, values: Values) -> Cell:
    """The mean and its interval of values [seeds, users]."""
    cell = limits_cell(float(values.mean()), len(row.results), limits(MEASURE, values))
    return replace(cell, results=row.results)


BY_FREQUENCY = ByFrequency(
    "recommendation-by-frequency", "Next-item recommendation by training events of the next item", "recommendation", (),
    (f"{MEASURE} of the users (n) whose next item occurs so often in the training histories.",), group="details",
)  # fmt: skip
