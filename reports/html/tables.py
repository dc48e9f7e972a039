"""Filled tables as HTML tables: complete without a script, made sortable, filtered and explained by `tables.js`."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from html import escape

from benchmark.metrics.metric import BETTER
from benchmark.reports.html.embedding import script_json
from benchmark.reports.tables.captions import protocol
from benchmark.reports.tables.layout import Cell, Column, FilledTable, Row, own_text, published_text


def table_html(filled: FilledTable, number: int) -> str:
    """Return one table with heading, caption and footnotes."""
    name = f"table-{number}"
    notes = "".join(f"<li>{escape(note)}</li>" for note in filled.footnotes)
    head = "".join(_header(column) for column in filled.columns)
    seeds = _sorter("Seeds", "numbers", "how many seeds") if filled.table.shows_seeds else ""
    body = "\n".join(_row(filled, row, place) for place, row in enumerate(filled.rows))
    return f"""<section class="table" id="{name}" data-table="{number}" data-name="{escape(filled.table.name)}"
 data-sets="{escape(script_json(data_sets(filled)))}" data-protocols="{escape(script_json(protocols(filled)))}">
<h3 id="{name}-title">{escape(filled.table.title)}</h3>
<p class="caption" id="{name}-caption">{escape(filled.caption)}</p>
<div class="scroll">
<table role="grid" aria-labelledby="{name}-title" aria-describedby="{name}-caption">
<thead><tr>{_sorter(filled.table.row_header, "text", "by name")}{head}{seeds}</tr></thead>
<tbody>
{body}
</tbody>
</table>
</div>
{f'<ul class="notes">{notes}</ul>' if notes else ""}
</section>"""


def _header(column: Column) -> str:
    order = "down" if column.higher_is_better else "up"
    title = "; ".join(filter(None, (column.description, BETTER[column.higher_is_better])))
    return _sorter(column.header, order, title, column.dataset)


def _sorter(text: str, order: str, title: str, dataset: str = "") -> str:
    """Return a column's header; `order` is what the first click does: text, or numbers 'up' or 'down'."""
    of = f' data-set="{escape(dataset)}"' if dataset else ""
    return (
        f'<th scope="col" data-order="{order}"{of}><button type="button" class="sort" tabindex="-1" '
        f'title="{escape(title)}">{escape(text)}</button></th>'
    )


def _row(filled: FilledTable, row: Row, place: int) -> str:
    cells = "".join(_cell(column, cell) for column, cell in zip(filled.columns, row.cells, strict=True))
    n = len(row.seeds)
    seeds = f'<td data-value="{n}"><button type="button" class="cell" tabindex="-1">{n}</button></td>'
    method = row.results[0].method if row.results else ""
    marks = f"{' data-control' if row.control else ''}{'' if row.results else ' data-hole'}"
    label = f'<button type="button" class="cell" tabindex="-1"><bdi>{_breakable(row.title)}</bdi></button>'
    return (
        f'<tr data-row="{place}" data-method="{escape(method)}"{marks}><th scope="row">{label}</th>'
        f"{cells}{seeds if filled.table.shows_seeds else ''}</tr>"
    )


def _breakable(label: str) -> str:
    """Let a long label break after the signs inside its settings."""
    return re.sub(r"([.,=_])(?=\S)", r"\1<wbr>", escape(label))


def _cell(column: Column, cell: Cell) -> str:
    """Our number, bold where it is the best; the published value below it, coloured by its verdict."""
    value = f' data-value="{cell.mean!r}"' if cell.mean is not None and math.isfinite(cell.mean) else ""
    own = escape(own_text(column, cell))
    text = f"<strong>{own}</strong>" if cell.bold else own
    if cell.published is not None:
        verdict = escape(cell.published.verdict.replace(" ", "-") or "none")
        text += f'<small class="published {verdict}">{escape(published_text(column, cell))}</small>'
    empty = "" if cell.mean is not None else ' class="empty"'
    return f'<td{value}{empty}><button type="button" class="cell" tabindex="-1">{text}</button></td>'


def data_sets(filled: FilledTable) -> list[str]:
    """Return the names of the data sets that a table is about."""
    of_columns = [column.dataset for column in filled.columns]
    of_rows = [str(result.dataset["name"]) for row in filled.rows for result in row.results]
    return list(dict.fromkeys(filter(None, [*of_columns, *of_rows])))


def protocols(filled: FilledTable) -> list[str]:
    """Return the protocols (preset and text fields) of a table's rows, in words."""
    found = ("; ".join(protocol(result, search=False)) for row in filled.rows for result in row.results)
    return list(dict.fromkeys(found))


def filters(tables: Sequence[FilledTable]) -> str:
    """Return the controls that choose among tables and rows."""
    sets = sorted({name for filled in tables for name in data_sets(filled)})
    shared = sorted({words for filled in tables for words in protocols(filled)})
    methods = sorted({row.results[0].method for filled in tables for row in filled.rows if row.results})
    choices = [("set", "Data set", sets), ("protocol", "Protocol", shared), ("method", "Method", methods)]
    return "\n".join(_select(f"filter-{name}", label, values) for name, label, values in choices)


def _select(name: str, label: str, values: Sequence[str]) -> str:
    options = "".join(f'<option value="{escape(value)}">{escape(value)}</option>' for value in values)
    return f'<label for="{name}">{label}<select id="{name}"><option value="">all</option>{options}</select></label>'


def contents(tables: Sequence[FilledTable]) -> str:
    """Return a list of links to the tables."""
    entries = (
        f'<li data-for="table-{number}"><a href="#table-{number}">{escape(filled.table.title)}</a> '
        f"<small>{escape(', '.join(data_sets(filled)))}</small></li>"
        for number, filled in enumerate(tables)
    )
    return f"<ol>{''.join(entries)}</ol>"
