"""Puts the page together: one HTML file that loads nothing, the same bytes whenever it is made of the same results."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmark.reports.html.catalogue import catalogues
from benchmark.reports.html.embedding import script_json
from benchmark.reports.html.facets import choices, shared
from benchmark.reports.html.points import costs, points, qualities
from benchmark.reports.html.provenance import Sources
from benchmark.reports.html.tables import glossary, meaning, methods, view
from benchmark.reports.tables.captions import run_conditions
from benchmark.reports.tables.layout import FilledTable
from benchmark.reports.templates import fill
from benchmark.results.result_files import Result

HERE = Path(__file__).parent
OF_TABLES, OF_RESULTS = ("dom", "provenance", "tables"), ("scatter", "codes", "nodes", "panes", "explorer")
FIGURES = 1_400_000  # bytes of figures in a page
TITLE = "Semantic indexers, benchmarked"


def render(tables: Sequence[FilledTable]) -> str:
    """Return the page for these tables with the figures, costs and IDs of the results they rest on."""
    sources = Sources(tables)
    return page(tables, sources, svg_figures(sources.results))


def page(
    tables: Sequence[FilledTable], sources: Sources, figures: Sequence[tuple[str, str]], *,
    title: str = TITLE, home: str = "",
) -> str:  # fmt: skip
    """Return the page; `figures` are (caption, SVG element), `home` is the front page of the site it belongs to."""
    more = {
        "qualities": qualities(tables),
        "costs": [{"key": key, "name": name} for key, name, _ in costs()],
        "points": points(sources.groups, sources.number),
    }
    return fill_page(
        "page.html", tables, sources, more=more, scripts=OF_RESULTS, title=title, home=home,
        tables=[view(filled, number) for number, filled in enumerate(tables)],
        catalogues=script_json(catalogues(sources.groups, sources.number)), **_figures_that_fit(figures),
    )  # fmt: skip


def fill_page(
    template: str, filled: Sequence[FilledTable], sources: Sources, *, more: dict[str, Any] | None = None,
    scripts: Sequence[str] = (), **values: Any,
) -> str:  # fmt: skip
    """Return a page of filled tables from a template that extends `base.html`, with what all such pages need."""
    data = {
        "configurations": sources.configurations(),
        "runs": sources.runs(),
        "tables": [_table(table, sources) for table in filled],
        **(more or {}),
    }
    common = {
        "summary": _summary(filled, sources.results),
        "style": (HERE / "style.css").read_text("utf-8"),
        "facets": choices(filled), "shared": shared(filled), "methods": methods(filled),
        "holes": any(not row.results for table in filled for row in table.rows),
        "glossary": glossary(filled),
        "data": script_json(data),
        "script": "\n".join((HERE / f"{name}.js").read_text("utf-8") for name in (*OF_TABLES, *scripts, "page")),
    }  # fmt: skip
    text = fill(HERE / template, **common | values)
    return text.encode(errors="replace").decode()  # halves of surrogate pairs, which JSON files can hold


def _table(filled: FilledTable, sources: Sources) -> dict[str, Any]:
    return {
        "columns": [{"header": column.header, "meaning": meaning(column)} for column in filled.columns],
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


def svg_figures(results: Sequence[Result]) -> list[tuple[str, str]]:
    """Return the registered figures of these results as (caption, SVG element)."""
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
