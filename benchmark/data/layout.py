"""The neutral layout: reads histories, their times, queries and judgments of a folder; `items` reads the items.

Any of them may be gzipped. Byte order marks, CRLF and blank lines are fine. A wrong file gets one DataError with
file, line and reason; what can be counted and left out (judgments of unknown items, queries without text) becomes a
warning with its count.

    items.jsonl     {"id", text fields, "categories": [general .. special]}; numbers, lists and objects become text
    sequences.txt   user item item ...   oldest first
    times.txt       user time time ...   one time stamp per event; numbers that sort, best in seconds since 1970
    queries.tsv     query TAB text
    qrels.txt       query 0 item grade   (TREC)
"""

from __future__ import annotations

import gzip
import json
import re
import zlib
from array import array
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmark.errors import DataError, line_error
from benchmark.types.data import Histories, QuerySet

UNREADABLE = (OSError, EOFError, zlib.error)  # what reading a plain or gzipped file may raise
_TIME = re.compile(r"[+-]?\d{1,19}(\.\d*)?", re.ASCII)
_GRADE = re.compile(r"[+-]?\d{1,6}")


def find_part(folder: Path, name: str) -> Path | None:
    """Return the file `name` or `name.gz` of a folder, None where neither is there."""
    found = [path for path in (folder / name, folder / f"{name}.gz") if path.is_file()]
    if len(found) > 1:
        raise DataError(f"{folder}: holds both {name} and {name}.gz; keep one")
    return found[0] if found else None


def open_bytes(path: Path) -> Any:
    """Open a plain or gzipped file for reading bytes."""
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")


def unreadable_error(path: Path, number: int, error: Exception) -> DataError:
    """Return the error of a file that could not be read from a line on: cut, damaged, or named .gz and nothing such."""
    if isinstance(error, gzip.BadGzipFile) and number == 1:
        return line_error(path, 1, "not gzipped, though it is called .gz: take the ending off or gzip it")
    if isinstance(error, EOFError):
        return line_error(path, number, "the file ends in the middle of its gzip stream: it was cut off")
    return line_error(path, number, f"cannot be read from here on: {getattr(error, 'strerror', None) or error}")


def lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield (line number, text) of the lines that are not blank."""
    number = 0
    try:
        with open_bytes(path) as file:
            for number, raw in enumerate(file, 1):
                if number == 1:
                    raw = raw.removeprefix(b"\xef\xbb\xbf")
                text = raw.decode("utf-8").rstrip("\r\n")
                if text and not text.isspace():
                    yield number, text
    except UnicodeDecodeError as error:
        raise line_error(path, number, f"not UTF-8 (byte {error.start + 1} of the line: {error.reason})") from None
    except UNREADABLE as error:
        raise unreadable_error(path, number + 1, error) from None


# Sequences


def read_sequences(path: Path, row_of: Mapping[str, int]) -> tuple[Histories, list[str]]:
    """Return the user histories and the warnings."""
    line_of: dict[str, int] = {}
    items, lengths = array("i"), array("q")
    without = 0
    for number, line in lines(path):
        user, *events = line.split()
        if user in line_of:
            raise line_error(path, number, f"user '{user}' was already listed in line {line_of[user]}")
        line_of[user] = number
        try:
            items.extend(map(row_of.__getitem__, events))
        except KeyError as error:
            reason = f"user '{user}' has the item '{error.args[0]}', which is not in items"
            raise line_error(path, number, reason) from None
        lengths.append(len(events))
        without += not events
    if not line_of:
        raise DataError(f"{path}: empty: not one user")
    if not items:
        user, number = next(iter(line_of.items()))
        reason = "not one item in the whole file: expected user item item ..., separated by white space"
        raise line_error(path, number, f"{reason}; got {user[:60]!r}")
    offsets = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(np.frombuffer(lengths, np.int64), out=offsets[1:])
    histories = Histories(tuple(line_of), offsets, np.array(items, np.int32))
    return histories, [f"{path.name}: {without} users have no items; kept, never evaluated"] if without else []


def read_times(path: Path, histories: Histories) -> NDArray[Any]:
    """Return the time stamp of every event [n_interactions], in the order of the histories, whatever the file's.

    Whole numbers come as int64, exactly; if one has decimals, all come as float64.
    """
    row_of = {user: row for row, user in enumerate(histories.users)}
    found: dict[int, list[int] | list[float]] = {}
    for number, line in lines(path):
        user, *words = line.split()
        row = row_of.get(user)
        if row is None or row in found:
            what = "is not in sequences.txt" if row is None else "was already listed"
            raise line_error(path, number, f"user '{user}' {what}")
        expected = int(histories.lengths[row])
        if len(words) != expected:
            raise line_error(path, number, f"user '{user}' has {len(words)} times for {expected} events")
        found[row] = times = _times_of(path, number, words)
        for at, (before, after) in enumerate(pairwise(times), 2):
            if after < before:
                reason = f"user '{user}': the time of event {at} is before that of event {at - 1}; oldest comes first"
                raise line_error(path, number, reason)
    if len(found) < len(histories):
        user = next(user for user, row in row_of.items() if row not in found)
        raise DataError(f"{path}: user '{user}' of sequences.txt is missing")
    values = [value for row in range(len(histories)) for value in found[row]]
    return np.array(values, np.int64 if all(type(value) is int for value in values) else np.float64)


def _times_of(path: Path, number: int, words: list[str]) -> list[int] | list[float]:
    for word in words:
        if not _TIME.fullmatch(word) or abs(float(word)) >= 2**63:
            reason = f"a time must be a number (best in seconds since 1970), not '{word[:40]}'"
            raise line_error(path, number, reason)
    return list(map(float, words)) if any("." in word for word in words) else list(map(int, words))


# Queries


def read_queries(
    name: str, queries: Path, qrels: Path, row_of: Mapping[str, int], *, shared: bool = False
) -> tuple[QuerySet, list[str]]:
    """Return the judged queries of one split and the warnings; `shared`: the file also serves other splits.

    Left out and counted: queries without text or judgments, judgments of unknown queries, repeated ones. Counted:
    judgments of items that are not in the data set (they count as missed), negative grades (not relevant, as 0) and
    queries that no item is relevant to (every metric of them is 0).
    """
    texts = _query_texts(queries)
    empty = {query for query, text in texts.items() if not text}
    rows = {query: row for row, query in enumerate(texts)}
    query_rows, item_rows, grades, numbers = array("i"), array("i"), array("i"), array("q")
    unknown_queries: set[str] = set()
    absent: dict[tuple[int, str], int] = {}
    for number, line in lines(qrels):
        query, item, grade = _judgment(qrels, number, line)
        if query not in rows:
            unknown_queries.add(query)
        elif query in empty:
            continue
        elif item not in row_of:
            absent.setdefault((rows[query], item), max(grade, 0))
        else:
            query_rows.append(rows[query])
            item_rows.append(row_of[item])
            grades.append(grade)
            numbers.append(number)
    if not numbers:
        raise DataError(f"{qrels}: not one judgment belongs to a query of {queries.name} and to a known item")
    columns = [np.array(column) for column in (query_rows, item_rows, grades, numbers)]
    _, first, pair = np.unique(
        columns[0].astype(np.int64) * len(row_of) + columns[1], return_index=True, return_inverse=True
    )
    for at in np.flatnonzero(columns[2] != columns[2][first[pair]])[:1].tolist():
        before = int(first[pair[at]])
        query, item = list(texts)[query_rows[at]], list(row_of)[item_rows[at]]
        raise line_error(
            qrels,
            numbers[at],
            f"query '{query}', item '{item}' has grade {grades[at]} here, {grades[before]} in line {numbers[before]}",
        )
    repeated = len(numbers) - len(first)
    first.sort()
    judged = np.union1d(columns[0][first], np.array([row for row, _ in absent], np.int64))
    query_index = np.searchsorted(judged, columns[0][first])
    names = list(texts)
    ids = tuple(names[row] for row in judged.tolist())
    negative = int((columns[2][first] < 0).sum())
    unanswered = len(judged) - len(np.unique(query_index[columns[2][first] > 0]))
    missed = sum(grade > 0 for grade in absent.values())
    unjudged = 0 if shared else len(texts) - len(judged) - len(empty)
    warnings = [
        f"{file.name}: {count} {what}"
        for file, count, what in (
            (queries, len(empty), "queries have no text; left out"),
            (queries, unjudged, f"queries have no judgment in {qrels.name}; left out"),
            (qrels, len(unknown_queries), f"unknown queries (not in {queries.name}); their judgments are left out"),
            (qrels, len(absent), f"judgments of items not in the data set; {missed} relevant ones count as missed"),
            (qrels, repeated, "repeated judgments; left out"),
            (qrels, negative, "negative grades; they count as 0: not relevant"),
            (
                qrels,
                unanswered,
                "queries have no relevant item (no grade of 1 or more) in the data set; every metric of them is 0",
            ),
        )
        if count
    ]
    return (
        QuerySet(
            name,
            ids,
            tuple(texts[query] for query in ids),
            query_index.astype(np.int32),
            columns[1][first],
            columns[2][first],
            tuple((int(np.searchsorted(judged, row)), item, grade) for (row, item), grade in absent.items()),
        ),
        warnings,
    )


def _query_texts(path: Path) -> dict[str, str]:
    texts: dict[str, str] = {}
    line_of: dict[str, int] = {}
    for number, line in lines(path):
        query, _, text = line.partition("\t")
        query = query.strip()
        if not query or len(query.split()) != 1:
            raise line_error(path, number, f"expected: query id TAB text; got {json.dumps(line[:60])}")
        if query in texts:
            raise line_error(path, number, f"query '{query}' was already given in line {line_of[query]}")
        texts[query], line_of[query] = " ".join(text.split()), number
    if not texts:
        raise DataError(f"{path}: empty: not one query")
    return texts


def _judgment(path: Path, number: int, line: str) -> tuple[str, str, int]:
    columns = line.split()
    if len(columns) != 4:
        raise line_error(path, number, f"expected 4 columns: query 0 item grade; got {len(columns)}: {line[:60]!r}")
    query, _, item, grade = columns
    if not _GRADE.fullmatch(grade):
        raise line_error(path, number, f"the grade must be a whole number, not '{grade}'")
    return query, item, int(grade)
