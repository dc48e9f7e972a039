"""IDs for items that were not there: from what an indexer has learned, with nothing learned anew.

Items that have an ID keep it, to the byte. A new item gets the codes that its text leads to; where others have the same
codes, the dedup counter continues behind them (or the item moves, as the indexer's `unique_by` says).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import ge
from pathlib import Path

from benchmark.errors import DataError
from benchmark.ids.items import with_columns
from benchmark.ids.learned import cell_result, learned_indexer
from benchmark.results.id_files import index_json
from benchmark.results.id_records import json_lines, read_json_lines
from benchmark.results.id_tokens import codes_of, letters
from benchmark.results.result_files import read_id_lines
from benchmark.running.steps.ids import assigned
from benchmark.types.codes import Codes, padded
from benchmark.types.data import Corpus

Id = tuple[tuple[int, ...], int]  # codes and counter


@dataclass(frozen=True)
class Assigned:
    """The IDs of all items, known ones first, and which of them were asked for."""

    ids: dict[str, Id]
    known: frozenset[str]
    asked: tuple[str, ...]

    def lines(self, *, every: bool = False) -> Iterable[str]:
        """Return JSON lines of the items that were asked for, or of `every` item, known ones first."""
        items = tuple(self.ids) if every else self.asked
        return json_lines(items, (self.ids[item][0] for item in items), (self.ids[item][1] for item in items))

    def text(self, ending: str, *, every: bool = False) -> str:
        """Return the same in a form of `benchmark.ids.writing`."""
        if ending == ".jsonl":
            return "".join(self.lines(every=every))
        lines = "".join(self.unique_lines(every=every))
        return index_json(lines, counter=True) if ending == ".index.json" else lines

    def unique_lines(self, *, every: bool = False) -> Iterable[str]:
        """Return the same as a cell's ids.unique.tsv has it: item TAB codes, the counter behind them."""
        for item in self.ids if every else self.asked:
            codes, counter = self.ids[item]
            yield f"{item}\t{'-'.join(map(str, (*codes, counter)))}\n"


def assign_ids(cell: Path, items: Corpus, *, after: Sequence[Path] = (), device: str = "cpu") -> Assigned:
    """Return IDs for items, from the indexer of a finished cell.

    `after` are JSON lines of earlier calls, whose items are known too. Raises BenchmarkError where the indexer was not
    kept or cannot assign IDs, DataError where files of earlier calls contradict each other or the cell.
    """
    result = cell_result(cell)
    learned = learned_indexer(result, device=device)
    ids = known_ids(result.folder)
    for path in after:
        ids |= _earlier(path, ids, learned.codes.sizes)
    known = frozenset(ids)
    rows = [row for row, item in enumerate(items.ids) if item not in known]
    if rows:
        table = with_columns(items, learned.columns).table.take(rows)
        new = Corpus(table, result.text_fields, "new items")
        before = Codes(padded([codes for codes, _ in ids.values()], learned.codes.length), learned.codes.sizes)
        codes = assigned(learned.indexer, result.label, new, before)
        ids |= _counted(new.ids, codes, ids)
    return Assigned(ids, known, items.ids)


def known_ids(cell: Path) -> dict[str, Id]:
    """Return the IDs of a finished cell: item -> codes and counter, in the order of its files."""
    codes, unique = (read_id_lines(cell / name) for name in ("ids.tsv", "ids.unique.tsv"))
    if codes.keys() != unique.keys():
        raise DataError(f"{cell}: ids.tsv and ids.unique.tsv are of different items")
    return {item: (own, unique[item][-1]) for item, own in codes.items()}


def _counted(items: Sequence[str], codes: Codes, ids: dict[str, Id]) -> dict[str, Id]:
    """Return the IDs of new items: of those with equal codes each gets the counter after the greatest one so far."""
    following: dict[tuple[int, ...], int] = {}
    for own, counter in ids.values():
        following[own] = max(following.get(own, 0), counter + 1)
    found: dict[str, Id] = {}
    for item, row in zip(items, codes.values.tolist(), strict=True):
        own = tuple(code for code in row if code >= 0)
        found[item] = own, following.get(own, 0)
        following[own] = found[item][1] + 1
    return found


def _earlier(path: Path, ids: dict[str, Id], sizes: tuple[int, ...]) -> dict[str, Id]:
    """Return the IDs of a file of an earlier call. Raises DataError where one contradicts an ID that is known."""
    found: dict[str, Id] = {}
    item_of = {own: item for item, own in ids.items()}
    for item, place, values in read_json_lines(path, "--after", counter=True):
        *codes, counter = codes_of(place, values, letters([values])).values()
        if not 0 < len(codes) <= len(sizes) or any(map(ge, codes, sizes)):
            said = ", ".join(map(str, sizes))
            raise DataError(f"{place}: {codes} is not a valid ID of this cell, whose codebooks have {said} codes")
        own = tuple(codes), counter
        if item in found:
            raise DataError(f"{place}: the item '{item}' was already given")
        if ids.get(item, own) != own:
            raise DataError(f"{place}: '{item}' has another ID in this cell, or in an earlier file")
        if (other := item_of.setdefault(own, item)) != item:
            raise DataError(
                f"{place}: '{item}' has the codes and the counter of '{other}'; this file was made without --after for "
                "the file of that item: assign its items again"
            )
        found[item] = own
    return found
