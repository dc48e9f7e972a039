"""TREC run and judgment files: what every ranking is written to and every ranking metric is read from.

    run:    query Q0 item rank score tag          judgments (qrels):    query 0 item grade

Rankings of other systems may come as CSV too: query,item,score.

Evaluation tools ignore the rank column and sort by score; they differ in how they break ties (trec_eval: item id
descending; the MS MARCO script: ascending). `write_run` therefore puts ties in trec_eval's order and writes equal
scores one float32 step apart, so that every tool reads the order that was written. Nine significant digits hold a
float32 exactly.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from benchmark.errors import BenchmarkError, DataError, line_error
from benchmark.files import write_lines
from benchmark.types.ties import in_order

if TYPE_CHECKING:
    from benchmark.types.arrays import Float32, Int32
    from benchmark.types.rankings import Rankings

Run: TypeAlias = dict[str, dict[str, float]]  # query id -> item id -> score
SEED = "{seed}"  # stands for the seed in the names of several files
NOT_FINITE = ("nan", "inf", "infinity")  # words that are scores, if not good ones
Judgment: TypeAlias = tuple[str, str, int]  # query id, item id, grade


def write_run(path: Path, query_ids: Sequence[str], item_ids: Sequence[str], rankings: Rankings, tag: str) -> None:
    """Write rankings as a TREC run, query by query; -1 items are left out. The file appears only when it is whole."""
    items, scores = np.asarray(rankings.items), np.asarray(rankings.scores, np.float32)
    if len(query_ids) != len(items):
        raise BenchmarkError(f"{path}: {len(query_ids)} query ids but {len(items)} rankings")
    if items.shape != scores.shape:
        raise BenchmarkError(f"{path}: items have shape {items.shape}, scores {scores.shape}")
    if items.size and items.max() >= len(item_ids):
        raise BenchmarkError(f"{path}: a ranking names item {items.max()} of only {len(item_ids)} items")
    _check_ids(path, "query", query_ids)
    _check_ids(path, "item", (item_ids[row] for row in np.unique(items[items >= 0]).tolist()))
    if len(tag.split()) != 1:
        raise BenchmarkError(f"{path}: the tag {tag!r} must be one word")
    write_lines(path, (
        f"{query} Q0 {item} {rank} {score:.9g} {tag}\n"
        for query, row, row_scores in zip(query_ids, items, scores, strict=True)
        for rank, (item, score) in enumerate(_in_file_order(path, query, item_ids, row, row_scores), 1)
    ))  # fmt: skip


def _in_file_order(
    path: Path, query: str, item_ids: Sequence[str], items: Int32, scores: Float32
) -> list[tuple[str, float]]:
    """Return (item id, score) by score and then item id, both descending, with strictly falling scores."""
    valid = items >= 0
    if not np.isfinite(scores[valid]).all():
        raise BenchmarkError(f"{path}: a score of query '{query}' is not a finite number")
    pairs = [(item_ids[row], score) for row, score in zip(items[valid].tolist(), scores[valid].tolist(), strict=True)]
    if len({item for item, _ in pairs}) < len(pairs):
        raise BenchmarkError(f"{path}: the ranking of query '{query}' names an item twice")
    falling = [left[1] > right[1] for left, right in pairwise(pairs)]
    if all(falling):
        return pairs
    pairs = in_order(pairs)
    for rank in range(1, len(pairs)):
        item, score = pairs[rank]
        above = pairs[rank - 1][1]
        if score >= above:
            pairs[rank] = item, float(np.nextafter(np.float32(above), np.float32(-np.inf)))
    return pairs


def read_run(path: Path) -> Run:
    """Read a TREC run; within a query the items stand in trec_eval's order, whatever order the file has."""
    run: Run = {}
    for number, columns in _lines(path, 6, "query Q0 item rank score tag"):
        try:
            score = float(columns[4])
        except ValueError:
            raise line_error(path, number, f"the score {columns[4]!r} is not a number") from None
        if not math.isfinite(score):
            raise line_error(path, number, f"the score {columns[4]!r} is not a finite number")
        items = run.setdefault(columns[0], {})
        if columns[2] in items:
            raise line_error(path, number, f"item '{columns[2]}' stands twice in query '{columns[0]}'")
        items[columns[2]] = score
    for query, items in run.items():
        scores = list(items.values())
        if any(left <= right for left, right in pairwise(scores)):
            run[query] = dict(in_order(items.items()))
    return run


