"""Tables for a notebook's cell: plain HTML without a script or a style sheet of its own."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from benchmark.reports.tables.layout import FilledTable, own_text, published_text

TEMPLATE = """{% for filled in tables %}<h4>{{ filled.table.title }}</h4>
<p>{{ filled.caption }}</p>
<table><thead><tr><th>{{ filled.table.row_header }}</th>
{%- for column in filled.columns %}<th>{{ column.header }}</th>{% endfor %}
{%- if filled.table.shows_seeds %}<th>Seeds</th>{% endif %}</tr></thead>
<tbody>
{% for row in filled.rows %}<tr><th>{{ row.title }}</th>
{%- for column, cell in zip(filled.columns, row.cells) %}<td>
{%- if cell.bold %}<b>{{ own(column, cell) }}</b>{% else %}{{ own(column, cell) }}{% endif %}
{%- if cell.published %}<br>{{ published(column, cell) }}{% endif %}</td>{% endfor %}
{%- if filled.table.shows_seeds %}<td>{{ row.seeds | length }}</td>{% endif %}</tr>
{% endfor %}</tbody></table>
{% if filled.footnotes %}<ul>{% for note in filled.footnotes %}<li>{{ note }}</li>{% endfor %}</ul>
{% endif %}{% endfor %}"""


def render(tables: Sequence[FilledTable]) -> str:
    """Return every table with its title, caption and footnotes."""
    text: str = _template().render(tables=tables, own=own_text, published=published_text, zip=zip)
    return text


@cache
def _template() -> Any:
    from jinja2 import Environment

    return Environment(autoescape=True).from_string(TEMPLATE)
