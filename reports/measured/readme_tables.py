"""Write the tables of README.md: recommendation and search on Amazon Beauty, all rows, and search with other queries.

    python reports/measured/readme_tables.py            # rewrites README.md between its markers
    python reports/measured/readme_tables.py --print

The numbers are those of `benchmark report` from results.tar.xz. Rows of all presets stand together, best first; the
published values are those of the paper's Tables 3 and 4 and of the papers that these name.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import benchmark
from benchmark.reports.tables.counters import LEFT
from benchmark.reports.tables.histories import history_rule
from benchmark.results.result_files import Result, read_result

HERE = Path(__file__).resolve().parent
README = HERE.parents[1] / "README.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
DATASET, TEXT = "beauty", ("title", "brand")
COLUMNS = {"recommendation": ("R@5", "nDCG@5", "R@10", "nDCG@10"), "search": ("nDCG@5", "AP@5", "R@10", "nDCG@10")}
PUBLISHED = {"recommendation": ("table3", ("R@5", "nDCG@5")), "search": ("table4", ("nDCG@5", "AP@5"))}
OTHER = {  # data set and query set -> how a column is headed
    ("cranfield", "judged"): "Cranfield", ("nfcorpus", "judged-dev"): "NFCorpus, development",
    ("beauty", "category-derived"): "Beauty, category-derived",
}  # fmt: skip
TITLES = {"recommendation": "Next-item recommendation", "search": "Search with simulated known-item queries"}

Row = dict[str, Any]


def rows_of(tables: Iterable[dict[str, Any]], task: str, runs: Path) -> Iterator[tuple[Row, dict[str, Row], Result]]:
    """Yield the rows of a task's tables, with their cells by header and the result of their first seed."""
    for table in tables:
        if table["name"] != task:
            continue
        headers = [column["header"] for column in table["columns"]]
        for row in table["rows"]:
            cells = dict(zip(headers, row["cells"], strict=True))
            yield row, cells, read_result(runs / next(path for cell in row["cells"] for path in cell["results"]))


def is_of_the_papers_protocol(result: Result, task: str) -> bool:
    """Say whether a row is of Beauty with these text fields, of all users, and of a method as it is."""
    of_data = result.dataset["name"] == DATASET and (result.text_fields == TEXT or not reads_text(result))
    plain = (
        not result.of_histories
        and "first_look" not in result.config["protocol"]
        and (task != "search" or result.queries == "simulated")
    )
    return of_data and plain and result.label == result.method


def reads_text(result: Result) -> bool:
    """Say whether a row's numbers depend on the text fields."""
    return result.kind != "recommender"


def published_of(tables: Iterable[dict[str, Any]], task: str) -> dict[str, dict[str, float]]:
    """Return method -> column -> the published value, from the paper's table."""
    name, columns = PUBLISHED[task]
    found: dict[str, dict[str, float]] = {}
    for table in tables:
        if table["name"] != name:  # both readings of Table 4 stand beside the same published values
            continue
        headers = [column["header"] for column in table["columns"]]
        for row in table["rows"]:
            cells = dict(zip(headers, row["cells"], strict=True))
            values = {
                column: cell["published"]
                for column in columns
                for header, cell in cells.items()
                if header.startswith(f"Beauty {column}") and cell.get("published") is not None
            }
            if row["method"] and values:
                found.setdefault(row["method"], values)
    return found


def table(task: str, tables: list[dict[str, Any]], runs: Path) -> str:
    """Return one table as Markdown."""
    columns = COLUMNS[task]
    others = published_of(tables, task)
    users = task == "recommendation"
    lines = [
        f"**{TITLES[task]}**, Amazon Beauty (2014, 5-core), 12,101 items",
        "",
        f"| method | preset{' | history' * users} | seeds | {' | '.join(columns)} | published "
        f"{', '.join(PUBLISHED[task][1])} |",
        f"| --- | ---{' | ---' * users} | --- | {' | '.join(['---'] * len(columns))} | --- |",
    ]
    rows = [row for row in rows_of(tables, task, runs) if is_of_the_papers_protocol(row[2], task)]
    for row, cells, result in sorted(rows, key=lambda one: -one[1]["nDCG@10"]["mean"]):
        values = [number(cells[column]) for column in columns]
        said = ", ".join(f"{value:.4f}" for value in others.get(result.method, {}).values()) or "–"
        seeds = ", ".join(map(str, cells[columns[0]]["seeds"]))
        scratch = (result.config["method"] or {}).get("backbone") == "scratch"
        name = row["label"] + " (scratch)" * scratch + " (control)" * row["control"]
        rule = f" | {history_rule(result) or '–'}" * users
        lines.append(f"| {name} | {result.preset}{rule} | {seeds} | {' | '.join(values)} | {said} |")
    return "\n".join(lines)


