"""The neutral layout: reads items.jsonl, sequences.txt, queries*.tsv and qrels*.txt of a data set folder.

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
import math
import re
import zlib
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmark.contracts import DEFAULT_TEXT_FIELDS, Histories, QuerySet
from benchmark.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

READER_VERSION = 1  # part of the cache key of everything parsed here
CHUNK = 16384  # items per Arrow batch
TEXTLESS_SHARE = 0.01  # classic collections have the odd empty document; more than this is a wrong file
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
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
        raise wrong(path, number, f"not UTF-8 (byte {error.start + 1} of the line: {error.reason})") from None
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: cannot be read after line {number}: {error}") from None


def wrong(path: Path, number: int, reason: str) -> DataError:
    """Return the error of one line."""
    return DataError(f"{path}:{number}: {reason}")


# Items


def read_items(path: Path, *, check: bool = True) -> tuple[pa.Table, list[str]]:
    """Return the items as an Arrow table (id, text fields, categories if any) and the warnings."""
    line_of: dict[str, int] = {}
    textless: list[tuple[int, str]] = []
    batches: list[pa.RecordBatch] = []
    chunk: list[dict[str, Any]] = []
    for number, line in lines(path):
        item = _item(path, number, line)
        name = item["id"]
        if name in line_of:
            raise wrong(path, number, f"item id '{name}' was already used in line {line_of[name]}")
        line_of[name] = number
        if len(item) == 1 or (len(item) == 2 and "categories" in item):
            textless.append((number, name))
        chunk.append(item)
        if len(chunk) == CHUNK:
            batches.append(_batch(chunk))
            chunk = []
    if not line_of:
        raise DataError(f"{path}: empty: not one item")
    if chunk:
        batches.append(_batch(chunk))
    return _table(batches), _textless(path, textless, len(line_of), check)


def _item(path: Path, number: int, line: str) -> dict[str, Any]:
    """Return one item with its id, its text fields as strings and its category path as a list."""
    try:
        record = json.loads(line)
        if _SURROGATE.search(line):
            json.dumps(record, ensure_ascii=False).encode("utf-8")
    except json.JSONDecodeError as error:
        raise wrong(path, number, f"broken JSON: {error.msg} (column {error.colno})") from None
    except UnicodeEncodeError:
        raise wrong(path, number, "holds half of a surrogate pair (\\ud800 .. \\udfff)") from None
    except (ValueError, RecursionError) as error:
        raise wrong(path, number, f"broken JSON: {error}") from None
    if not isinstance(record, dict):
        raise wrong(path, number, f"an item must be a JSON object, not {type(record).__name__}")
    item: dict[str, Any] = {"id": _identifier(path, number, record)}
    for key, value in record.items():
        if key in ("id", "category", "categories"):
            continue
        text = value if type(value) is str and value and not value.isspace() else _as_text(value)
        if text is not None:
            item[key] = text
    for key in ("categories", "category"):
        categories = _category_path(path, number, record.get(key))
        if categories:
            item["categories"] = categories
            break
    return item


def _identifier(path: Path, number: int, record: dict[str, Any]) -> str:
    value = record.get("id")
    if value is None or value == "":
        raise wrong(path, number, f"item without an 'id' (its keys: {', '.join(record) or 'none'})")
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise wrong(path, number, f"an item id must be a string or a number, not {json.dumps(value)[:60]}")
    name = str(value)
    if len(name.split()) != 1 or name.split()[0] != name:
        raise wrong(path, number, f"item id {json.dumps(name)} holds white space")
    return name


def _as_text(value: Any) -> str | None:
    """Return a JSON value as text: 'a, b' for lists, 'k: v; k: v' for objects, None where there is nothing to read."""
    match value:
        case str():
            return value if value.strip() else None
        case None:
            return None
        case bool():
            return "true" if value else "false"
        case float() if not math.isfinite(value):
            return None
        case int() | float():
            return str(value)
        case list():
            parts = [text for part in value if (text := _as_text(part))]
            return ("; " if any(isinstance(part, list | dict) for part in value) else ", ").join(parts) or None
        case dict():
            return "; ".join(f"{key}: {text}" for key, part in value.items() if (text := _as_text(part))) or None
    raise AssertionError(f"no JSON value: {value!r}")


def _category_path(path: Path, number: int, value: Any) -> list[str]:
    """Return the path of a list, the first path of a list of lists, or the one label of a string."""
    if isinstance(value, list) and value and all(isinstance(part, list) for part in value):
        value = next((part for part in value if part), [])
    labels = value if isinstance(value, list) else [value]
    if any(isinstance(label, list | dict) for label in labels):
        raise wrong(path, number, f"categories must be a path of names, not {json.dumps(value)[:60]}")
    return [text.strip() for label in labels if (text := _as_text(label))]


def _batch(chunk: list[dict[str, Any]]) -> pa.RecordBatch:
    import pyarrow as pa

    names = list(dict.fromkeys(name for item in chunk for name in item))
    return pa.record_batch(
        [pa.array([item.get(name) for item in chunk], _type(name)) for name in names], names=names
    )


def _type(name: str) -> pa.DataType:
    import pyarrow as pa

    return pa.list_(pa.string()) if name == "categories" else pa.string()


def _table(batches: list[pa.RecordBatch]) -> pa.Table:
    """Join the batches; columns: id, the paper's text fields, the others as first met, categories."""
    import pyarrow as pa

    met = dict.fromkeys(name for batch in batches for name in batch.schema.names)
    others = [name for name in met if name not in ("id", "categories", *DEFAULT_TEXT_FIELDS)]
    order = [name for name in ("id", *DEFAULT_TEXT_FIELDS, *others, "categories") if name in met]
    schema = pa.schema([(name, _type(name)) for name in order])
    return pa.Table.from_batches(
        [
            pa.record_batch(
                [
                    batch.column(name) if name in batch.schema.names else pa.nulls(len(batch), _type(name))
                    for name in order
                ],
                schema=schema,
            )
            for batch in batches
        ]
    )


