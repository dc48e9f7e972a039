"""How figures look: one column wide, small type, colours and marks that differ for every eye and on a grey printer.

Colours are those of Okabe and Ito (Color Universal Design, 2008). Text is set in DejaVu Sans, which comes with
matplotlib, so that a figure's bytes do not depend on the fonts of a machine; it is never read as mathematics.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from benchmark.reports.tables.layout import Cell

COLUMN = 3.3  # inches: a column of the usual two-column paper
SMALL, NORMAL = 7, 8  # points
POINTS = 72  # in an inch
FILLS = ("#0072B2", "#E69F00", "#009E73", "#F0E442", "#CC79A7", "#56B4E9", "#D55E00")
HATCHES = ("", "", "/////", "++", r"\\\\\\", "-----", "xxxxx")  # straight lines alone: dots fill megabytes of SVG
REST, BLANK = "#CFCFCF", "#FFFFFF"
LINES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
DASHES = ("-", "--", ":", "-.")
SETTINGS: Any = {
    "font.family": "DejaVu Sans",
    "font.size": SMALL,
    "axes.titlesize": NORMAL,
    "axes.labelsize": SMALL,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "legend.fontsize": SMALL,
    "legend.frameon": False,
    "legend.handlelength": 2.4,
    "legend.columnspacing": 1.2,
    "legend.labelspacing": 0.35,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.linewidth": 0.4,
    "grid.color": "#DDDDDD",
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.minor.size": 0,
    "lines.linewidth": 1.1,
    "lines.markersize": 3.5,
    "hatch.linewidth": 0.5,
    "text.parse_math": False,
    "axes.formatter.use_mathtext": False,
    "axes.unicode_minus": True,
    "svg.fonttype": "path",
    "svg.hashsalt": "benchmark",
    "pdf.fonttype": 42,
    "savefig.dpi": 300,
    "figure.dpi": 100,
}


@contextmanager
def styled() -> Iterator[None]:
    """Draw and write with these settings, whatever the user's own are; they come back afterwards."""
    import matplotlib

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(SETTINGS)
        yield


def new_figure(height: float) -> Figure:
    """Return an empty figure one column wide and `height` inches high, without what stands below its panels."""
    from matplotlib.figure import Figure

    return Figure(figsize=(COLUMN, height), layout="constrained")


def draw_line(axes: Axes | None, number: int, points: Sequence[tuple[float, Cell]]) -> Artist:
    """Draw line `number` through (x, mean) with the means' intervals, and return its handle for a legend.

    Colour, marker and dashes differ for 28 lines, then they begin again; without axes there is a handle alone.
    """
    from matplotlib.lines import Line2D

    style: dict[str, Any] = {
        "color": LINES[number % len(LINES)],
        "marker": MARKERS[number % len(MARKERS)],
        "linestyle": DASHES[number // len(LINES) % len(DASHES)],
    }
    means = [(x, cell.mean) for x, cell in points if cell.mean is not None]
    if axes is not None and means:
        axes.plot([x for x, _ in means], [mean for _, mean in means], **style)
        bars = [(x, cell.low, cell.high) for x, cell in points if cell.low is not None and cell.high is not None]
        axes.vlines([x for x, _, _ in bars], [low for _, low, _ in bars], [high for _, _, high in bars],
                    color=style["color"], linewidth=0.7)  # fmt: skip
    return Line2D([], [], **style)


def fill_style(number: int) -> dict[str, Any]:
    """Return colour and hatching of category `number`, the most frequent first; -1 is the rest, -2 no category."""
    if number < 0:
        return {"facecolor": REST if number == -1 else BLANK, "hatch": ""}
    edge = "#8A7F00" if FILLS[number] == "#F0E442" else BLANK  # white on yellow would not be seen
    return {"facecolor": FILLS[number], "hatch": HATCHES[number], "edgecolor": edge}


def shown(texts: Sequence[str], width: float, size: float = SMALL) -> list[str]:
    """Return texts as they are shown: cut to `width` points, signs without a glyph as boxes, distinct if they were.

    Texts that would look alike get a number: '□□', '□□ (2)'.
    """
    found: list[str] = []
    alike: dict[str, list[str]] = {}
    for text in texts:
        clean = "".join(sign if sign in _signs() else "□" for sign in " ".join(text.split())) or "–"
        short = fitted(clean, width, size)
        same = alike.setdefault(short, [])
        if text not in same:
            same.append(text)
        number = same.index(text) + 1
        suffix = f" ({number})" if number > 1 else ""
        found.append(fitted(clean, width - text_width(suffix, size), size) + suffix if suffix else short)
    return found


def fitted(text: str, width: float, size: float = SMALL) -> str:
    """Return the text, or its beginning, an ellipsis and its end, no wider than `width` points.

    The end stays because settings stand there: 'rqvae [generative…steps=600]'.
    """
    if text_width(text, size) <= width:
        return text
    kept = len(text) - 1
    while kept > 1 and text_width(_shortened(text, kept), size) > width:
        kept -= 1
    return _shortened(text, kept)


def _shortened(text: str, kept: int) -> str:
    start = (kept + 1) // 2
    return f"{text[:start].rstrip()}…{text[len(text) - (kept - start) :].lstrip()}"


@cache
def text_width(text: str, size: float = SMALL) -> float:
    """Return the width of a text in points."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    if not text:
        return 0.0
    font = FontProperties(family="DejaVu Sans", size=size)
    return float(text_to_path.get_text_width_height_descent(text, font, False)[0])


@cache
def _signs() -> frozenset[str]:
    """Return the printable signs that the font has."""
    from matplotlib.font_manager import findfont, get_font

    signs = map(chr, get_font(findfont("DejaVu Sans")).get_charmap())
    return frozenset(sign for sign in signs if sign.isprintable())


def legend_below(figure: Figure, handles: Sequence[Artist], labels: Sequence[str]) -> None:
    """Put a legend under the panels, in as many columns as fit, and make the figure higher by its lines."""
    whole = COLUMN * POINTS - SMALL  # with a margin
    sides = 4.9 * SMALL  # handle and gaps of one entry
    texts = shown(labels, whole - sides)
    columns = min(len(texts), max(1, int(whole // (max(map(text_width, texts)) + sides))))
    legend = figure.legend(list(handles), [""] * len(texts), loc="outside lower center", ncols=columns)
    for text, label in zip(legend.get_texts(), texts, strict=True):
        text.set_text(label)
    width, height = figure.get_size_inches()
    figure.set_size_inches(width, height + (math.ceil(len(texts) / columns) + 1) * 1.5 * SMALL / POINTS)
