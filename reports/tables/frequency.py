"""Recommendation by how often the next item was taken in the training histories: from never to often.

A mean over all users is carried by items that many took. What a method does with rare items, and with items that nobody
took in training, stands here: the users are grouped by their next item.
"""

from __future__ import annotations

from collections import Counter
from typing import ClassVar

import numpy as np

from benchmark.reports.tables.bands import MEASURE, Banded
from benchmark.results.result_files import Result
from benchmark.types.trec import read_qrels

LEAST = (0, 1, 5, 10, 20)  # training events of the next item: where each band begins


class ByFrequency(Banded):
    """Columns are bands of users, by the training events of their next item."""

    names: ClassVar[tuple[str, ...]] = ("0", "1 to 4", "5 to 9", "10 to 19", "20 or more")

    def groups_of_users(self, result: Result) -> dict[str, int] | None:
        """Return user -> band of the next item."""
        histories, judgments = result.histories_file, result.folder / "qrels.recommendation.txt"
        if not histories.is_file() or not judgments.is_file():
            return None
        with histories.open(encoding="utf-8") as file:
            taken = Counter(item for line in file for item in line.split()[1:])
        return {user: int(np.searchsorted(LEAST, taken[item], "right")) - 1 for user, item, _ in read_qrels(judgments)}


BY_FREQUENCY = ByFrequency(
    "recommendation-by-frequency", "Next-item recommendation by training events of the next item", "recommendation", (),
    (f"{MEASURE} of the users (n) whose next item occurs so often in the training histories.",), group="details",
)  # fmt: skip
