"""A site: a folder of pages that load nothing, the same bytes whenever it is made of the same results.

    index.html         the leaderboards of all data sets and protocols; every row leads to its provenance and its IDs
    <data set>.html    all tables of a data set, costs, figures and the ID explorer: the page of `--format html`
    tables.json        the numbers of all pages

`benchmark verify` makes all of them again from the results and compares.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from benchmark.reports.html.facets import data_sets
from benchmark.reports.html.provenance import Sources
from benchmark.reports.html.render import TITLE, fill_page, page, svg_figures
from benchmark.reports.html.tables import glossary, view
from benchmark.reports.renderers import json_tables
from benchmark.reports.tables.layout import FilledTable
from benchmark.reports.tables.leaderboard import GROUP
from benchmark.results.result_files import Result, group_seeds

INDEX, NUMBERS = "index.html", "tables.json"
SIZES = ("items", "users", "interactions")  # of a data set, where its counts have them


def render(tables: Sequence[FilledTable]) -> dict[str, str]:
    """Return the files of the site, name -> text: leaderboards on the front page, other tables by data set."""
    boards = sorted((filled for filled in tables if filled.table.group == GROUP), key=data_sets)
    others = [filled for filled in tables if filled.table.group != GROUP]
    sets: dict[str, list[Result]] = {}
    for result in Sources(tables).results:
        sets.setdefault(str(result.dataset["name"]), []).append(result)
    pages = page_names(sets)
    files = {INDEX: _index(boards, tables, sets, pages)}
    for name, results in sets.items():
        files[pages[name]] = _page_of_set(name, results, [filled for filled in others if name in data_sets(filled)])
    return files | {NUMBERS: json_tables.render(tables)}


def page_names(sets: Iterable[str]) -> dict[str, str]:
    """Return data set -> file name: lower case, without signs that a server or file system could refuse."""
    found: dict[str, str] = {}
    taken = {INDEX, "tables.html"}  # the latter is that of `--format html`
    for name in sorted(sets):
        stem = re.sub(r"[^a-z0-9.]+", "-", name.lower()).strip("-.") or "data-set"
        number = 1
        while (file := f"{stem}{f'-{number}' if number > 1 else ''}.html") in taken:
            number += 1
        taken.add(file)
        found[name] = file
    return found


def _index(
    boards: Sequence[FilledTable], tables: Sequence[FilledTable], sets: Mapping[str, Sequence[Result]],
    pages: Mapping[str, str],
) -> str:  # fmt: skip
    views = [view(filled, number, pages[data_sets(filled)[0]]) for number, filled in enumerate(boards)]
    return fill_page(
        "index.html", boards, Sources(boards, pages), title=TITLE, tables=views, glossary=glossary(tables),
        sets=[_about(results, pages[name]) for name, results in sorted(sets.items())],
    )  # fmt: skip


def _about(results: Sequence[Result], page: str) -> dict[str, Any]:
    """Return what the list of data sets says of one."""
    counts = results[0].dataset.get("counts") or {}
    sizes = [f"{counts[name]:,} {name}" for name in SIZES if isinstance(counts.get(name), int)]
    rows, methods = len(group_seeds(results)), len({result.method for result in results})
    about = [*sizes, f"{rows} configurations of {methods} methods"]
    return {"page": page, "title": _title(results), "about": ", ".join(about)}


def _title(results: Sequence[Result]) -> str:
    """Return the title of a data set; all, where its name stands for several, as that of a generated one may."""
    return ", ".join(dict.fromkeys(str(result.dataset["title"]) for result in results))


def _page_of_set(name: str, results: Sequence[Result], tables: Sequence[FilledTable]) -> str:
    sources = Sources(tables)
    own = [result for result in sources.results if str(result.dataset["name"]) == name]
    title = f"{_title(results)}: {TITLE.lower()}"
    return page(tables, sources, svg_figures(own), title=title, home=INDEX)
