"""Scores against one setting: the paper's figures of recommendation against ID length and codebook size.

A line joins results of one method, data set and protocol that differ in one numeric setting alone, whatever labels
they have; `benchmark sweep` makes such results. A setting is the ID length where its values are the numbers of codes
in ids.tsv, so that `levels`, `length` and a plugin's own key stand in one figure.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import TYPE_CHECKING

from benchmark.config import flatten
from benchmark.reports.figures import style
from benchmark.reports.figures.categories import file_parts
from benchmark.reports.figures.layout import Drawn, Figure, Options
from benchmark.reports.figures.reading import ids_file
from benchmark.reports.figures.style import SMALL, draw_line, legend_below, new_figure, shown
from benchmark.reports.tables.captions import data_set, protocol, run_conditions
from benchmark.reports.tables.cells import Seeds, bar_notes, interval_notes, metric_cells
from benchmark.reports.tables.columns import column
from benchmark.reports.tables.labels import row_labels
from benchmark.reports.tables.layout import Cell
from benchmark.results.result_files import Result, group_seeds, read_id_lines

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MEASURES = (("recommendation", "R@5"), ("recommendation", "nDCG@5"), ("search", "nDCG@5"), ("id-quality", "AMI"))
LENGTH, SIZE = "ID length", "codebook size"
LOGARITHMIC = 8  # largest over smallest value from which on the axis is logarithmic

Measure = tuple[str, str]  # task and metric
Values = dict[float, Cell]  # by the setting's value


@dataclass(frozen=True)
class Series:
    """Results that differ in one setting alone: value -> seeds, by rising value."""

    key: str  # of the flat configuration, as method.levels
    points: dict[float, Seeds]

    @property
    def first(self) -> Result:
        return next(iter(self.points.values()))[0]

    def plain(self) -> Result:
        """Return a result that is labelled by the method and whose settings lack the swept one."""
        settings = {key: value for key, value in flatten(self.first.config).items() if key != self.key}
        return replace(self.first, label=self.first.method, config=settings)

    def axis(self) -> str:
        """Return what stands under the axis: the ID length, the codebook size, or the setting's own name."""
        if self.key.rpartition(".")[2] == "codebook_size":
            return SIZE
        own = {value: _length(seeds[0]) for value, seeds in self.points.items()}
        return LENGTH if all(length == value for value, length in own.items()) else self.key.partition(".")[2]


@dataclass(frozen=True)
class Line:
    """A series as it is drawn."""

    name: str
    series: Series
    values: dict[Measure, Values]


def _length(result: Result) -> int:
    path = ids_file(result)
    return max(map(len, read_id_lines(path).values()), default=0) if path.is_file() else 0


def all_series(results: Iterable[Result]) -> list[Series]:
    """Return every series of two points or more, sorted by data set, protocol, method and settings."""
    buckets: dict[str, dict[str, dict[float, Seeds]]] = {}
    for seeds in sorted(group_seeds(results), key=lambda seeds: (-len(seeds), seeds[0].label, seeds[0].key)):
        settings = flatten(seeds[0].config)
        for key, value in settings.items():
            if isinstance(value, int | float) and not isinstance(value, bool):
                rest = {name: other for name, other in settings.items() if name != key}
                same = json.dumps([seeds[0].protocol, seeds[0].method, rest], sort_keys=True, default=str)
                buckets.setdefault(same, {}).setdefault(key, {}).setdefault(float(value), seeds)
    return [
        Series(key, dict(sorted(points.items())))
        for _, by_key in sorted(buckets.items())
        for key, points in sorted(by_key.items())
        if len(points) > 1
    ]


def _drawer(wanted: Callable[[str], bool]) -> Callable[[Sequence[Result], Options], list[Drawn]]:
    def draw(results: Sequence[Result], options: Options) -> list[Drawn]:
        """Return one figure per protocol and axis."""
        figures: dict[tuple[str, str], list[Series]] = {}
        for series in all_series(results):
            if wanted(axis := series.axis()):
                figures.setdefault((str(series.first.protocol), axis), []).append(series)
        return [drawn for (_, axis), found in sorted(figures.items()) for drawn in _draw(axis, found)]

    return draw