def one_score_note(path: Path, rankings: Iterable[Mapping[str, float]], what: str) -> str:
    """Return how many rankings of a file give all of their items one score, and what orders them; '' for none.

    `what` they belong to: queries or users.
    """
    count = sum(len(items) > 1 and len(set(items.values())) == 1 for items in rankings)
    if not count:
        return ""
    unread = "" if path.suffix.lower() == ".csv" else "the rank column is not read, as in trec_eval, and "
    return f"{count:,} {what} have one score for all their items: {unread}the order is that of the item ids, descending"


def ranking_files(path: Path) -> list[Path]:
    """Return the file, or all files that a name with {seed}, a whole number, stands for, in the order of their seeds.

    Raises DataError where there is none.
    """
    found = [path]
    if SEED in path.name:
        before, *others = map(re.escape, path.name.split(SEED))
        name = re.compile(before + "([0-9]+)" + r"\1".join(others))
        there = path.parent.iterdir() if path.parent.is_dir() else ()
        matches = [(file, match) for file in there if (match := name.fullmatch(file.name))]
        found = [file for file, match in sorted(matches, key=lambda pair: (int(pair[1][1]), pair[0].name))]
    if not found or not all(file.is_file() for file in found):
        raise DataError(f"{path}: no such file; a TREC run or a CSV file query,item,score is needed")
    return found


def read_ranking_file(path: Path) -> Run:
    """Read a TREC run or a CSV file. Raises DataError, with the line, for one that is neither."""
    try:
        return _read_csv(path) if path.suffix.lower() == ".csv" else read_run(path)
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read ({error})") from None


def _read_csv(path: Path) -> Run:
    found: Run = {}
    with path.open(encoding="utf-8-sig", newline="") as file:
        for number, line in enumerate(csv.reader(file), 1):
            if not line:
                continue
            if len(line) != 3:
                raise line_error(path, number, f"expected query,item,score, found {len(line)} columns")
            name, item, score = (word.strip() for word in line)
            if number == 1 and score.isalpha() and score.lower() not in NOT_FINITE:
                continue  # the header
            try:
                value = float(score)
            except ValueError:
                raise line_error(path, number, f"the score '{score[:40]}' is not a number") from None
            if not math.isfinite(value):
                raise line_error(path, number, f"the score '{score[:40]}' is not a finite number")
            if item in found.setdefault(name, {}):
                raise line_error(path, number, f"item '{item}' stands twice in query '{name}'")
            found[name][item] = value
    return {name: dict(in_order(items.items())) for name, items in found.items()}


def write_qrels(path: Path, qrels: Iterable[Judgment]) -> None:
    """Write judgments as TREC qrels."""
    write_lines(path, (_judgment(path, *judgment) for judgment in qrels))


def _judgment(path: Path, query: str, item: str, grade: int) -> str:
    _check_ids(path, "query", (query,))
    _check_ids(path, "item", (item,))
    return f"{query} 0 {item} {int(grade)}\n"


def read_qrels(path: Path) -> list[Judgment]:
    """Read TREC qrels; a pair judged twice with the same grade counts once, with another grade it is an error."""
    grades: dict[tuple[str, str], int] = {}
    for number, columns in _lines(path, 4, "query 0 item grade"):
        try:
            grade = int(columns[3])
        except ValueError:
            raise line_error(path, number, f"the grade {columns[3]!r} is not a whole number") from None
        pair = columns[0], columns[2]
        if grades.setdefault(pair, grade) != grade:
            raise line_error(path, number, f"'{pair[0]}' and '{pair[1]}' were judged {grades[pair]} before")
    return [(query, item, grade) for (query, item), grade in grades.items()]


def _lines(path: Path, columns: int, layout: str) -> Iterator[tuple[int, list[str]]]:
    with path.open(encoding="utf-8-sig") as file:  # some editors and tools write a mark first
        for number, line in enumerate(file, 1):
            parts = line.split()
            if len(parts) == columns:
                yield number, parts
            elif parts:
                raise line_error(path, number, f"expected '{layout}', found {len(parts)} columns")


def _check_ids(path: Path, what: str, ids: Iterable[str]) -> None:
    for name in ids:
        if name.split() != [name]:
            raise BenchmarkError(f"{path}: the {what} id {name!r} is empty or has spaces: TREC files cannot hold it")
