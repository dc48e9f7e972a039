"""Figures as files: every drawing in every format, and figures.md that shows them with what their numbers are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

from benchmark.errors import UsageError, did_you_mean
from benchmark.files import write_bytes, write_text
from benchmark.registry import find
from benchmark.reports.figures.drawing import FORMATS, Outcome, draw_all, figure_bytes
from benchmark.reports.figures.layout import Options
from benchmark.reports.renderers.markdown import escape
from benchmark.results.result_files import Result


def write_figures(
    results: Sequence[Result], folder: Path, *, names: Sequence[str] | None, styles: Sequence[str],
    level: int | None = None, first_codes: Sequence[int] = (),
) -> Iterator[Path | Outcome]:  # fmt: skip
    """Write the named figures (default: all), yielding each file and, behind its files, what became of each figure.

    Raises UsageError for an unknown figure or format.
    """
    for name in names or ():
        find("figure", name)
    for style in styles:
        if style not in FORMATS:
            raise UsageError(f"--format {style}: unknown.{did_you_mean(style, FORMATS)}")
    if level is not None and level < 1:
        raise UsageError(f"--level {level}: levels are counted from 1, the most general")
    outcomes = draw_all(results, names=names, options=Options(level, tuple(first_codes)))
    pages = []
    folder.mkdir(parents=True, exist_ok=True)
    for outcome in outcomes:
        for drawn, name in zip(outcome.drawn, outcome.file_names(), strict=True):
            for style in styles:
                path = folder / f"{name}.{style}"
                write_bytes(path, figure_bytes(drawn, style))
                yield path
            pages.append((drawn.title, f"{name}.{min(styles, key=('svg', 'png', 'pdf').index)}", drawn.caption))
        yield outcome
    if pages:
        write_text(folder / "figures.md", _page(pages))


def _page(pages: list[tuple[str, str, str]]) -> str:
    """Return Markdown that shows (title, file, caption) of every figure."""
    blocks = ((escape(title), quote(file), escape(caption)) for title, file, caption in pages)
    return "\n".join(f"## {title}\n\n![{title}]({file})\n\n{caption}\n" for title, file, caption in blocks)