def _draw(axis: str, series: Sequence[Series]) -> list[Drawn]:
    from matplotlib.ticker import MaxNLocator

    names = row_labels([one.plain() for one in series])
    lines = [Line(name, one, _values(one)) for name, one in sorted(zip(names, series, strict=True), key=itemgetter(0))]
    lines = [line for line in lines if line.values]
    panels = [measure for measure in MEASURES if any(measure in line.values for line in lines)]
    if not panels:
        return []
    height = (len(panels) + 1) // 2
    figure = new_figure(0.35 + 1.15 * height)
    grid = figure.subplots(height, min(2, len(panels)), squeeze=False).ravel()
    for axes, measure in zip(grid, panels, strict=False):
        for number, line in enumerate(lines):
            draw_line(axes, number, list(line.values.get(measure, {}).items()))
        axes.set_title(measure[0].replace("id-", "ID "), fontsize=SMALL, pad=3)
        axes.set_ylabel(measure[1])
        axes.set_xlabel(shown([axis], 0.4 * style.COLUMN * style.POINTS)[0])
        axes.yaxis.set_major_locator(MaxNLocator(4))
        axes.grid(axis="y")
        axes.margins(x=0.1, y=0.12)
        _ticks(axes, sorted({value for line in lines for value in line.values.get(measure, {})}))
    for axes in grid[len(panels) :]:
        axes.set_visible(False)
    legend_below(figure, [draw_line(None, n, []) for n in range(len(lines))], [line.name for line in lines])
    parts = (*file_parts(lines[0].series.first), *(() if axis in (LENGTH, SIZE) else (axis,)))
    return [Drawn(f"Scores against {axis}", _caption(lines), figure, parts)]


def _values(series: Series) -> dict[Measure, Values]:
    """Return what a line shows of every measure that it has at two points or more."""
    found: dict[Measure, Values] = {}
    for task, measure in MEASURES:
        cells = metric_cells(task, list(series.points.values()), (column(task, measure),))
        values = {x: row[0] for x, row in zip(series.points, cells, strict=True) if row[0].mean is not None}
        if len(values) > 1:
            found[task, measure] = values
    return found


def _ticks(axes: Axes, values: Sequence[float]) -> None:
    """Put the ticks at the values, on a logarithmic axis where they span much."""
    if values[0] > 0 and values[-1] / values[0] >= LOGARITHMIC:
        axes.set_xscale("log", base=2)
    texts = [f"{value:g}" for value in values]
    most = max(2, int(0.3 * style.COLUMN * style.POINTS / (max(map(style.text_width, texts)) + SMALL)))
    step = math.ceil(len(values) / most)
    axes.set_xticks(list(values[::step]), texts[::step])
    axes.set_xticks([], minor=True)


def _caption(lines: Sequence[Line]) -> str:
    results = [result for line in lines for seeds in line.series.points.values() for result in seeds]
    parts = [data_set(results[0]), *protocol(results[0], search=True), *run_conditions(results, [])]
    keys = sorted({line.series.key for line in lines})
    cells = [(line.name, [cell for values in line.values.values() for cell in values.values()]) for line in lines]
    notes = bar_notes(interval_notes(cells))
    return " ".join([f"{'; '.join(parts)}. Results of a line differ in {' or '.join(keys)} alone.", *notes])


_NEEDS = "results that differ in {} alone: benchmark sweep --methods rqkmeans --over {} --dataset demo"
ID_LENGTH = Figure(
    "id-length", "Scores against ID length", _NEEDS.format("ID length", "levels=1,2,3"), _drawer(LENGTH.__eq__)
)
CODEBOOK_SIZE = Figure(
    "codebook-size", "Scores against codebook size", _NEEDS.format("codebook size", "codebook_size=16,32,64"),
    _drawer(SIZE.__eq__),
)  # fmt: skip
SWEEPS = Figure(
    "sweeps", "Scores against any other setting", _NEEDS.format("another number", "generative.beams=5,10,20"),
    _drawer(lambda axis: axis not in (LENGTH, SIZE)),
)  # fmt: skip
