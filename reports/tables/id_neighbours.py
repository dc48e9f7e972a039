"""ID neighbours: do items with like titles have like IDs? See `benchmark.metrics.title_neighbours`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from benchmark.errors import DataError
from benchmark.metrics.title_neighbours import NEIGHBOURS, SAMPLE, nearest_by_title, neighbour_hits
from benchmark.reports.tables.cells import Seeds, mean_cell
from benchmark.reports.tables.columns import columns
from benchmark.reports.tables.from_files import FromFiles
from benchmark.reports.tables.layout import Cell
from benchmark.results.once import read_once
from benchmark.results.result_files import Result, read_id_lines

TASK = "id-quality"
MEASURES = (
    "neighbour_hit@1", "neighbour_hit@1 (chance)", "neighbour_lift@1", "neighbour_hit@2", "neighbour_lift@2"
)  # fmt: skip
Near = Sequence[tuple[int, Sequence[int]]]  # (row, rows of its neighbours)


@dataclass(frozen=True)
class IdNeighbours(FromFiles):
    """A row for each row of the table `id-quality`."""

    base: ClassVar[str] = "unique"

    def shared(self, result: Result) -> tuple[list[str], Near] | None:
        """Return the items and their neighbours."""
        try:
            return read_once(_read_neighbours, result.items_file)
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def cells(self, shared: tuple[list[str], Near], seeds: Seeds) -> dict[str, Cell]:
        """Return means over seeds."""
        items, near = shared
        try:
            of_seeds = [read_id_lines(result.folder / "ids.tsv") for result in seeds]
            found = [neighbour_hits([ids[item] for item in items], near) for ids in of_seeds]
        except (DataError, KeyError):
            return {}
        names = [name for name in MEASURES if all(name in values for values in found)]
        return {name: replace(mean_cell([values[name] for values in found]), results=seeds) for name in names}


def _read_neighbours(path: Path) -> tuple[list[str], Near]:
    entries = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return [str(entry["id"]) for entry in entries], nearest_by_title([str(entry["title"]) for entry in entries])


ID_NEIGHBOURS = IdNeighbours(
    "id-neighbours", "ID neighbours: do items with like titles have like IDs?", TASK, columns(TASK, *MEASURES),
    (
        f"The {NEIGHBOURS} nearest neighbours of an item by the cosine of TF-IDF weights of title words, the same for "
        f"all rows; of more than {SAMPLE:,} items, {SAMPLE:,} are looked at, evenly spaced. IDs made from text are "
        "favoured. All values are taken before the dedup counter.",
    ),
    group="details",
)  # fmt: skip
