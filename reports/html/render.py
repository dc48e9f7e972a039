"""Puts the page together: one HTML file that loads nothing, the same bytes whenever it is made of the same results."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmark.reports.html.catalogue import catalogues
from benchmark.reports.html.embedding import script_json
from benchmark.reports.html.points import costs, points, qualities
from benchmark.reports.html.provenance import Sources
from benchmark.reports.html.tables import filters, view
from benchmark.reports.tables.captions import run_conditions
from benchmark.reports.tables.layout import FilledTable
from benchmark.reports.templates import fill
from benchmark.results.result_files import Result

HERE = Path(__file__).parent
SCRIPTS = ("dom", "provenance", "tables", "scatter", "codes", "nodes", "panes", "explorer", "page")
FIGURES = 1_400_000  # bytes of figures in a page
TITLE = "Semantic indexers, benchmarked"


def render(tables: Sequence[FilledTable]) -> str:
    """Return the page for these tables with the figures, costs and IDs of the results they rest on."""
    sources = Sources(tables)
    return page(tables, sources, _figures(sources.results))


def page(tables: Sequence[FilledTable], sources: Sources, figures: Sequence[tuple[str, str]]) -> str:
    """Return the page; `figures` are (caption, SVG element)."""
    data = {
        "configurations": sources.configurations(),
        "runs": sources.runs(),
        "tables": [_table(filled, sources) for filled in tables],
        "qualities": qualities(tables),
        "costs": [{"key": key, "name": name} for key, name, _ in costs()],
        "points": points(sources.groups, sources.number),
    }
    text = fill(
        HERE / "page.html",
        title=TITLE,
        summary=_summary(tables, sources.results),
        style=(HERE / "style.css").read_text("utf-8"),
        filters=filters(tables),
        tables=[view(filled, number) for number, filled in enumerate(tables)],
        **_figures_that_fit(figures),
        data=script_json(data),
        catalogues=script_json(catalogues(sources.groups, sources.number)),
        script="\n".join((HERE / f"{name}.js").read_text("utf-8") for name in SCRIPTS),
    )
    return text.encode(errors="replace").decode()  # halves of surrogate pairs, which JSON files can hold


def _table(filled: FilledTable, sources: Sources) -> dict[str, Any]:
    return {
        "columns": [{"header": column.header, "digits": column.digits} for column in filled.columns],
        "rows": [
            {"label": row.title, "runs": [sources.number[result.folder] for result in row.results], "cells": cells}
            for row, cells in zip(filled.rows, sources.cells(filled), strict=True)
        ],
    }


def _summary(tables: Sequence[FilledTable], results: Sequence[Result]) -> str:
    if not results:
        return f"{len(tables)} tables, no runs yet."
    sets = sorted({str(result.dataset["title"]) for result in results})
    methods = len({result.label for result in results})
    presets = sorted({result.preset for result in results})
    return (
        f"{len(tables)} tables from {len(results)} results of {methods} methods on {', '.join(sets)}; "
        f"preset {', '.join(presets)}; {'; '.join(run_conditions(results, []))}."
    )


def _figures(results: Sequence[Result]) -> list[tuple[str, str]]:
    from benchmark.reports.figures import figures_svg

    return figures_svg(results)


def _figures_that_fit(figures: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Return the figures, without those that the page has no room for, and how many these are."""
    shown, room = [], FIGURES
    for caption, svg in figures:
        size = len(svg.encode(errors="replace"))
        if size <= room:
            room -= size
            shown.append((caption, svg))
    return {"figures": shown, "left_out": len(figures) - len(shown)}
