"""Cells of one data set and task: means over seeds, their intervals, and what is significantly the best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from benchmark.metrics.bounded import MANY
from benchmark.metrics.significance import mean_interval
from benchmark.reports.tables.conditions import conditions
from benchmark.reports.tables.layout import Cell, Column, Row
from benchmark.reports.tables.marking import BOLD, significantly_best
from benchmark.reports.tables.scores import Intervals, Limits, intervals
from benchmark.results.result_files import Result

FEW_SEEDS = 5  # in simulations where only seeds differed, 95% intervals of 2, 3 and 5 held the mean in 61, 78, 86%
T_SEEDS = 3  # over two values half a t interval is 9 times their standard deviation, and leaves most metrics' ranges
BRACKETS = "[low, high]"
EXACT = (
    f"± is half Clopper and Pearson's 95% interval for one seed and a metric that is 0 or 1 for each of fewer than "
    f"{MANY} users or queries."
)
RARE = (
    f"{BRACKETS} is a 95% interval for rare hits or misses, where a bootstrap is too short: Clopper and Pearson's "
    "for one seed and a metric that is 0 or 1, else Gaffke's for means of bounded values, with resampled seeds."
)
OTHER_PAIRS = "The best row alone is tested against the others; `benchmark compare A B` tests any two rows."
Seeds = tuple[Result, ...]  # the results of one row, one per seed


def metric_cells(task: str, groups: Sequence[Seeds], columns: Sequence[Column]) -> list[list[Cell]]:
    """Return cells [groups][columns] of one task's metrics.

    The interval is over seeds and queries where every seed's values per query are there (a bootstrap's, or one for rare
    hits), else Student's t over seeds; a single seed without values per query has none.
    """
    files = [[result.scores_file(task) for result in seeds] for seeds in groups]
    found = intervals(files, list(dict.fromkeys(column.measure for column in columns)))
    return [
        [_cell(task, seeds, column, of_row) for column in columns]
        for seeds, of_row in zip(groups, found, strict=True)
    ]  # fmt: skip


def _cell(task: str, seeds: Seeds, column: Column, found: Intervals) -> Cell:
    having = tuple(result for result in seeds if column.measure in result.metrics.get(task, {}))
    values = [result.metrics[task][column.measure] * column.scale for result in having]
    if len(having) == len(seeds) and column.measure in found:
        mean = mean_interval(values).mean
        return replace(limits_cell(mean, len(values), found[column.measure], column.scale), results=having)
    return replace(mean_cell(values), results=having)


def limits_cell(mean: float, n: int, found: Limits, scale: float = 1.0) -> Cell:
    """Return a mean over n seeds with its interval over seeds and queries; half a width where it is symmetric."""
    low, high = found.low * scale, found.high * scale
    half_width = None if found.kind == "bounded" else (high - low) / 2
    return Cell(mean, half_width, n, low=low, high=high, interval=found.kind)


def mean_cell(values: Sequence[float]) -> Cell:
    """Return the mean over seeds, from T_SEEDS on with its t interval; an empty cell for no values."""
    if not values:
        return Cell()
    mean, half_width, n = (found := mean_interval(values)).mean, found.half_width, found.n
    if half_width is None or n < T_SEEDS:
        return Cell(mean, None, n)
    return Cell(mean, half_width, n, low=mean - half_width, high=mean + half_width, interval="t")


def best_cells(
    task: str, groups: Sequence[Seeds], labels: Sequence[str], columns: Sequence[Column],
    cells: Sequence[Sequence[Cell]],
) -> tuple[set[tuple[int, int]], list[str]]:  # fmt: skip
    """Return the (row, column) cells to print bold, and what the footnotes say about it.

    Rows are tested against those of the same conditions alone (`benchmark.reports.tables.conditions`).
    """
    found = conditions(task, labels, groups)
    bold: set[tuple[int, int]] = set()
    remarks: list[str] = []
    for letter in dict.fromkeys(found.groups):
        rows = [row for row, group in enumerate(found.groups) if group == letter]
        best, said = _best_of_group(
            task, [groups[row] for row in rows], [labels[row] for row in rows], columns, [cells[row] for row in rows]
        )
        bold |= {(rows[row], column) for row, column in best}
        remarks += said
    return bold, list(dict.fromkeys([*remarks, *([found.note] if found.note else [])]))


def _best_of_group(
    task: str, groups: Sequence[Seeds], labels: Sequence[str], columns: Sequence[Column],
    cells: Sequence[Sequence[Cell]],
) -> tuple[set[tuple[int, int]], list[str]]:  # fmt: skip
    if len(groups) < 2:
        return set(), []
    better = {i: c.higher_is_better for i, c in enumerate(columns) if c.source == "metrics"}
    whole = [i for i in better if all(row[i].n in (0, len(seeds)) for row, seeds in zip(cells, groups, strict=True))]
    tested = [i for i in whole if better[i] is not None]  # a column that seeds lack is not tested, the others are
    files = [[result.scores_file(task) for result in seeds] for seeds in groups]
    if not tested:
        return set(), []
    if not any(path.is_file() for paths in files for path in paths):
        return set(), ["No significance test: these metrics have no per-query values."]
    means = [[cells[row][i].mean for i in tested] for row in range(len(groups))]
    lower = [k for k, i in enumerate(tested) if not better[i]]
    verdict = significantly_best(files, [columns[i].measure for i in tested], means, lower)
    if verdict.lacking:
        names = ", ".join(labels[row] for row in verdict.lacking)
        return set(), [f"No significance test: per-query values are missing, or of other queries, for {names}."]
    ties: dict[tuple[int, ...], dict[str, float]] = {}  # best row, then the others -> column -> p
    for i, ((best, *close), p) in verdict.undecided.items():
        ties.setdefault((best, *sorted(close)), {})[columns[tested[i]].header] = p
    remarks = [BOLD, *(_tie([labels[row] for row in rows], of_columns) for rows, of_columns in ties.items())]
    unsure: dict[tuple[int, ...], list[str]] = {}  # best row, then the others -> columns
    for i, (best, *others) in verdict.of_seeds.items():
        unsure.setdefault((best, *sorted(others)), []).append(columns[tested[i]].header)
    remarks += [_unsure([labels[row] for row in rows], of_columns) for rows, of_columns in unsure.items()]
    if ties or unsure:
        remarks.append(OTHER_PAIRS)
    if untested := [columns[i].header for i in better if i not in tested]:
        remarks.append(f"Not tested: {', '.join(untested)}.")
    return {(row, tested[i]) for i, row in verdict.winners.items()}, remarks


def _tie(labels: Sequence[str], p_values: Mapping[str, float]) -> str:
    """Name the best row and those that it is not shown to be better than."""
    low, high = (f"{p:.2g}" for p in (min(p_values.values()), max(p_values.values())))
    best, *others = labels
    return (
        f"Not distinguishable from the best row, {best}, in {', '.join(p_values)}: {', '.join(others)} "
        f"(largest p = {low if low == high else f'{low} to {high}'})."
    )


def _unsure(labels: Sequence[str], columns: Sequence[str]) -> str:
    best, *others = labels
    return (
        f"Best with these seeds, but perhaps not with others: {best} in {', '.join(columns)} (the 95% interval of its "
        f"difference to {', '.join(others)} includes 0)."
    )


def fewer_seeds(columns: Sequence[Column], rows: Sequence[Row]) -> list[str]:
    """Name the cells that are means of fewer seeds than their row has, row by row."""
    said = []
    for row in rows:
        of_row: dict[int, list[str]] = {}  # number of seeds -> columns
        for column, cell in zip(columns, row.cells, strict=True):
            if cell.mean is not None and cell.n < len(row.seeds):
                of_row.setdefault(cell.n, []).append(column.header)
        said += [f"{row.label} in {', '.join(named)} ({n} of {len(row.seeds)})" for n, named in of_row.items()]
    return [f"Averaged over fewer seeds (the metric is missing for some): {'; '.join(said)}."] if said else []


def interval_notes(rows: Sequence[tuple[str, Sequence[Cell]]]) -> list[str]:
    """Say what ± and [low, high] mean in rows of (label, cells): whose intervals are a bootstrap's, whose Student's."""
    resampled, rare, exact, of_seeds = (
        [label for label, cells in rows if any(cell.interval == kind for cell in cells)]
        for kind in ("bootstrap", "bounded", "exact", "t")
    )
    notes = []
    if resampled:
        seeds = {cell.n for _, cells in rows for cell in cells if cell.interval == "bootstrap"}
        notes.append(
            "± is half the 95% interval of a bootstrap over seeds and users or queries together"
            + (" (with one seed: over users or queries alone)." if 1 in seeds else ".")
        )
        if seeds & set(range(2, FEW_SEEDS)):
            notes.append(f"With fewer than {FEW_SEEDS} seeds it is too short where seeds differ more than users do.")
    if exact:
        notes.append(EXACT)
    if rare:
        notes.append(RARE)
    if of_seeds:
        of_some = f" where there are no values per query: {', '.join(of_seeds)}" if resampled or exact or rare else ""
        notes.append(f"± is half the 95% t interval over seeds{of_some}.")
    if any(cell.n == 2 and not cell.interval for _, cells in rows for cell in cells):
        notes.append("A mean of two seeds has no t interval: two values say too little of their spread.")
    return notes


def bar_notes(notes: Sequence[str]) -> list[str]:
    """Return the notes on intervals in the words of a figure, whose bars they are."""
    return [note.replace("± is half", "Bars are").replace(f"{BRACKETS} is", "Bars are") for note in notes]
