"""Reads the files of a result strictly, line by line, independently of the code that wrote them.

Every reader raises Absent for a file that is not there and Flaw, with the line, for one that says what cannot be.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmark.verification.findings import Absent, Flaw

Float64 = NDArray[np.float64]
Codes = tuple[int, ...]
Grades = dict[str, dict[str, int]]  # query -> item -> grade
Ranked = dict[str, list[str]]  # query -> items, best first
CODES = re.compile("[0-9]+(?:-[0-9]+)*")


def lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield (line number, line without its end) of a file."""
    try:
        with path.open(encoding="utf-8", newline="\n") as file:
            for number, line in enumerate(file, 1):
                yield number, line.rstrip("\n")
    except FileNotFoundError:
        raise Absent(f"{path.name} is not there") from None
    except (OSError, UnicodeDecodeError) as error:
        raise Flaw(f"{path.name} cannot be read: {error}") from None


def _at(path: Path, number: int, reason: str) -> Flaw:
    """Return the flaw of one line, in the form of the suite's own errors and without their code."""
    return Flaw(f"{path.name}:{number}: {reason}")


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object, refusing a key that stands twice."""
    text = "\n".join(line for _, line in lines(path))
    try:
        content = json.loads(text, object_pairs_hook=_once)
    except ValueError as error:
        raise Flaw(f"{path.name} is not valid JSON: {error}") from None
    if not isinstance(content, dict):
        raise Flaw(f"{path.name} holds no JSON object")
    return content


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        raise ValueError(f"a key stands twice among {[key for key, _ in pairs]}")
    return content


def read_qrels(path: Path) -> Grades:
    """Read TREC judgments 'query 0 item grade'."""
    grades: Grades = {}
    for number, line in lines(path):
        columns = line.split()
        if len(columns) != 4 or not columns[3].lstrip("-").isdigit():
            raise _at(path, number, "expected 'query 0 item grade'")
        judged = grades.setdefault(columns[0], {})
        if judged.setdefault(columns[2], int(columns[3])) != int(columns[3]):
            raise _at(path, number, "the pair was judged otherwise before")
    if not grades:
        raise Flaw(f"{path.name} holds no judgments")
    return grades


def read_run(path: Path) -> Ranked:
    """Read a TREC run 'query Q0 item rank score tag' whose ranks count from 1 and whose scores fall."""
    ranked: Ranked = {}
    last, above = "", math.inf
    for number, line in lines(path):
        columns = line.split()
        try:
            query, _, item, rank, text, _ = columns
            score = float(text)
        except ValueError:
            raise _at(path, number, "expected 'query Q0 item rank score tag'") from None
        if query != last:
            if query in ranked:
                raise _at(path, number, f"the query '{query}' was ranked before")
            ranked[query], last, above = [], query, math.inf
        items = ranked[query]
        if rank != str(len(items) + 1):
            raise _at(path, number, f"expected rank {len(items) + 1}, got {rank}")
        if not score < above:
            raise _at(path, number, f"the score {text} does not fall")
        items.append(item)
        above = score
    for query, items in ranked.items():
        if len(set(items)) < len(items):
            raise Flaw(f"{path.name}: the ranking of '{query}' names an item twice")
    return ranked


@lru_cache(maxsize=2)  # the means of all metrics of a result are compared with it
def read_scores(path: Path) -> tuple[list[str], dict[str, Float64]]:
    """Read a table of values per query: (query ids, measure -> values in their order)."""
    names: list[str] = []
    rows: list[str] = []
    for number, line in lines(path):
        columns = line.count("\t") + 1
        if number == 1:
            names = line.split("\t")[1:]
        elif columns != len(names) + 1:
            raise _at(path, number, f"expected {len(names) + 1} columns, got {columns}")
        else:
            rows.append(line)
    entries = "\t".join(rows).split("\t") if rows else []  # of all lines, one after the other
    width = len(names) + 1
    queries = entries[::width]
    if len(set(queries)) < len(queries):
        raise Flaw(f"{path.name}: a query stands twice")
    try:
        return queries, {name: _numbers(entries[column::width]) for column, name in enumerate(names, 1)}
    except ValueError as error:
        raise Flaw(f"{path.name}: {error}") from None


def _numbers(texts: Sequence[str]) -> Float64:
    """Read numbers, each text once: most values of a query are among a few."""
    known = {text: float(text) for text in set(texts)}
    return np.array([known[text] for text in texts], dtype=np.float64)


def read_ids(path: Path) -> dict[str, Codes]:
    """Read 'item TAB code-code-..': item -> codes, in the file's order."""
    ids: dict[str, Codes] = {}
    for number, line in lines(path):
        item, _, codes = line.partition("\t")
        if not CODES.fullmatch(codes):
            raise _at(path, number, "expected 'item TAB code-code-..'")
        if item in ids:
            raise _at(path, number, f"the item '{item}' stands there twice")
        ids[item] = tuple(map(int, codes.split("-")))
    if not ids:
        raise Flaw(f"{path.name} holds no items")
    return ids


@lru_cache(maxsize=4)
def read_items(path: Path) -> dict[str, tuple[str, ...]]:
    """Read the items of a data set: item -> category path, in row order."""
    items: dict[str, tuple[str, ...]] = {}
    for number, line in lines(path):
        try:
            entry = json.loads(line)
            item, categories = str(entry["id"]), tuple(map(str, entry["categories"]))
        except (ValueError, TypeError, KeyError):
            raise _at(path, number, "expected an object with id and categories") from None
        if item in items:
            raise _at(path, number, f"the item '{item}' stands there twice")
        items[item] = categories
    return items


def read_last_items(path: Path) -> tuple[tuple[str, str], ...]:
    """Read 'user item': each user's last item, for the users that have one."""
    rows = [line.split() for _, line in lines(path)]
    return tuple((row[0], row[1]) for row in rows if len(row) > 1)


@lru_cache(maxsize=4)
def read_histories(path: Path) -> tuple[tuple[str, ...], ...]:
    """Read 'user item item ..': the items of each user, oldest first."""
    return tuple(tuple(line.split()[1:]) for _, line in lines(path))
