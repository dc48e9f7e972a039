"""Stacked bars of categories per code, each bar as wide as its code has items: a mosaic, whose areas are items.

Codes stand in the order of their most frequent category, so that codes which follow the categories make blocks of
one colour, and random codes stripes of all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmark.reports.figures.style import BLANK, FILLS, fill_style
from benchmark.reports.listing import Categories, Listing
from benchmark.types.arrays import Int64

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

SEPARATED = 64  # bars: more of them would leave nothing between the lines
MOST_BARS = 512  # as many codes as the paper has; thinner bars could not be seen
TOO_EVEN = 0.8  # a level tells nothing where one category holds this share of the items


@dataclass(frozen=True)
class Palette:
    """Which categories are coloured, most frequent first, and what they are called."""

    coloured: tuple[Categories, ...]
    names: tuple[str, ...]
    has_rest: bool
    has_blank: bool  # items without a category

    def group(self, category: Categories) -> int:
        """Return the row of a mosaic that a category is counted in: the coloured ones, the rest, none."""
        if not category:
            return len(FILLS) + 1
        return self.coloured.index(category) if category in self.coloured else len(FILLS)

    def groups(self, listing: Listing, level: int) -> Int64:
        """Return the group of each item's category, cut at a level [n_items]."""
        return np.array([self.group(path[:level]) for path in listing.paths], np.int64)[listing.of_items]

    def legend(self) -> tuple[list[Artist], list[str]]:
        """Return handles and labels."""
        from matplotlib.patches import Patch

        styles = [fill_style(number) for number in range(len(self.coloured))]
        labels = list(self.names)
        if self.has_rest:
            styles, labels = [*styles, fill_style(-1)], [*labels, "other categories"]
        if self.has_blank:
            styles, labels = [*styles, {**fill_style(-2), "edgecolor": "#000000"}], [*labels, "no category"]
        return [Patch(linewidth=0.4, **style) for style in styles], labels


def category_level(counts: Mapping[Categories, int]) -> int:
    """Return the most general level (1 is the first) at which no category holds `TOO_EVEN` of the labelled items.

    `counts` are the items of each category path. Where there is no such level, the most general one with two
    categories, else 1.
    """
    labelled = {path: items for path, items in counts.items() if path}
    several = 1
    for level in range(1, max(map(len, labelled), default=0) + 1):
        of_level = cut(labelled, level)
        if max(of_level.values()) < TOO_EVEN * sum(of_level.values()):
            return level
        if several == 1 and len(of_level) > 1:
            several = level
    return several


def cut(counts: Mapping[Categories, int], level: int) -> Counter[Categories]:
    """Return the items of each category path that is cut at a level."""
    found: Counter[Categories] = Counter()
    for path, items in counts.items():
        found[path[:level]] += items
    return found


def palette(counts: Mapping[Categories, int], *, with_parent: bool = False) -> Palette:
    """Colour the categories with the most items; a tie goes to the name that comes first.

    `with_parent` names them 'Fragrance > Women's'; categories that share their last name are named so anyway.
    """
    order = sorted(filter(None, counts), key=lambda category: (-counts[category], category))
    coloured = tuple(order[: len(FILLS)])
    last = Counter(category[-1] for category in coloured)
    names = tuple(" > ".join(c[-2:]) if with_parent or last[c[-1]] > 1 else c[-1] for c in coloured)
    return Palette(coloured, names, len(order) > len(coloured), () in counts)


def counts_per_code(codes: Int64, groups: Int64) -> Int64:
    """Return how many items each code has in each group of a palette, int64 [n_codes, groups], in drawing order.

    `codes` and `groups` [n_items] are those of the same items.
    """
    known, rows = np.unique(codes, return_inverse=True)
    width = len(FILLS) + 2
    table = np.bincount(rows * width + groups, minlength=len(known) * width).reshape(-1, width)
    largest = table.argmax(axis=1)
    share = table.max(axis=1) / table.sum(axis=1)
    return table[np.lexsort((known, -share, largest))]


def draw_mosaic(axes: Axes, table: Int64) -> None:
    """Draw counts [n_codes, groups]: x is the number of items, y the share of the bar's items, bottom group first.

    Every group reaches down to 0 and the one below is drawn over it: no seams, and half the points.
    """
    table = merged(table)
    widths = table.sum(axis=1)
    edges = np.concatenate([[0], np.cumsum(widths)])
    tops = np.cumsum(table, axis=1) / widths[:, None]
    for group in reversed(np.flatnonzero(table.any(axis=0)).tolist()):
        number = group if group < len(FILLS) else len(FILLS) - 1 - group
        axes.stairs(tops[:, group], edges, fill=True, linewidth=0, **fill_style(number))
    if len(table) <= SEPARATED:
        axes.vlines(edges[1:-1], 0, 1, color=BLANK, linewidth=0.5)
    axes.set(xlim=(0, edges[-1]), ylim=(0, 1), xticks=[0, edges[-1]], yticks=[0, 1], yticklabels=["0", "100%"])
    axes.set_xticklabels(["0", f"{edges[-1]:,}"])
    first, last = axes.get_xticklabels()
    first.set_horizontalalignment("left")
    last.set_horizontalalignment("right")
    axes.spines[["top", "right"]].set_visible(True)


def merged(table: Int64) -> Int64:
    """Return the table with neighbouring codes added up where there are more than `MOST_BARS`, by number of items."""
    if len(table) <= MOST_BARS:
        return table
    starts = np.cumsum(table.sum(axis=1)) - table.sum(axis=1)
    bars = starts * MOST_BARS // table.sum()
    return np.add.reduceat(table, np.flatnonzero(np.diff(bars, prepend=-1)), axis=0)
