"""Categories by second code inside a first code: the paper's figure of its IDs on Amazon-Beauty, (b)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from benchmark.errors import DataError
from benchmark.reports.figures.categories import Labelled, caption, code_count, file_parts, indexers
from benchmark.reports.figures.layout import Drawn, Figure, Options
from benchmark.reports.figures.mosaic import category_level, counts_per_code, cut, draw_mosaic, palette
from benchmark.reports.figures.reading import ids_file
from benchmark.reports.figures.style import SMALL, legend_below, new_figure
from benchmark.reports.listing import Categories, Listing, read_listing
from benchmark.results.id_table import codes_of_items
from benchmark.results.result_files import Result
from benchmark.types.arrays import Int64

SHOWN = 4  # first codes, as in the paper


def draw(results: Sequence[Result], options: Options) -> list[Drawn]:
    """Return one figure per indexer whose IDs have two codes: the second codes of its largest or chosen first codes."""
    drawn = []
    for rows in indexers(results):
        listing = read_listing(rows[0][1].items_file)
        level = options.level or _finer(listing.counts())
        for row in rows if any(listing.paths) else ():
            codes = codes_of_items(ids_file(row[1]), listing.items)
            split = set(codes[codes[:, 1] >= 0, 0].tolist()) if codes.shape[1] > 1 else set()
            chosen = dict.fromkeys(options.first_codes) or _largest(codes[:, 0])[:SHOWN]
            firsts = [code for code in chosen if code in split]
            if firsts:
                drawn.append(_draw(row, codes, firsts, listing, level))
    if options.first_codes and not drawn:
        raise DataError(f"no indexer has second codes behind {', '.join(map(str, options.first_codes))}")
    return drawn


def _finer(counts: Mapping[Categories, int]) -> int:
    """Return the level below the one that first codes are shown at."""
    return min(category_level(counts) + 1, max(map(len, counts), default=1))


def _largest(first: Int64) -> list[int]:
    """Return the first codes, those of the most items first, the smaller code first where they have as many."""
    codes, counts = np.unique(first[first >= 0], return_counts=True)
    found: list[int] = codes[np.argsort(-counts, kind="stable")].tolist()
    return found


def _draw(row: Labelled, codes: Int64, firsts: Sequence[int], listing: Listing, level: int) -> Drawn:
    label, result = row
    colours = palette(cut(listing.counts(np.isin(codes[:, 0], firsts)), level), with_parent=True)
    groups = colours.groups(listing, level)
    lines = (len(firsts) + 1) // 2
    figure = new_figure(0.3 + 1.05 * lines)
    panels = figure.subplots(lines, min(2, len(firsts)), squeeze=False).ravel()
    for axes in panels[len(firsts) :]:
        axes.set_visible(False)
    for number, (axes, first) in enumerate(zip(panels, firsts, strict=False)):
        inside = codes[:, 0] == first
        table = counts_per_code(codes[inside, 1], groups[inside])
        draw_mosaic(axes, table)
        axes.set_title(f"first code {first}", loc="left", fontsize=SMALL, pad=2)
        axes.set_title(code_count(len(table)), loc="right", fontsize=SMALL, pad=2)
        if number % 2:
            axes.set_yticklabels([])
        else:
            axes.set_ylabel("share", labelpad=-12)
        if number >= len(firsts) - 2:
            axes.set_xlabel("items, by second code")
    legend_below(figure, *colours.legend())
    title = f"Categories by second code inside a first code: {label}"
    return Drawn(title, caption([row], level), figure, (*file_parts(result), label))


INSIDE = Figure(
    "categories-inside", "Categories by second code inside a first code",
    "results of indexers with two codes or more on items with categories: benchmark run --methods rqkmeans "
    "--dataset demo --tasks id-quality", draw,
)  # fmt: skip
