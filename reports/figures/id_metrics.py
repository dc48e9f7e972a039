"""Which metrics of the IDs themselves go with how well the IDs serve? Rank correlations over all rows.

A point is one row (method and settings), its values the means over its seeds: an ID metric against R@10 in
recommendation or nDCG@10 in search. Rows are compared where data set, protocol and the settings of the generative part
agree, so that the IDs alone differ. Spearman's rho with its 95% interval by Fisher's z, tanh(atanh(rho) +- 1.96 s),
s^2 = (1 + rho^2 / 2) / (n - 3); a rho of 1 counts as that of one swap of neighbours, since few rows are no proof of a
perfect order.

Source of the interval: Bonett and Wright, Sample size requirements for estimating Pearson, Kendall and Spearman
correlations, Psychometrika 65, 2000.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean

import numpy as np

from benchmark.metrics.lookup import find_metric
from benchmark.reports.figures.categories import file_parts
from benchmark.reports.figures.layout import Drawn, Figure, Options
from benchmark.reports.figures.style import COLUMN, LINES, POINTS, new_figure, shown
from benchmark.reports.tables.captions import data_set, protocol, run_conditions
from benchmark.results.result_files import Result, group_seeds

OUTCOMES = (("recommendation", "R@10"), ("search", "nDCG@10"))
ROWS = 5  # fewer say nothing
NORMAL = 1.959964  # the 97.5% point of the normal distribution
MOST = 30  # metrics in one figure
OF_DATA = ("labelled_items", "co_purchase_pairs")  # the same for all IDs

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
    from scipy.stats import spearmanr

    found: list[Correlation] = []
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
        rho = float(spearmanr(*values.T).statistic)
        found.append((name, rho, *interval(rho, len(values)), len(values)))
    return sorted(found, key=lambda one: (-abs(one[1]), one[0]))


def interval(rho: float, n: int) -> tuple[float, float]:
    """Return the 95% interval of Spearman's rho over n > 3 rows."""
    one_swap = 1 - 12 / (n**3 - n)
    centre = math.atanh(min(max(rho, -one_swap), one_swap))
    reach = NORMAL * math.sqrt((1 + rho**2 / 2) / (n - 3))
    low, high = math.tanh(centre - reach), math.tanh(centre + reach)
    return min(low, rho), max(high, rho)


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
        "bars: 95% interval by Fisher's z (Bonett and Wright). IDs with more codes may differ in a metric and in the "
        "ranking for that reason alone, and correlation over few methods is no cause."
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
