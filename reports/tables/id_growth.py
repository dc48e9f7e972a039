"""ID stability under growth: how many items change their ID when new ones come and the indexer is fitted again?

The split cold-start:X has IDs that were learned without a share X of the items; leave-one-out has those that were
learned from all items, with the same configuration and seed. Compared are the items that both have learned from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from benchmark.errors import DataError
from benchmark.metrics.id_growth import id_changes
from benchmark.reports.tables.captions import data_set, protocol, representative_result, run_conditions
from benchmark.reports.tables.cells import interval_notes, mean_cell
from benchmark.reports.tables.conditions import differences
from benchmark.reports.tables.labels import row_labels
from benchmark.reports.tables.layout import Cell, Column, FilledTable, Row
from benchmark.reports.tables.table import Table
from benchmark.results.result_files import Result, group_seeds, read_id_lines, read_withheld

TASK = "id-quality"
MEASURES = {
    "changed": "ID", "first_changed": "first code", "changed.renamed": "ID, renamed",
    "first_changed.renamed": "first code, renamed",
}  # fmt: skip
Pairs = dict[str, list[tuple[Result, Result]]]  # split -> (result without new items, result with all) of each seed


@dataclass(frozen=True)
class IdGrowth(Table):
    """Columns are shares of items that were new, rows are indexers."""

    def fill(self, results: Iterable[Result]) -> list[FilledTable]:
        """Return one table per data set, text fields and preset that has IDs with and without new items."""
        protocols: dict[object, list[tuple[Result, Pairs]]] = {}
        groups = group_seeds(result for result in results if result.kind == "indexer")
        grown = {_configuration(seeds[0]): seeds for seeds in groups if not seeds[0].of_histories}
        for configuration, seeds in grown.items():
            pairs: Pairs = {}
            for others in groups:
                split = others[0].of_histories.get("split", "")
                if others[0].withheld_file is None or len(others[0].of_histories) > 1:
                    continue
                if _configuration(others[0]) == configuration:
                    of_seed = {result.seed: result for result in seeds}
                    pairs[split] = [(old, of_seed[old.seed]) for old in others if old.seed in of_seed]
            if any(pairs.values()):
                protocols.setdefault(seeds[0].protocol[:4], []).append((seeds[0], pairs))
        return [self._filled(protocols[same]) for same in sorted(protocols, key=str)]

    def _filled(self, found: list[tuple[Result, Pairs]]) -> FilledTable:
        labels = row_labels([result for result, _ in found])
        splits = sorted({split for _, pairs in found for split, of_split in pairs.items() if of_split}, key=_share)
        columns = tuple(
            Column(f"{measure}.{split}", f"{_growth(split)}: {title}", 3, higher_is_better=False, source="growth")
            for split in splits for measure, title in MEASURES.items()
        )  # fmt: skip
        rows = [
            Row(
                label, tuple(sorted({old.seed for of_split in pairs.values() for old, _ in of_split})),
                tuple(cell for split in splits for cell in _cells(pairs.get(split, []))),
                result.control, tuple(of for of_split in pairs.values() for pair in of_split for of in pair),
            )
            for label, (result, pairs) in zip(labels, found, strict=True)
        ]  # fmt: skip
        rows.sort(key=lambda row: (row.control, row.label))
        every = [result for row in rows for result in row.results]
        first = representative_result([result for result in every if not result.of_histories])
        caption = "; ".join([data_set(first), *protocol(first, search=False), *run_conditions(every, [TASK])])
        notes = (*self.footnotes, *interval_notes([(row.label, row.cells) for row in rows]), *_apart(labels, found))
        return FilledTable(self, columns, tuple(rows), f"{caption}.", notes)


def _apart(labels: Sequence[str], found: Sequence[tuple[Result, Pairs]]) -> list[str]:
    """Name the rows whose two sides were not made alike, by another version of the code or another kind of device."""
    said: dict[str, list[str]] = {}
    for label, (_, pairs) in zip(labels, found, strict=True):
        for other in {what for of_split in pairs.values() for old, new in of_split
                      for what in differences(TASK, [old], [new])}:  # fmt: skip
            said.setdefault(other, []).append(label)
    return [f"{', '.join(rows)}: IDs with and without new items differ in {other} too." for other, rows in said.items()]


def _configuration(result: Result) -> str:
    """Return what two results must share so that they differ in the split alone."""
    own = {name: value for name, value in result.config.items() if name != "protocol"}
    return repr((result.protocol[:4], result.query_protocol, result.label, result.method, sorted(own.items(), key=str)))


def _share(split: str) -> float:
    return float(split.partition(":")[2] or 0)


def _growth(split: str) -> str:
    """Return by how much the known items have grown, as the share of all that were new."""
    return f"{100 * _share(split):g}% new"


def _cells(pairs: Sequence[tuple[Result, Result]]) -> tuple[Cell, ...]:
    """Return a cell for each measure: the mean over seeds; empty where IDs cannot be read or are of other items."""
    found = [changes for old, new in pairs if (changes := _changes(old, new))]
    cells = (mean_cell([changes[measure] for changes in found]) for measure in MEASURES)
    return tuple(replace(cell, results=tuple(result for pair in pairs for result in pair)) for cell in cells)


def _changes(old: Result, new: Result) -> Mapping[str, float]:
    withheld = read_withheld(old)
    if withheld is None:
        return {}
    try:
        known = {item: codes for item, codes in read_id_lines(old.folder / "ids.tsv").items() if item not in withheld}
        return id_changes(known, read_id_lines(new.folder / "ids.tsv"))
    except (OSError, DataError, KeyError):
        return {}


ID_GROWTH = IdGrowth(
    "id-growth", "ID stability when the catalogue grows and the IDs are learned again", TASK, (),
    (
        "Share of old items whose ID, or first code, is another one after learning from all items than after learning "
        "without the new ones, with the same settings and seed; before the dedup counter. renamed: after renaming the "
        "new codes so that as many items as possible keep theirs, as a new fit may number the same groups otherwise. "
        "Each position is renamed on its own: whole IDs may agree less often for it, and codes that mean something "
        "else behind each prefix (hc, category with layout=levels) cannot be renamed in this way.",
    ),
    group="details",
)  # fmt: skip
