"""Draw the figures of the runs that exist. Reads result files only.

  benchmark figures --out figures
  benchmark figures --runs runs --figures categories,id-length --format pdf --out figures
  benchmark figures --figures categories,categories-inside --level 2 --first-codes 3,17 --out figures

Every figure is one column wide; figures.md in the folder shows them with what their numbers are. A figure that the
runs have no data for is named with the run that it needs.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmark.errors import UsageError, did_you_mean


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `benchmark figures`."""
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="folder of results (default runs)")
    parser.add_argument("--figures", default=None, help="comma-separated figure names (default: all)")
    parser.add_argument("--format", default="svg,pdf,png", help="svg, pdf, png; several with commas (default all)")
    parser.add_argument("--level", type=int, default=None, help="level of the category path, 1 the most general")
    parser.add_argument("--first-codes", default=None, help="first codes to look inside (default: the largest four)")
    parser.add_argument("--out", type=Path, required=True, help="folder for the files")


def execute(arguments: argparse.Namespace) -> int:
    """Write the figures; exit code 1 if one that was asked for by name is not there, or a file is damaged."""
    from benchmark.cli.words import whole_numbers, words
    from benchmark.files import write_bytes, write_text
    from benchmark.registry import find
    from benchmark.reports.figures import Options
    from benchmark.reports.figures.drawing import FORMATS, draw_all, figure_bytes
    from benchmark.results.result_files import load_results, problems

    if not arguments.runs.is_dir():
        raise UsageError(f"--runs {arguments.runs}: no such folder; 'benchmark run' makes it")
    names = words(arguments.figures) if arguments.figures else None
    for name in names or ():
        find("figure", name)
    styles = words(arguments.format)
    for style in styles:
        if style not in FORMATS:
            raise UsageError(f"--format {style}: unknown.{did_you_mean(style, FORMATS)}")
    if arguments.level is not None and arguments.level < 1:
        raise UsageError(f"--level {arguments.level}: levels are counted from 1, the most general")
    first_codes = tuple(whole_numbers(arguments.first_codes, "--first-codes")) if arguments.first_codes else ()
    results = load_results(arguments.runs)
    for problem in problems(results):
        print(f"benchmark: left out: {problem}", file=sys.stderr)
    outcomes = draw_all(results, names=names, options=Options(arguments.level, first_codes))
    pages = []
    arguments.out.mkdir(parents=True, exist_ok=True)
    for outcome in outcomes:
        for drawn, name in zip(outcome.drawn, outcome.file_names(), strict=True):
            for style in styles:
                path = arguments.out / f"{name}.{style}"
                write_bytes(path, figure_bytes(drawn, style))
                print(path)
            pages.append((drawn.title, f"{name}.{min(styles, key=('svg', 'png', 'pdf').index)}", drawn.caption))
        if outcome.problem:
            print(f"benchmark: no figure '{outcome.name}': {outcome.problem}", file=sys.stderr)
        elif outcome.missing:
            print(f"benchmark: no figure '{outcome.name}': it needs {outcome.missing}", file=sys.stderr)
    if pages:
        write_text(arguments.out / "figures.md", _page(pages))
    damaged = any(outcome.problem for outcome in outcomes)
    return 1 if damaged or (names and not all(outcome.drawn for outcome in outcomes)) else 0


def _page(pages: list[tuple[str, str, str]]) -> str:
    """Return Markdown that shows (title, file, caption) of every figure."""
    from urllib.parse import quote

    from benchmark.reports.renderers.markdown import escape

    blocks = ((escape(title), quote(file), escape(caption)) for title, file, caption in pages)
    return "\n".join(f"## {title}\n\n![{title}]({file})\n\n{caption}\n" for title, file, caption in blocks)
