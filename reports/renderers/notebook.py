"""Tables for a notebook's cell: plain HTML without a script or a style sheet of its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmark.reports.tables.layout import FilledTable, own_text, published_text
from benchmark.reports.templates import fill


def render(tables: Sequence[FilledTable]) -> str:
    """Return every table with its title, caption and footnotes."""
    template = Path(__file__).with_suffix(".html")
    return fill(template, tables=tables, own=own_text, published=published_text, zip=zip)
