"""From registered figures to files: SVG, PDF and PNG with the same bytes whenever they are drawn from the same results.

No date, no random identifier and no font of the machine goes into a file.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from benchmark.errors import BenchmarkError
from benchmark.registry import load, registered
from benchmark.reports.figures.layout import Drawn, Figure, Options
from benchmark.reports.figures.style import SETTINGS, styled
from benchmark.results.result_files import Result

UNDATED = {"svg": {"Date": None, "Creator": None}, "pdf": {"CreationDate": None}, "png": {"Software": None}}
FORMATS = tuple(UNDATED)
LONGEST = 160  # bytes of a file's name: file systems take 255


@dataclass(frozen=True)
class Outcome:
    """What became of one registered figure: its drawings, or why there is none."""

    name: str
    drawn: tuple[Drawn, ...] = ()
    missing: str = ""  # what it needs
    problem: str = ""  # a damaged file

    def file_names(self) -> list[str]:
        """Return one distinct file name without suffix per drawing: 'categories-beauty-small'."""
        names: list[str] = []
        for drawn in self.drawn:
            words = (re.sub(r"[^\w.=-]+", "-", part).strip("-.") for part in (self.name, *drawn.parts))
            name = "-".join(filter(None, words)).encode()[:LONGEST].decode(errors="ignore")
            count = sum(other == name or other.startswith(f"{name}~") for other in names)
            names.append(f"{name}~{count + 1}" if count else name)
        return names


def draw_all(
    results: Sequence[Result], *, names: Iterable[str] | None = None, options: Options | None = None
) -> list[Outcome]:
    """Draw the named figures (default: all registered ones). Raises UsageError for an unknown name."""
    outcomes = []
    for name in names if names is not None else registered("figure"):
        figure: Figure = load("figure", name)
        try:
            with styled():
                drawn = tuple(map(_settled, figure.draw(results, options or Options())))
        except BenchmarkError as error:
            outcomes.append(Outcome(name, problem=str(error)))
        else:
            outcomes.append(Outcome(name, drawn, missing="" if drawn else figure.needs))
    return outcomes


def _settled(drawn: Drawn) -> Drawn:
    """Lay the figure out once for all formats, and replace what is no text in title and caption.

    Laid out again for every file, it would move a little with each. Halves of surrogate pairs come from JSON files.
    """
    drawn.figure.draw_without_rendering()
    drawn.figure.set_layout_engine("none")
    title, caption = (text.encode(errors="replace").decode() for text in (drawn.title, drawn.caption))
    return replace(drawn, title=title, caption=caption)


def figure_bytes(drawn: Drawn, style: str) -> bytes:
    """Return a drawing as a file of this format: svg, pdf or png."""
    from matplotlib.backend_bases import get_registered_canvas_class

    buffer, figure = io.BytesIO(), drawn.figure
    canvas, dpi = figure.canvas, figure.dpi
    try:
        with styled():  # `savefig` would draw it twice, for layouts that follow the format
            figure.dpi = SETTINGS["savefig.dpi"]
            getattr(get_registered_canvas_class(style)(figure), f"print_{style}")(buffer, metadata=UNDATED[style])
    finally:
        figure.dpi = dpi
        figure.set_canvas(canvas)
    return _rounded(buffer.getvalue()) if style == "svg" else buffer.getvalue()


def _rounded(svg: bytes) -> bytes:
    """Cut the coordinates of paths to hundredths of a point: half the bytes, nothing to be seen."""
    return re.sub(rb' d="[^"]*"', lambda path: re.sub(rb"(\.\d\d)\d+", rb"\1", path[0]), svg)


def figures_svg(results: Sequence[Result], names: Iterable[str] | None = None) -> list[tuple[str, str]]:
    """Return (title and caption, SVG element) of every figure that these results have, to be put into one HTML page.

    Identifiers differ from figure to figure; a title inside each element is what a screen reader says.
    """
    drawn = [one for outcome in draw_all(results, names=names) for one in outcome.drawn]
    return [(f"{one.title}. {one.caption}", _element(one, f"figure{n}-")) for n, one in enumerate(drawn, 1)]


def _element(drawn: Drawn, prefix: str) -> str:
    from markupsafe import Markup

    text = figure_bytes(drawn, "svg").decode()
    text = re.sub(r"\s*<metadata>.*?</metadata>", "", text[text.index("<svg") :], count=1, flags=re.S)
    text = re.sub(r'(\bid="|href="#|url\(#)', rf"\1{prefix}", text)
    start, end = text.split(">", 1)
    title = Markup("<title>{}</title>").format(drawn.title)  # escaped
    return f'{start} role="img">{title}{end}'
