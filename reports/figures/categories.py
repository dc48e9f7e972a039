"""Categories by first code, every indexer under the other: the paper's figure of its IDs on Amazon-Beauty, (a)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from benchmark.files import file_digest
from benchmark.reports.figures.layout import Drawn, Figure, Options
from benchmark.reports.figures.mosaic import MOST_BARS, category_level, counts_per_code, cut, draw_mosaic, palette
from benchmark.reports.figures.reading import ids_file
from benchmark.reports.figures.style import COLUMN, POINTS, SMALL, legend_below, new_figure, shown
from benchmark.reports.listing import Listing, read_listing
from benchmark.reports.tables.captions import data_set, protocol
from benchmark.reports.tables.labels import row_labels
from benchmark.results.id_table import codes_of_items
from benchmark.results.result_files import Result, group_seeds

PANELS = 8  # indexers in one figure; more go on in the next
TITLE = 0.44  # of the width is for a panel's name, the rest for what is said of it

Labelled = tuple[str, Result]  # an indexer's row label and the result of its first seed


def draw(results: Sequence[Result], options: Options) -> list[Drawn]:
    """Return one figure per data set and protocol, one panel per indexer (of its first seed)."""
    drawn = []
    for rows in indexers(results):
        listing = read_listing(rows[0][1].items_file)
        if not any(listing.paths):
            continue
        level = options.level or category_level(listing.counts())
        parts = [rows[start : start + PANELS] for start in range(0, len(rows), PANELS)]
        drawn += [_draw(part, listing, level, number if len(parts) > 1 else 0) for number, part in enumerate(parts, 1)]
    return drawn


def _draw(rows: Sequence[Labelled], listing: Listing, level: int, number: int) -> Drawn:
    result = rows[0][1]
    colours = palette(cut(listing.counts(), level))
    groups = colours.groups(listing, level)
    figure = new_figure(0.3 + 0.72 * len(rows))
    panels = figure.subplots(len(rows), 1, squeeze=False)[:, 0]
    names = shown([label for label, _ in rows], TITLE * COLUMN * POINTS)
    for axes, name, (_, of_row) in zip(panels, names, rows, strict=True):
        first = codes_of_items(ids_file(of_row), listing.items)[:, 0]
        table = counts_per_code(first[first >= 0], groups[first >= 0])
        draw_mosaic(axes, table)
        axes.set_ylabel("share", labelpad=-12)
        axes.set_title(name, loc="left", fontsize=SMALL, pad=2)
        axes.set_title(_remark(of_row, len(table)), loc="right", fontsize=SMALL, pad=2)
        if axes is not panels[-1]:
            axes.set_xticklabels([])
    panels[-1].set_xlabel("items, by first code")
    legend_below(figure, *colours.legend())
    return Drawn("Categories by first code", caption(rows, level), figure, (*file_parts(result), *_part(number)))


def _remark(result: Result, codes: int) -> str:
    ami = result.metrics.get("id-quality", {}).get("AMI")
    return code_count(codes) + (f", AMI {round(ami, 3) + 0.0:.3f}" if ami is not None else "")


def code_count(number: int) -> str:
    """Return '1 code' or '12 codes'."""
    return f"{number:,} code{'s' * (number != 1)}"


def _part(number: int) -> tuple[str, ...]:
    return (f"part{number}",) if number else ()


def indexers(results: Iterable[Result]) -> list[list[Labelled]]:
    """Return the results with IDs and known items, first seeds only, by data set and protocol, controls last.

    Rows of one label that have the same IDs (and differ in what was made of them) count once.
    """
    protocols: dict[Any, dict[tuple[str, str], Result]] = {}
    for seeds in sorted(group_seeds(results), key=lambda seeds: "AMI" not in seeds[0].metrics.get("id-quality", {})):
        first, path = seeds[0], ids_file(seeds[0])
        if path.is_file() and first.items_file.is_file():
            same = (first.label, file_digest(path))
            protocols.setdefault(first.protocol[:-1], {}).setdefault(same, first)
    ordered = [list(rows.values()) for _, rows in sorted(protocols.items(), key=lambda pair: str(pair[0]))]
    labelled = [list(zip(labels_of_ids(rows), rows, strict=True)) for rows in ordered]
    return [sorted(rows, key=lambda row: (row[1].control, row[0])) for rows in labelled]


def labels_of_ids(results: Sequence[Result]) -> list[str]:
    """Return row labels that tell what decides the IDs apart, and not what was made of them."""
    return row_labels([replace(r, config={"method": r.config.get("method")}, queries=None) for r in results])


def caption(rows: Sequence[Labelled], level: int) -> str:
    """Say what is shown: data set, protocol, category level, seeds."""
    seeds = sorted({result.seed for _, result in rows})
    parts = [data_set(rows[0][1]), *protocol(rows[0][1], search=False), f"level {level} of the category path"]
    parts.append(f"seed{'s' * (len(seeds) > 1)} {', '.join(map(str, seeds))}")
    return (
        f"{'; '.join(parts)}. A bar is a code and as wide as the code has items; colours are its items' categories, "
        "the most frequent ones coloured, the rest grey; codes stand in the order of their most frequent category. "
        f"An item with a shorter path counts with its last category; more than {MOST_BARS} codes share bars."
    )


def file_parts(result: Result) -> tuple[str, str]:
    """Return what tells figures of one kind apart in file names: data set and preset."""
    return str(result.dataset["name"]), result.preset


CATEGORIES = Figure(
    "categories", "Categories by first code",
    "results of indexers on items with categories: benchmark run --methods rqkmeans,category,random --dataset demo "
    "--tasks id-quality", draw,
)  # fmt: skip
