"""A dot per method with its interval: the first metric of every table, best first."""

from __future__ import annotations

from collections.abc import Sequence

from benchmark.registry import load, registered
from benchmark.reports.figures.categories import file_parts
from benchmark.reports.figures.layout import Drawn, Figure, Options
from benchmark.reports.figures.style import COLUMN, LINES, POINTS, new_figure, shown
from benchmark.reports.tables.cells import BRACKETS, bar_notes
from benchmark.reports.tables.layout import FilledTable
from benchmark.reports.tables.table import Table
from benchmark.results.result_files import Result

MOST = 40  # rows: more would be higher than a page


def draw(results: Sequence[Result], options: Options) -> list[Drawn]:
    """Return one figure per filled table of metrics; tables of a group (the paper's) repeat the suite's own."""
    tables: list[Table] = [table for name in registered("table") if not (table := load("table", name)).group]
    filled = [one for table in tables if table.task for one in table.fill(results)]
    return [drawn for one in filled for drawn in _draw(one)]


def _draw(filled: FilledTable) -> list[Drawn]:
    column = next((i for i, column in enumerate(filled.columns) if column.higher_is_better), None)
    if column is None:
        return []
    cells = [(row, row.cells[column]) for row in filled.rows]
    scored = [(row, cell, cell.mean) for row, cell in cells if cell.mean is not None]
    best = sorted(scored, key=lambda found: (-found[2], found[0].label))[:MOST]
    header = filled.columns[column].header
    figure = new_figure(0.5 + 0.155 * len(best))
    axes = figure.subplots()
    for place, (row, cell, mean) in enumerate(best):
        if cell.low is not None and cell.high is not None:
            axes.plot([cell.low, cell.high], [place, place], color="#555555", linewidth=0.9, zorder=2)
        face = "#FFFFFF" if row.control else LINES[0]
        axes.plot([mean], [place], "o", color=LINES[0], markerfacecolor=face, markersize=4, zorder=3)
    axes.set_yticks(range(len(best)), shown([row.title for row, _, _ in best], 0.42 * COLUMN * POINTS))
    axes.set(ylim=(len(best) - 0.4, -0.6), xlabel=shown([f"{header}, {filled.table.title}"], 120)[0])
    left, right = axes.get_xlim()
    axes.set_xlim(min(left, -0.03 * right), right)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x")
    left_out = f" The best {MOST} of {len(scored)} rows." if len(scored) > MOST else ""
    notes = " ".join(bar_notes([note for note in filled.footnotes if note.startswith(("±", BRACKETS))]))
    caption = f"{filled.caption}{left_out} Hollow: control rows. {notes}".strip()
    title = f"{filled.table.title}: {header}"
    return [Drawn(title, caption, figure, (*file_parts(filled.rows[0].results[0]), filled.table.name))]


SCORES = Figure(
    "scores", "Scores of all methods, with intervals",
    "results with metrics: benchmark run --methods rqkmeans,random --dataset demo", draw,
)  # fmt: skip
