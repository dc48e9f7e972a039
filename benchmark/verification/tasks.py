"""Checks the ranking metrics of a task from its run and its judgments, in result.json and query by query."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from benchmark.verification import ranking
from benchmark.verification.files import Float64, Grades, Ranked, read_qrels, read_run, read_scores
from benchmark.verification.findings import MISSING, TOLERANCE, Absent, Flaw
from benchmark.verification.stored import Stored, first


def check_task(result: Stored, task: str) -> None:
    """Check the ranking metrics of a task, in result.json and in the scores of each query."""
    grades = result.read(task, read_qrels, f"qrels.{task}.txt")
    ranked = result.read(task, read_run, f"run.{task}.trec")
    if grades is None or ranked is None:
        if result.left_out:
            for name, stored in result.metrics[task].items():
                _check_mean(result, task, name, stored)
        return
    _check_run(result, task, grades, ranked)
    known = {name for name in result.metrics[task] if ranking.parse(name)}
    aware = {name for name in known if ranking.needs_ids(name)}
    ids = result.ids if aware else None
    ranked_items = (item for items in ranked.values() for item in items)
    if aware and (ids is None or (stray := first(item for item in ranked_items if item not in ids))):
        if ids is not None:
            result.wrong(f"run.{task}.trec", f"ranks '{stray}', which has no ID")
        result.lack(task, dict.fromkeys(sorted(aware), "the IDs of the ranked items are not there"))
        known -= aware
    run = ranking.Rankings(grades, ranked, ids, ranking.deepest(known))
    values = {name: run.values(name) for name in known}
    for name, stored in result.metrics[task].items():
        if name in values:
            mean = float(values[name].mean())
            result.findings.compare(result.where, f"{task}, {name}", stored, mean, "the ranking and its judgments")
        elif ranking.parse(name) is None:
            result.unknown(task, name)
            _check_mean(result, task, name, stored)
    _check_scores(result, task, list(grades), values)


def _check_mean(result: Stored, task: str, name: str, stored: float) -> None:
    """What cannot be recomputed, or no longer, is at least the mean of its values per query, where they are there."""
    try:
        _, table = read_scores(result.folder / f"scores.{task}.tsv")
    except (Absent, Flaw):
        return  # the check of that file says so
    if name in table:
        source = "the values per query"
        result.findings.compare(result.where, f"{task}, {name}", stored, float(table[name].mean()), source)


def _check_run(result: Stored, task: str, grades: Grades, ranked: Ranked) -> None:
    """A ranking is of known items and queries and no deeper than the protocol."""
    file = f"run.{task}.trec"
    depth = result.content["config"]["protocol"]["depth"]
    texts = result.folder / f"queries.{task}.tsv"
    asked = {line.partition("\t")[0] for line in texts.read_text("utf-8").split("\n")} if texts.is_file() else set()
    if deep := first(query for query, items in ranked.items() if len(items) > depth):
        result.wrong(file, f"ranks {len(ranked[deep])} items for '{deep}', deeper than {depth}")
    if strange := first(query for query in ranked if query not in grades and query not in asked):
        result.wrong(file, f"ranks for '{strange}', which nobody asked or judged")
    left_out = result.content["config"]["protocol"].get("self_retrieval") == "excluded" and task == "search"
    if left_out and (own := first(query for query, items in ranked.items() if query in items)):
        result.wrong(file, f"ranks '{own}' for itself, which was to be left out")
    known = result.items if result.items is not None else result.ids
    for name, rows in ((file, ranked), (f"qrels.{task}.txt", grades)):
        if task == "search" and rows is grades:
            continue  # judgments may name items that the data set does not hold: they count as missed
        unknown = first(item for items in rows.values() for item in items if known is not None and item not in known)
        if unknown:
            result.wrong(name, f"names '{unknown}', which is not an item of the data set")


def _check_scores(result: Stored, task: str, queries: list[str], values: Mapping[str, Float64]) -> None:
    file = f"scores.{task}.tsv"
    scores = result.read(task, read_scores, file)
    if scores is None:
        return
    asked, table = scores
    if sorted(asked) != sorted(queries):
        result.wrong(file, "its queries are not those of the judgments")
        return
    row = {query: index for index, query in enumerate(queries)}
    order = np.array([row[query] for query in asked])
    for name in sorted(values.keys() - table.keys()):
        result.findings.add(MISSING, result.where, f"{file}, {name}", "result.json has it, this file has not")
    for name, stored in table.items():
        if name not in result.metrics[task]:
            result.wrong(f"{task}, {name}", f"{file} has it, result.json has not")
        if name not in values:
            continue
        result.findings.checked += len(stored)
        due = values[name][order]
        off = np.flatnonzero(~np.isclose(stored, due, rtol=TOLERANCE, atol=TOLERANCE))
        if len(off):
            first = int(off[0])
            more = f" (and {len(off) - 1} more)" if len(off) > 1 else ""
            result.wrong(f"{file}, {name}",
                f"says {float(stored[first])!r} for '{asked[first]}', the ranking gives {float(due[first])!r}{more}",
            )  # fmt: skip
