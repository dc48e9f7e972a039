"""The neutral layout: reads sequences.txt, queries*.tsv and qrels*.txt of a data set folder; `items` reads the items.

Any of them may be gzipped. Byte order marks, CRLF and blank lines are fine. A wrong file gets one DataError with
file, line and reason; what can be counted and left out (judgments of unknown items, queries without text) becomes a
warning with its count.

    items.jsonl     {"id", text fields, "categories": [general .. special]}; numbers, lists and objects become text
    sequences.txt   user item item ...   oldest first
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
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.errors import DataError, line_error
from benchmark.types.data import Histories, QuerySet

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
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: cannot be read after line {number}: {error}") from None


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
    offsets = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(np.frombuffer(lengths, np.int64), out=offsets[1:])
    histories = Histories(tuple(line_of), offsets, np.array(items, np.int32))
    return histories, [f"{path.name}: {without} users have no items; kept, never evaluated"] if without else []


# Queries


def read_queries(
    name: str, queries: Path, qrels: Path, row_of: Mapping[str, int], *, shared: bool = False
) -> tuple[QuerySet, list[str]]:
    """Return the judged queries of one split and the warnings; `shared`: the file also serves other splits.

    Left out and counted: queries without text or judgments, judgments of unknown queries or items, repeated ones.
    Counted: negative grades (not relevant, as 0) and queries that no item is relevant to (every metric of them is 0).
    """
    texts = _query_texts(queries)
    empty = {query for query, text in texts.items() if not text}
    rows = {query: row for row, query in enumerate(texts)}
    query_rows, item_rows, grades, numbers = array("i"), array("i"), array("i"), array("q")
    unknown_queries, unknown_items = set(), set()
    for number, line in lines(qrels):
        query, item, grade = _judgment(qrels, number, line)
        if query not in rows:
            unknown_queries.add(query)
        elif item not in row_of:
            unknown_items.add(item)
        elif query not in empty:
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
    judged, query_index = np.unique(columns[0][first], return_inverse=True)
    names = list(texts)
    ids = tuple(names[row] for row in judged.tolist())
    negative = int((columns[2][first] < 0).sum())
    unanswered = len(judged) - len(np.unique(query_index[columns[2][first] > 0]))
    unjudged = 0 if shared else len(texts) - len(judged) - len(empty)
    warnings = [
        f"{file.name}: {count} {what}"
        for file, count, what in (
            (queries, len(empty), "queries have no text; left out"),
            (queries, unjudged, f"queries have no judgment in {qrels.name}; left out"),
            (qrels, len(unknown_queries), f"unknown queries (not in {queries.name}); their judgments are left out"),
            (qrels, len(unknown_items), "unknown items; their judgments are left out"),
            (qrels, repeated, "repeated judgments; left out"),
            (qrels, negative, "negative grades; they count as 0: not relevant"),
            (qrels, unanswered, "queries have no relevant item (no grade of 1 or more); every metric of them is 0"),
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
