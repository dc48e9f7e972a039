"""Beyond accuracy: what each recommender shows, from the stored rankings, the training histories and the items.

See `benchmark.metrics.beyond_accuracy`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import ClassVar

import numpy as np

from benchmark.errors import DataError
from benchmark.metrics.beyond_accuracy import OF_RUN, OF_USER, K, of_run, of_users
from benchmark.reports.tables.cells import Seeds, limits_cell, mean_cell
from benchmark.reports.tables.columns import columns
from benchmark.reports.tables.from_files import FromFiles
from benchmark.reports.tables.layout import Cell
from benchmark.reports.tables.scores import limits
from benchmark.results.result_files import Result
from benchmark.types.arrays import Int64
from benchmark.types.trec import read_qrels, read_run

TASK = "recommendation"
ACCURACY = "R@10"


@dataclass(frozen=True)
class Catalogue:
    """What all results of a table share: items with paths and training events, and the users that are asked for."""

    rows: Mapping[str, int]  # item -> row
    paths: Sequence[tuple[str, ...]]
    events: Int64  # [n_items]
    users: Sequence[str]

    @classmethod
    def of(cls, result: Result) -> Catalogue | None:
        """Read the files beside a result; None where one is not there or damaged."""
        judgments = result.folder / f"qrels.{TASK}.txt"
        try:
            entries = [json.loads(line) for line in result.items_file.read_text("utf-8").splitlines()]
            paths = [tuple(map(str, entry["categories"])) for entry in entries]
            rows = {str(entry["id"]): row for row, entry in enumerate(entries)}
            with result.histories_file.open(encoding="utf-8") as file:
                taken = Counter(item for line in file for item in line.split()[1:])
            events = np.array([taken[item] for item in rows], np.int64)
            users = list(dict.fromkeys(user for user, _, _ in read_qrels(judgments)))
        except (OSError, DataError, ValueError, KeyError, TypeError):
            return None
        return cls(rows, paths, events, users)

    def shown(self, result: Result) -> Int64:
        """Return the rows of the items that each user is shown [n_users, K], -1 beyond the end of a ranking."""
        run = read_run(result.folder / f"run.{TASK}.trec")
        table = np.full((len(self.users), K), -1, np.int64)
        for place, user in enumerate(self.users):
            items = [self.rows[item] for item in islice(run.get(user, ()), K)]
            table[place, : len(items)] = items
        return table

    def cells(self, seeds: Seeds) -> dict[str, Cell]:
        """Return measure -> cell of a row; {} where its rankings cannot be read or name other items."""
        try:
            shown = [self.shown(result) for result in seeds]
        except (OSError, DataError, KeyError):
            return {}
        whole = [of_run(table, len(self.rows)) for table in shown]
        found = {name: mean_cell([values[name] for values in whole]) for name in OF_RUN}
        of_seeds = [of_users(table, self.events, self.paths) for table in shown]
        for name in of_seeds[0]:
            values = np.stack([of_seed[name] for of_seed in of_seeds])
            values = values[:, np.isfinite(values).all(axis=0)]
            if values.size:
                found[name] = limits_cell(float(values.mean()), len(seeds), limits(name, values))
        return {name: replace(cell, results=seeds) for name, cell in found.items()}


@dataclass(frozen=True)
class BeyondAccuracy(FromFiles):
    """A row for each row of the table `recommendation`, with R@10 to read the others beside."""

    base: ClassVar[str] = ACCURACY

    def shared(self, result: Result) -> Catalogue | None:
        """Return items, training events and users."""
        return Catalogue.of(result)

    def cells(self, shared: Catalogue, seeds: Seeds) -> dict[str, Cell]:
        """Return the cells of a row's rankings."""
        return shared.cells(seeds)


BEYOND_ACCURACY = BeyondAccuracy(
    "beyond-accuracy", "Beyond accuracy: what recommendation shows", TASK, columns(TASK, ACCURACY, *OF_RUN, *OF_USER),
    (
        f"Of the first {K} items of each user's ranking. None of these is better high or low on its own: items "
        "drawn at random for each user would cover nearly the whole catalogue, and be of no use (the row random has "
        f"random IDs, not random rankings). Read them beside {ACCURACY}; nothing is tested.",
    ),
    group="details",
)  # fmt: skip
