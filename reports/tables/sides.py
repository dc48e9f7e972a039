"""One method under several ways to split and read the histories, side by side: ties, and splits.

The rows are those of `recommendation`; the columns are its first measures, once for each way that has results. Each
way has its own test items, so a difference between two columns says something of the way, not of a method.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from benchmark.reports.tables.captions import data_set, protocol, remarks_of_runs, representative_result, run_conditions
from benchmark.reports.tables.cells import interval_notes
from benchmark.reports.tables.changes import words_on_changes
from benchmark.reports.tables.columns import column
from benchmark.reports.tables.filling import build
from benchmark.reports.tables.histories import warning_on_order
from benchmark.reports.tables.labels import row_identity, row_labels, without_histories
from benchmark.reports.tables.layout import Cell, FilledTable, Row
from benchmark.reports.tables.table import Table
from benchmark.results.result_files import Result

TASK, MEASURES = "recommendation", ("R@10", "nDCG@10")
PARTS = ("training_events", "validation_targets")


@dataclass(frozen=True)
class BySide(Table):
    """Columns of each value of one choice ("ties" or "split"), where the other choice is the same."""

    choice: str = ""
    first: str = ""  # the choice's value where a result names none

    def fill(self, results: Iterable[Result]) -> list[FilledTable]:
        """Return one table for each protocol of which there are results of two ways or more."""
        found: dict[tuple[object, ...], dict[str, list[Result]]] = {}
        for result in results:
            if not result.problem and TASK in result.metrics and not self._is_other(result):
                others = {name: value for name, value in result.of_histories.items() if name != self.choice}
                same = (*result.protocol[:4], *sorted(others.items()))
                found.setdefault(same, {}).setdefault(result.of_histories.get(self.choice, self.first), []).append(
                    result
                )
        return [self._beside(found[same]) for same in sorted(found, key=str) if len(found[same]) > 1]

    def _is_other(self, result: Result) -> bool:
        """Whether a result is of a split with a table of its own: items are withheld, so that rows are not the same."""
        return self.choice == "split" and result.withheld_file is not None

    def _beside(self, ways: Mapping[str, Sequence[Result]]) -> FilledTable:
        measures = Table(self.name, self.title, TASK, tuple(column(TASK, measure) for measure in MEASURES))
        names = sorted(ways, key=lambda name: (name != self.first, name))
        sides = {name: build(measures, ways[name])[0] for name in names}
        columns = tuple(
            replace(of, key=f"{of.key}.{name}", header=f"{of.header} ({name})", source="sides")
            for name, side in sides.items() for of in side.columns
        )  # fmt: skip
        by_row: dict[str, dict[str, Row]] = {}  # configuration -> way -> row
        for name, side in sides.items():
            for row in side.rows:
                by_row.setdefault(row_identity(row.results[0]), {})[name] = row
        found = [next(iter(rows.values())) for rows in by_row.values()]
        labels = row_labels([without_histories(row.results[0]) for row in found])
        rows = tuple(_joined(label, rows, sides) for label, rows in zip(labels, by_row.values(), strict=True))
        rows = tuple(sorted(rows, key=lambda row: (row.control, row.label)))
        every = [result for name in names for result in ways[name]]
        changed, of_changes = words_on_changes([(row.results[0],) for row in rows], [TASK])
        first = self._of_others(representative_result(every))
        caption = "; ".join(
            [data_set(first), *protocol(first, search=False, changed=changed), *run_conditions(every, [TASK])]
        )
        notes = [f"{name}: {_about(ways[name])}." for name in names]
        notes += [f"{name}: {note}" for name in names for note in warning_on_order(ways[name])]
        notes += [*self.footnotes, *interval_notes([(row.label, row.cells) for row in rows]), *of_changes]
        notes += list(dict.fromkeys(note for name in names for note in _notes_of_runs(sides[name])))
        return FilledTable(self, columns, rows, f"{caption}.", tuple(notes))

    def _of_others(self, result: Result) -> Result:
        """Return a result whose protocol is what both sides share."""
        own = {name: value for name, value in result.of_histories.items() if name != self.choice}
        return replace(result, config={**result.config, "protocol": own})


def _joined(label: str, of_ways: Mapping[str, Row], sides: Mapping[str, FilledTable]) -> Row:
    """Return a row with the cells of all sides."""
    cells: list[Cell] = []
    for name, side in sides.items():
        cells += of_ways[name].cells if name in of_ways else [Cell()] * len(side.columns)
    found = list(of_ways.values())
    seeds = tuple(sorted({seed for row in found for seed in row.seeds}))
    return Row(label, seeds, tuple(cells), found[0].control, tuple(result for row in found for result in row.results))


def _notes_of_runs(side: FilledTable) -> list[str]:
    return remarks_of_runs([row.label for row in side.rows], [row.results for row in side.rows])


def _about(results: Sequence[Result]) -> str:
    """Return users, events by part, next items never seen in training and the day of the cut."""
    counts = next((of for r in results if (of := r.counts.get(TASK, {}))), {})
    cut = (results[0].config.get("protocol") or {}).get("cut")
    users, unseen = counts.get("users", 0), counts.get("targets_unseen")
    said = [f"{users:,} users", *([f"cut at {cut}"] if cut else [])]
    said += [f"{counts[name]:,} {name.replace('_', ' ')}" for name in PARTS if name in counts]
    if unseen is not None and users:
        said.append(f"{unseen:,} next items ({unseen / users:.1%}) never occur in training")
    return ", ".join(said)


TIES = BySide(
    "recommendation-ties", "Next-item recommendation with ties in the order of the file and shuffled", TASK, (),
    ("shuffled: the events of a user at one time stamp in random order, the same for every method.",),
    group="details", choice="ties", first="file",
)  # fmt: skip
SPLITS = BySide(
    "recommendation-splits", "Next-item recommendation, leave-one-out and one cut in time", TASK, (),
    (
        "leave-one-out: each user's last item, after training on the other users' later events too; time: a user's "
        "first item after one cut for all, after training on what was before it.",
    ),
    group="details", choice="split", first="leave-one-out",
)  # fmt: skip
