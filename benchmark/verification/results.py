"""Checks one result: everything in its result.json and its tables of scores, from the files beside it.

What is compared with what:

    metrics of a task      run.<task>.trec against qrels.<task>.txt (collision-aware ones also ids.tsv)
    scores.<task>.tsv      the same, query by query
    metrics of id-quality  ids.tsv against items-<fingerprint>.jsonl and histories-<fingerprint>.txt
    ids.unique.tsv         ids.tsv and the dedup counter
    counts, and the names  ids.tsv, items, judgments; the folders
    every file             its digest (`digests`)

What cannot be recomputed for want of a file is named apart from what is wrong. Where an archive leaves files out, and
says so in left-out.txt, metrics are compared with the mean of their values per query.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmark.verification.digests import check_digests
from benchmark.verification.files import Codes, read_histories, read_ids, read_json, read_qrels
from benchmark.verification.findings import MISSING, NOT_CHECKED, WRONG, Absent, Findings, Flaw
from benchmark.verification.id_quality import IdMetrics, parse
from benchmark.verification.stored import QUALITY, Stored, first
from benchmark.verification.targets import check_targets
from benchmark.verification.tasks import check_task

OF_HISTORIES = ("co_purchase", "next_", "gini", "perplexity", "distinct")  # what names of theirs begin with


def result_folders(folder: Path) -> Iterator[Path]:
    """Yield every folder seed-<n> at or below a folder that a result was written to, sorted."""
    for place, below, files in os.walk(folder):
        below[:] = sorted(name for name in below if not name.startswith("."))
        path = Path(place)
        written = any(name == "result.json" or name.startswith(("run.", "ids.", "scores.")) for name in files)
        if written and path.absolute().name.startswith("seed-"):
            yield path


def check_result(folder: Path, where: str, findings: Findings) -> None:
    """Check one result's folder; `where` names it in the findings."""
    folder = folder.absolute()
    try:
        content = read_json(folder / "result.json")
    except Absent as error:
        findings.add(MISSING, where, "result.json", str(error))
    except Flaw as error:
        findings.add(WRONG, where, "result.json", str(error))
    else:
        _check_numbers(folder, where, content, findings)
        check_digests(folder, where, content, findings)


def _check_numbers(folder: Path, where: str, content: dict[str, Any], findings: Findings) -> None:
    try:
        metrics = {str(task): dict(values) for task, values in content["metrics"].items()}
        if not all(_is_number(value) for values in metrics.values() for value in values.values()):
            raise Flaw("result.json: a metric is not a number")
        result = Stored(folder, where, findings, content, metrics)
        _check_names(result)
        for task in metrics:
            if task == QUALITY:
                _check_quality(result)
            else:
                check_task(result, task)
        _check_ids(result)
        _check_counts(result)
    except Flaw as error:
        findings.add(WRONG, where, "result.json", str(error))
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        findings.add(WRONG, where, "result.json", f"is not of the suite's format: {error!r}")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _check_names(result: Stored) -> None:
    """The folders say data set, label, key and seed a second time."""
    content = result.content
    named = (content["dataset"]["name"], content["label"], content["key"], f"seed-{content['seed']}")
    for what, inside, outside in zip(("dataset", "label", "key", "seed"), named, result.folder.parts[-4:], strict=True):
        result.same(what, inside, outside, "the folder says")


def _check_quality(result: Stored) -> None:
    """Check the metrics of the IDs themselves."""
    if result.ids is None:
        result.lack(QUALITY, dict.fromkeys(result.metrics[QUALITY], "ids.tsv cannot be read"))
        return
    histories, training = None, result.of_split("histories")
    if any(name.startswith(OF_HISTORIES) for name in result.metrics[QUALITY]) and training.is_file():
        histories = result.read(QUALITY, read_histories, training.name, training)
        stray = first(item for history in histories or () for item in history if item not in result.ids)
        if stray:
            result.wrong(training.name, f"names '{stray}', which has no ID")
            histories = None
    quality = IdMetrics(result.ids, result.items, histories, result.sizes)
    lacking: dict[str, str] = {}
    for name, stored in result.metrics[QUALITY].items():
        what = f"{QUALITY}, {name}"
        parsed = parse(name)
        if parsed is None:
            result.unknown(QUALITY, name)
            continue
        try:
            due = quality.value(parsed)
        except Absent as error:
            lacking[name] = str(error)
            continue
        if due is None:
            result.findings.add(NOT_CHECKED, result.where, what, "it is undefined or decided by rounding alone")
        else:
            result.findings.compare(result.where, what, stored, due, "the IDs")
    result.lack(QUALITY, lacking)


def _check_ids(result: Stored) -> None:
    """ids.tsv has the data set's items in their order; ids.unique.tsv adds the dedup counter to it."""
    if result.content["kind"] != "indexer" or result.ids is None:
        return
    if result.items is not None and list(result.items) != list(result.ids):
        result.wrong("ids.tsv", "its items are not those of the items file, in their order")
    unique = result.read("", read_ids, "ids.unique.tsv")
    if unique is None:
        return
    seen: Counter[Codes] = Counter()
    new = result.withheld
    for item, codes in sorted(result.ids.items(), key=lambda pair: pair[0] in new):  # those are counted last
        if unique.get(item) != (*codes, seen[codes]):
            stored = "-".join(map(str, unique.get(item, ())))
            reason = f"'{item}' has {stored or 'no ID'}, its codes and the counter give {(*codes, seen[codes])}"
            result.wrong("ids.unique.tsv", reason)
            return
        seen[codes] += 1
    result.findings.checked += len(result.ids)
    if len(unique) > len(result.ids):
        result.wrong("ids.unique.tsv", "it has more items than ids.tsv")


def _check_counts(result: Stored) -> None:
    """How many items, labels, users and queries the result says it is about."""
    due: dict[str, int] = {}
    if result.items is not None:
        paths = [path for path in result.items.values() if path]
        due = {
            "items": len(result.items),
            "labelled items": len(paths),
            "distinct labels": len({",".join(p) for p in paths}),
        }
    for task in result.metrics:
        own = result.content["counts"].get(task, {})
        if task == QUALITY:
            if result.ids is not None:
                result.same(f"counts, {task}, items", own.get("items"), len(result.ids), "ids.tsv has")
            continue
        try:
            grades = read_qrels(result.folder / f"qrels.{task}.txt")
        except (Absent, Flaw):
            continue  # its task has said so
        unit = "users" if task == "recommendation" else "queries"
        result.same(f"counts, {task}, {unit}", own.get(unit), len(grades), "the judgments have")
        if task == "recommendation":
            check_targets(result, grades)
        if task == "search":
            due[f"{result.content.get('queries')} test queries"] = len(grades)
            due[f"{result.content.get('queries')} test judgments"] = sum(map(len, grades.values()))
    stored = result.content["dataset"].get("counts", {})
    for name, count in due.items():
        if name in stored:
            result.same(f"dataset, {name}", stored[name], count, "the stored files have")