def _textless(path: Path, textless: list[tuple[int, str]], items: int, check: bool) -> list[str]:
    """Refuse a file whose items have no text; warn of a stray few, which are kept with an empty text."""
    if not textless:
        return []
    number, name = textless[0]
    if len(textless) == items or (check and len(textless) > TEXTLESS_SHARE * items):
        rest = f" ({len(textless)} of {items} items have none)" if len(textless) > 1 else ""
        raise wrong(path, number, f"item '{name}' has no text field, e.g. title or description{rest}")
    return [f"{path.name}: {len(textless)} items have no text (the first: '{name}', line {number}); kept, empty"]


# Sequences


def read_sequences(path: Path, row_of: dict[str, int]) -> tuple[Histories, list[str]]:
    """Return the user histories and the warnings."""
    line_of: dict[str, int] = {}
    items, lengths = array("i"), array("q")
    without = 0
    for number, line in lines(path):
        user, *events = line.split()
        if user in line_of:
            raise wrong(path, number, f"user '{user}' was already listed in line {line_of[user]}")
        line_of[user] = number
        try:
            items.extend(map(row_of.__getitem__, events))
        except KeyError as error:
            raise wrong(path, number, f"user '{user}' has the item '{error.args[0]}', which is not in items") from None
        lengths.append(len(events))
        without += not events
    if not line_of:
        raise DataError(f"{path}: empty: not one user")
    offsets = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(np.frombuffer(lengths, np.int64), out=offsets[1:])
    histories = Histories(list(line_of), offsets, np.array(items, np.int32))
    return histories, [f"{path.name}: {without} users have no items; kept, never evaluated"] if without else []


# Queries


def read_queries(
    name: str, queries: Path, qrels: Path, row_of: dict[str, int], *, shared: bool = False
) -> tuple[QuerySet, list[str]]:
    """Return the judged queries of one split and the warnings; `shared`: the file also serves other splits.

    Left out and counted: queries without text or judgments, judgments of unknown queries or items, repeated ones.
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
        raise wrong(
            qrels,
            numbers[at],
            f"query '{query}', item '{item}' has grade {grades[at]} here, {grades[before]} in line {numbers[before]}",
        )
    repeated = len(numbers) - len(first)
    first.sort()
    judged, query_index = np.unique(columns[0][first], return_inverse=True)
    names = list(texts)
    ids = [names[row] for row in judged.tolist()]
    unjudged = 0 if shared else len(texts) - len(judged) - len(empty)
    warnings = [
        f"{file.name}: {count} {what}"
        for file, count, what in (
            (queries, len(empty), "queries have no text; left out"),
            (queries, unjudged, f"queries have no judgment in {qrels.name}; left out"),
            (qrels, len(unknown_queries), f"unknown queries (not in {queries.name}); their judgments are left out"),
            (qrels, len(unknown_items), "unknown items; their judgments are left out"),
            (qrels, repeated, "repeated judgments; left out"),
        )
        if count
    ]
    return (
        QuerySet(
            name,
            ids,
            [texts[query] for query in ids],
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
            raise wrong(path, number, f"expected: query id TAB text; got {json.dumps(line[:60])}")
        if query in texts:
            raise wrong(path, number, f"query '{query}' was already given in line {line_of[query]}")
        texts[query], line_of[query] = " ".join(text.split()), number
    if not texts:
        raise DataError(f"{path}: empty: not one query")
    return texts


def _judgment(path: Path, number: int, line: str) -> tuple[str, str, int]:
    columns = line.split()
    if len(columns) != 4:
        raise wrong(path, number, f"expected 4 columns: query 0 item grade; got {len(columns)}: {line[:60]!r}")
    query, _, item, grade = columns
    if not _GRADE.fullmatch(grade):
        raise wrong(path, number, f"the grade must be a whole number, not '{grade}'")
    return query, item, int(grade)
