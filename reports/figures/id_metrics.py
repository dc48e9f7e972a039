"""Which metrics of the IDs themselves go with how well the IDs serve? Rank correlations over all rows.

A point is one row (method and settings), its values the means over its seeds: an ID metric against R@10 in
recommendation or nDCG@10 in search. Spearman's rho, with a 95% interval of a bootstrap over the rows. Rows are compared
where data set, protocol and the settings of the generative part agree, so that the IDs alone differ.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from benchmark.metrics.lookup import find_metric
from benchmark.reports.figures.categories import file_parts
from benchmark.reports.figures.layout import Drawn, Figure, Options
from benchmark.reports.figures.style import COLUMN, LINES, POINTS, new_figure, shown
from benchmark.reports.tables.captions import data_set, protocol, run_conditions
from benchmark.results.result_files import Result, group_seeds

OUTCOMES = (("recommendation", "R@10"), ("search", "nDCG@10"))
ROWS = 5  # fewer say nothing
SAMPLES = 2_000
MOST = 30  # metrics in one figure
OF_DATA = ("labelled_items", "co_purchase_pairs")  # the same for all IDs

Float64 = NDArray[np.float64]
Rows = list[tuple[Result, ...]]
Correlation = tuple[str, float, float, float, int]  # metric, rho, low, high, rows


def draw(results: Sequence[Result], options: Options) -> list[Drawn]:
    """Return one figure per comparable set of rows and outcome, the strongest correlation first."""
    return [
        drawn for rows in comparable(results) for task, outcome in OUTCOMES if (drawn := _draw(rows, task, outcome))
    ]


def comparable(results: Iterable[Result]) -> list[Rows]:
    """Return the rows of indexers, by data set, protocol and generative settings."""
    sets: dict[str, Rows] = {}
    for seeds in group_seeds(results):
        if seeds[0].kind == "indexer":
            same = json.dumps([seeds[0].protocol, seeds[0].config.get("generative")], sort_keys=True, default=str)
            sets.setdefault(same, []).append(seeds)
    return [sets[same] for same in sorted(sets)]


def correlations(rows: Rows, task: str, outcome: str) -> list[Correlation]:
    """Return the correlation of each ID metric with the outcome over the rows that have both, strongest first.

    Metrics with fewer than five such rows, or with one value in all, are left out.
    """
    found = []
    both = {"id-quality", task}  # seeds that were run on one of them alone say nothing here
    rows = [whole for seeds in rows if (whole := tuple(seed for seed in seeds if both <= seed.metrics.keys()))]
    names = sorted({name for seeds in rows for name in _means(seeds, "id-quality")} - set(OF_DATA))
    for name in names:
        pairs = [
            (ids[name], of_task[outcome])
            for seeds in rows
            if name in (ids := _means(seeds, "id-quality")) and outcome in (of_task := _means(seeds, task))
        ]
        if len(pairs) < ROWS or min(len(set(side)) for side in zip(*pairs, strict=True)) < 2:
            continue
        values = np.array(pairs)
        drawn = values[np.random.default_rng(0).integers(0, len(values), (SAMPLES, len(values)))]
        low, high = np.nanquantile(_spearman(drawn[..., 0], drawn[..., 1]), (0.025, 0.975))
        found.append((name, float(_spearman(*values.T)), float(low), float(high), len(values)))
    return sorted(found, key=lambda one: (-abs(one[1]), one[0]))


def _spearman(x: Float64, y: Float64) -> Float64:
    """Return Spearman's rho along the last axis [..., n] -> [...]; NaN where all values of a side are equal."""
    from scipy.stats import rankdata

    a, b = (rankdata(side, axis=-1) - (side.shape[-1] + 1) / 2 for side in (x, y))  # ranks less their mean
    with np.errstate(invalid="ignore"):
        return np.asarray((a * b).sum(-1) / np.sqrt((a * a).sum(-1) * (b * b).sum(-1)))


def _means(seeds: Sequence[Result], task: str) -> Mapping[str, float]:
    """Return the mean over the seeds of every metric that all of them have."""
    own = [seed.metrics.get(task, {}) for seed in seeds]
    return {name: fmean(values[name] for values in own) for name in own[0] if all(name in values for values in own)}


def _draw(rows: Rows, task: str, outcome: str) -> Drawn | None:
    found = correlations(rows, task, outcome)[:MOST]
    if not found:
        return None
    figure = new_figure(0.5 + 0.155 * len(found))
    axes = figure.subplots()
    for place, (_, rho, low, high, _) in enumerate(found):
        axes.plot([low, high], [place, place], color="#555555", linewidth=0.9, zorder=2)
        axes.plot([rho], [place], "o", color=LINES[0], markersize=4, zorder=3)
    axes.axvline(0, color="#888888", linewidth=0.7, zorder=1)
    titles = [_title(name) for name, *_ in found]
    axes.set_yticks(range(len(found)), shown(titles, 0.42 * COLUMN * POINTS))
    axes.set(ylim=(len(found) - 0.4, -0.6), xlim=(-1.05, 1.05), xlabel=f"Spearman's rho with {outcome}")
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x")
    first, used = rows[0][0], [result for seeds in rows for result in seeds]
    conditions = [data_set(first), *protocol(first, search=task == "search"), *run_conditions(used, [])]
    counts = sorted({rows_used for *_, rows_used in found})
    of_rows = f"{counts[0]} rows" if len(counts) == 1 else f"{counts[0]} to {counts[-1]} rows"
    caption = (
        f"{'; '.join(conditions)}. Rank correlation of ID metrics with {outcome} over {of_rows}, controls among them; "
        "bars: 95% interval of a bootstrap over rows. Correlation over few methods is no cause."
    )
    return Drawn(f"ID metrics and {outcome} in {task}", caption, figure, (*file_parts(first), task))


def _title(name: str) -> str:
    metric = find_metric(name, "id-quality")
    return metric.title if metric else name


ID_METRICS = Figure(
    "id-metrics", "Which ID metrics go with recommendation and search",
    f"{ROWS} indexers or settings of one data set with ID quality and recommendation or search: "
    "benchmark run --methods rqkmeans,rqvae,hc,category,random --dataset demo", draw,
)  # fmt: skip
