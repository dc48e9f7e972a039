"""A copy of a data set without its test part, so that settings can be chosen on what no table reports.

Left out: the last event of every user, so that the validation items are the test items of the copy (by leave-one-out;
a cut in time or another order of ties is refused for it, as it holds their test events); the test judgments; query sets
that have test queries alone. Search is scored on the development judgments then, where there are none on every tenth
training query, and simulated queries are other ones.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmark.data import layout
from benchmark.data.dataset import ORIGINAL, WITHOUT_TEST, Dataset
from benchmark.data.writing import FolderWriter
from benchmark.errors import UsageError
from benchmark.files import write_lines
from benchmark.types.data import QuerySet

Bool = NDArray[np.bool_]
JUDGED = ("judged", "judged-dev")
EVERY = 10  # of the training queries, in their order, one is held out where there are no development ones


def write_without_test(dataset: Dataset, folder: Path) -> None:
    """Write the copy into a new folder. Raises UsageError for a data set that is such a copy already."""
    if dataset.about.get(WITHOUT_TEST):
        raise UsageError(f"data set '{dataset.name}': its test part was left out before")
    folder.mkdir()
    writer = FolderWriter(folder)
    items = dataset.corpus().ids
    writer.ids, writer.counts["items"] = set(items), len(items)
    writer.tasks = dataset.default_tasks
    shutil.copyfile(dataset.items_file, folder / dataset.items_file.name)
    if dataset.sequences_file is not None:
        writer.histories(_shortened(dataset.sequences_file, writer.notes))
    if dataset.times_file is not None:
        lines = (" ".join((user, *times)) + "\n" for user, times in _shortened(dataset.times_file, []))
        write_lines(folder / "times.txt", lines)
    judged = next((name for name in JUDGED if name in dataset.query_sets), None)
    if judged is not None:
        _write_queries(writer, dataset.queries(judged, "train"), dataset.queries(judged, "dev"), items)
    if others := [name for name in dataset.query_sets if name not in (*JUDGED, "simulated")]:
        writer.notes.append(f"left out, as they have test queries alone: {', '.join(others)}")
    title = f"{dataset.title}, without its test part"
    more: dict[str, str | bool] = {"licence": dataset.licence, WITHOUT_TEST: True, ORIGINAL: dataset.name}
    writer.seal(f"{dataset.name}-tuning", title, dataset.source, more=more)


def _shortened(path: Path, notes: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield each user with all events but the last; count those who have none left."""
    gone = 0
    for _, line in layout.lines(path):
        user, *items = line.split()
        if len(items) > 1:
            yield user, items[:-1]
        else:
            gone += 1
    if gone:
        notes.append(f"{gone:,} users with fewer than two events; left out")


def _write_queries(writer: FolderWriter, train: QuerySet | None, dev: QuerySet | None, items: Sequence[str]) -> None:
    if train is not None:
        held_out = np.zeros(len(train), bool)
        held_out[::EVERY] = dev is None and len(train) > 1
        _write_split(writer, "train", train, ~held_out, items)
        if held_out.any():
            _write_split(writer, "dev", train, held_out, items)
            writer.notes.append(f"there are no development queries: every {EVERY}th training query was held out")
    if dev is not None:
        _write_split(writer, "dev", dev, np.ones(len(dev), bool), items)


def _write_split(writer: FolderWriter, split: str, queries: QuerySet, chosen: Bool, items: Sequence[str]) -> None:
    """Write those queries of a split that are `chosen`, bool [n_queries], with their judgments."""
    names, place = queries.ids, f"{split} queries"
    known = writer.queries(split, ((place, names[row], queries.texts[row]) for row in np.flatnonzero(chosen)))
    triples = zip(queries.query_rows, queries.item_rows, queries.grades, strict=True)
    judged = [(place, names[query], items[item], int(grade)) for query, item, grade in triples if chosen[query]]
    judged += [(place, names[query], item, grade) for query, item, grade in queries.absent if chosen[query]]
    writer.judgments(split, judged, known)
