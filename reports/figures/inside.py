"""Categories by second code inside a first code: the paper's figure of its IDs on Amazon-Beauty, (b)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from benchmark.errors import DataError
from benchmark.reports.figures.categories import Labelled, caption, code_count, file_parts, indexers
from benchmark.reports.figures.layout import Drawn, Figure, Options
from benchmark.reports.figures.mosaic import category_level, counts_per_code, draw_mosaic, palette
from benchmark.reports.figures.reading import Code, read_known_ids
from benchmark.reports.figures.style import SMALL, legend_below, new_figure
from benchmark.reports.listing import Categories, read_paths
from benchmark.results.result_files import Result

SHOWN = 4  # first codes, as in the paper


def draw(results: Sequence[Result], options: Options) -> list[Drawn]:
    """Return one figure per indexer whose IDs have two codes: the second codes of its largest or chosen first codes."""
    drawn = []
    for rows in indexers(results):
        paths = read_paths(rows[0][1].items_file)
        level = options.level or _finer(list(paths.values()))
        for row in rows if any(paths.values()) else ():
            ids = read_known_ids(row[1], paths)
            split = {code[0] for code in ids.values() if len(code) > 1}
            firsts = [code for code in options.first_codes or _largest(ids)[:SHOWN] if code in split]
            if firsts:
                drawn.append(_draw(row, ids, firsts, paths, level))
    if options.first_codes and not drawn:
        raise DataError(f"no indexer has second codes behind {', '.join(map(str, options.first_codes))}")
    return drawn


def _finer(paths: Sequence[Categories]) -> int:
    """Return the level below the one that first codes are shown at."""
    return min(category_level(paths) + 1, max(map(len, paths), default=1))


def _largest(ids: Mapping[str, Code]) -> list[int]:
    counts = Counter(code[0] for code in ids.values())
    return sorted(counts, key=lambda code: (-counts[code], code))


def _draw(
    row: Labelled, ids: Mapping[str, Code], firsts: Sequence[int], paths: Mapping[str, Categories], level: int
) -> Drawn:
    label, result = row
    inside = {first: {item: code for item, code in ids.items() if code[0] == first} for first in firsts}
    categories = {item: paths[item][:level] for items in inside.values() for item in items}
    colours = palette(list(categories.values()), with_parent=True)
    lines = (len(firsts) + 1) // 2
    figure = new_figure(0.3 + 1.05 * lines)
    panels = figure.subplots(lines, min(2, len(firsts)), squeeze=False).ravel()
    for axes in panels[len(firsts) :]:
        axes.set_visible(False)
    for number, (axes, (first, items)) in enumerate(zip(panels, inside.items(), strict=False)):
        seconds = {item: code[1] if len(code) > 1 else -1 for item, code in items.items()}
        table = counts_per_code(seconds, categories, colours)
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