def other_queries(tables: list[dict[str, Any]], runs: Path) -> str:
    """Return nDCG@10 of all rows with people's queries, or with words of a category path, as Markdown."""
    found: dict[str, dict[tuple[str, str], Row]] = {}  # row -> data and query set -> cell
    for row, cells, result in rows_of(tables, "search", runs):
        asked = (str(result.dataset["name"]), str(result.queries))
        if asked in OTHER:
            name = row["label"].removesuffix("-ids")  # a row of IDs that the method's own row has learned
            found.setdefault(name + " (control)" * row["control"], {})[asked] = cells["nDCG@10"]
    lines = [
        "**Search with other queries**, preset small, nDCG@10: people's queries and judgments, and words of a category "
        "path, whose items are relevant",
        "",
        f"| method | {' | '.join(f'{title} | seeds' for title in OTHER.values())} |",
        f"| --- |{' --- | --- |' * len(OTHER)}",
    ]
    first = next(iter(OTHER))
    for name, of_row in sorted(found.items(), key=lambda one: -one[1].get(first, {"mean": 0})["mean"]):
        texts = (f"{number(c)} | {', '.join(map(str, c['seeds']))}" if (c := of_row.get(s)) else "– | –" for s in OTHER)
        lines.append(f"| {name} | {' | '.join(texts)} |")
    return "\n".join(lines)


def counters(tables: list[dict[str, Any]], runs: Path) -> str:
    """Say what is left of the rows whose items mostly share their IDs, where these come in random order."""
    rows = [
        row for row in rows_of(tables, "recommendation", runs) if is_of_the_papers_protocol(row[2], "recommendation")
    ]
    own = {
        row["label"]: (cells["R@10"]["mean"], cells.get("R@10 (expected)", {}).get("mean")) for row, cells, _ in rows
    }
    named = [
        f"{label} {expected:.4f}"
        for label, (mean, expected) in own.items()
        if expected is not None and expected < LEFT * mean
    ]
    return (
        f"Rows whose items mostly share an ID owe R@10 to a token; with such items in random order: {', '.join(named)}."
    )


def number(cell: Row) -> str:
    """Return a mean with its 95% interval."""
    return f"{cell['mean']:.4f} [{cell['low']:.4f}, {cell['high']:.4f}]"


def text() -> str:
    """Return what stands between the markers."""
    results = benchmark.load_results(HERE / "results.tar.xz")
    names = ("recommendation", "search", "table3", "table4")
    tables = json.loads(results.table(*names).text("json"))
    parts = [*(table(task, tables, results.runs) for task in COLUMNS), other_queries(tables, results.runs)]
    note = (
        "Means over the seeds with 95% intervals over users or queries and seeds. Text: title and brand, all that "
        "Beauty has; every encoder is the packaged MiniLM, in zero-shot as it is; CPU only. Published values are of "
        f"other settings, popularity's of S3-Rec's table. {counters(tables, results.runs)} history: items that "
        "the user already has are ranked like any other (keep) or get the score 0 "
        "(zero); what the rule adds is finding 6. (scratch): a language model from random weights, which shows that "
        "the method runs, not how well it does; category-derived: generative rows and PEFA learned other, simulated "
        "queries. How they were measured, and every other table: `reports/measured/`."
    )
    return "\n\n".join([*parts, note])


def main() -> int:
    """Rewrite README.md between its markers, or print."""
    if "--print" in sys.argv[1:]:
        print(text())
        return 0
    old = README.read_text("utf-8")
    pattern = re.compile(f"{re.escape(BEGIN)}.*{re.escape(END)}", re.DOTALL)
    if not pattern.search(old):
        print(f"{README}: has no line {BEGIN}", file=sys.stderr)
        return 1
    README.write_text(pattern.sub(lambda _: f"{BEGIN}\n\n{text()}\n\n{END}", old), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
