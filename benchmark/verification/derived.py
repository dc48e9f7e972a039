"""Checks the tables whose numbers follow from run files and are in no result.json.

    beyond-accuracy             rankings, training histories and the items' category paths
    recommendation-by-history   rankings, judgments and the lengths of the training histories
    id-neighbours               IDs and the items' titles
    id-churn                    IDs, training histories and judgments

Each cell is the mean over its results of a number, or of a mean over users (those that have the number in all results).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmark.verification.files import read_json
from benchmark.verification.findings import MISSING, WRONG, Absent, Findings, Flaw
from benchmark.verification.id_tables import id_churn, id_neighbours
from benchmark.verification.recommendation_tables import Numbers, beyond_accuracy, by_history
from benchmark.verification.stored import Stored

TABLES = "tables.json"


def check_derived(tables: Iterable[Mapping[str, Any]], runs: Path, findings: Findings) -> None:
    """Check the means of these tables of a report; other tables are passed by."""
    for table in tables:
        numbers_of = NUMBERS.get(table["name"])
        for row in table["rows"]:
            if numbers_of is not None:
                _check_row(table, row, runs, findings, numbers_of)


def _check_row(
    table: Mapping[str, Any], row: Mapping[str, Any], runs: Path, findings: Findings,
    numbers_of: Callable[[Stored], Numbers],
) -> None:  # fmt: skip
    known: dict[str, Numbers] = {}
    for column, cell in zip(table["columns"], row["cells"], strict=True):
        if column["source"] not in ("files", "bands") or cell["mean"] is None:
            continue
        what = f"{table['title']}, {row['label']}, {column['header']}"
        try:
            for path in cell["results"]:
                if path not in known:
                    known[path] = numbers_of(_stored(runs / path, findings))
            name = column["measure"] if column["source"] == "files" else column["header"]
            due = _mean([known[path][name] for path in cell["results"]])
        except Absent as error:
            findings.add(MISSING, TABLES, what, str(error))
        except (Flaw, KeyError) as error:
            findings.add(WRONG, TABLES, what, f"its results do not give it: {error}")
        else:
            findings.compare(TABLES, what, cell["mean"], due, "the files of its runs")


def _stored(path: Path, findings: Findings) -> Stored:
    content = read_json(path)
    return Stored(path.parent.absolute(), str(path), findings, content, content["metrics"])


def _mean(of_results: Sequence[float | Mapping[str, float]]) -> float:
    of_users = [found for found in of_results if isinstance(found, Mapping)]
    if not of_users:
        return fmean(number for number in of_results if not isinstance(number, Mapping))
    shared = set(of_users[0]).intersection(*of_users)
    return fmean(found[user] for found in of_users for user in shared)


NUMBERS: dict[str, Callable[[Stored], Numbers]] = {
    "beyond-accuracy": beyond_accuracy,
    "recommendation-by-history": by_history,
    "id-neighbours": id_neighbours,
    "id-churn": id_churn,
}
