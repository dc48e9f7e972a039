"""IDs in files, both ways: this suite's ids.tsv, and the files of other toolkits.

X.index.json   {"item": ["<a_12>", "<b_7>", ...]}   LETTER, LC-Rec, MiniOneRec: the letter tells the position
X.json         {"item": [12, 7, ...]}                or "12,7,3", "<a_12><b_7>": one text of all codes
X.tsv          item TAB 12-7-...                     this suite's own ids.tsv; the other texts are read too
X.jsonl, X.parquet, a folder with ids.parquet        `benchmark.results.id_records`

Where the keys are not item ids, `benchmark.results.id_order` says which item each means.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.errors import ConfigError, DataError, UsageError, at_line, line_error
from benchmark.files import bytes_digest
from benchmark.results.id_order import HOW, IdOrder, keyed_by_item
from benchmark.results.id_records import ids_in, read_json_lines, read_parquet
from benchmark.results.id_text import id_bytes, id_json, id_text
from benchmark.results.id_tokens import codes_of, letters, split
from benchmark.types.arrays import Int32
from benchmark.types.codes import Codes

LETTERS = "abcdefghijklmnopqrstuvwxyz"
OPTION = "--ids"


def read_ids(path: Path, ids: Sequence[str], order: IdOrder | None = None) -> tuple[Codes, list[str]]:
    """Return the codes [n_items, longest ID] of the items in this order, and notes.

    `order` says which items the file's keys mean where they are row numbers or another toolkit's names.
    """
    found = _read(path)
    if not found:
        raise DataError(f"{path}: holds not one ID")
    rows, notes = _rows(path, found, ids, order)
    values = np.full((len(ids), max(map(max, found.values())) + 1), -1, np.int64)
    for key, row in rows.items():
        for position, code in found[key].items():
            values[row, position] = code
    sizes = tuple(int(size) for size in values.max(axis=0) + 1)
    lengths = (values >= 0).sum(axis=1)
    shape = "-".join(str(length) for length in sorted({int(lengths.min()), int(lengths.max())}))
    unique = len(np.unique(values, axis=0))
    notes.append(
        f"{shape} codes per item, codebooks of {', '.join(map(str, sizes))} codes as far as the file tells; "
        + ("no two IDs are equal, so a token that tells equal ones apart may be among them" if unique == len(ids)
           else f"{len(ids) - unique:,} items repeat an ID")
    )  # fmt: skip
    return Codes(_int32(values), sizes), notes


def read_own_order(path: Path, *, counter: bool) -> tuple[list[str], Codes]:
    """Return the items of a file in its own order, and their codes.

    With `counter` (ids.unique.tsv, and records that have one) the last code of each line is the dedup counter: it has
    the last position of all, also behind a shorter ID.
    """
    found = _read(path, counter=counter)
    if not found:
        raise DataError(f"{path}: holds not one ID")
    values = np.full((len(found), max(map(max, found.values())) + 1), -1, np.int64)
    for row, codes in enumerate(found.values()):
        for position, code in codes.items():
            values[row, position] = code
    if counter:
        rows, last = np.arange(len(values)), (values >= 0).sum(axis=1) - 1
        numbers = values[rows, last]
        values[rows, last] = -1
        values[:, -1] = numbers
    return list(found), Codes(_int32(values), tuple(int(size) for size in np.maximum(values.max(axis=0) + 1, 1)))


def label_of(path: Path) -> str:
    """Return the row label of a file: its name without the endings, signs that a label must not have as '-'."""
    name = re.sub(r"\.(index\.json|json|jsonl|tsv|parquet)$", "", path.name)
    return re.sub(r"[^\w-]+", "-", name).strip("-") or "ids-file"


def index_json(lines: str, *, counter: bool = False) -> str:
    """Return this suite's ids.tsv (ids.unique.tsv with `counter`) as an .index.json.

    The counter's letter is always that of the last position, also behind a shorter ID.
    """
    rows = [line.partition("\t")[::2] for line in lines.split("\n") if line]
    ids = {item: codes.split("-") for item, codes in rows}
    longest = max(map(len, ids.values()), default=0)
    if longest > len(LETTERS):
        raise UsageError(f"index-json: IDs of {longest} codes have no letters in this format ({len(LETTERS)} at most)")
    content = {}
    for item, codes in ids.items():
        letters = LETTERS[: len(codes)]
        if counter:
            letters = letters[:-1] + LETTERS[longest - 1]
        content[item] = [f"<{letter}_{code}>" for letter, code in zip(letters, codes, strict=True)]
    return json.dumps(content, ensure_ascii=False, indent=0) + "\n"


def content_hash(path: Path, option: str = OPTION) -> str:
    """Return a hash of the file's content. Raises UsageError when it cannot be read."""
    return bytes_digest([id_bytes(ids_in(path), option)])[:16]


def _int32(values: Any) -> Int32:
    return np.ascontiguousarray(values, dtype=np.int32)


def _read(path: Path, *, counter: bool = False) -> dict[str, dict[int, int]]:
    """Return key -> position -> code, in the order of the file; records have their counter as last code if asked."""
    path = ids_in(path)
    entries = list(_entries(path, counter))
    positions = letters(codes for _, _, codes in entries)
    return {key: codes_of(place, codes, positions) for key, place, codes in entries}


def _entries(path: Path, counter: bool) -> Iterator[tuple[str, str, Any]]:
    """Yield key, place and codes of every entry; a key stands once."""
    match path.suffix:
        case ".tsv":
            yield from _read_tsv(path)
        case ".jsonl" | ".parquet":
            seen: set[str] = set()
            read = read_json_lines if path.suffix == ".jsonl" else read_parquet
            for key, place, codes in read(path, OPTION, counter=counter):
                if key in seen:
                    raise DataError(f"{place}: the item '{key}' was already given")
                seen.add(key)
                yield key, place, codes
        case ".json":
            yield from _read_json(path)
        case _:
            raise UsageError(
                f"{OPTION} {path}: IDs are read from .json, .index.json, .jsonl, .tsv (item TAB 12-7-3), .parquet and "
                "folders with ids.parquet"
            )


def _read_tsv(path: Path) -> Iterator[tuple[str, str, list[Any]]]:
    """Yield key, place and codes of every line."""
    seen: set[str] = set()
    for number, line in enumerate(id_text(path, OPTION).split("\n"), 1):
        line = line.removesuffix("\r")
        if not line.strip():
            continue
        key, tab, text = line.partition("\t")
        codes = split(text)
        if not tab or not isinstance(codes, list):
            raise line_error(path, number, f"expected item TAB 12-7-3 or item TAB <a_12><b_7>, got {line[:60]!r}")
        if key in seen:
            raise line_error(path, number, f"the item '{key}' was already given")
        seen.add(key)
        yield key, at_line(path, number), codes


def _read_json(path: Path) -> Iterator[tuple[str, str, Any]]:
    """Yield key, place and codes of every entry."""
    content = id_json(path, OPTION)
    if not isinstance(content, dict):
        raise DataError(f'{path}: expected {{"item": ["<a_12>", "<b_7>", ...], ...}}, not a {type(content).__name__}')
    for item, codes in content.items():
        yield item, f"{path}: item '{item[:60]}'", split(codes)


def _rows(
    path: Path, found: Mapping[str, Any], ids: Sequence[str], order: IdOrder | None
) -> tuple[dict[str, int], list[str]]:
    """Return key -> row, and notes. Raises ConfigError when keys and items do not match one to one."""
    rows = {item: row for row, item in enumerate(ids)}
    items, note = keyed_by_item(path, list(found), ids, order)
    keys = dict(zip(items, found, strict=True))
    if len(keys) < len(found):
        twice = next(item for item, key in zip(items, found, strict=True) if keys[item] != key)
        raise ConfigError(f"{path}: two of its keys mean the item '{twice}'")
    if keys.keys().isdisjoint(rows):
        raise ConfigError(
            f"{path}: its {len(found):,} keys are neither item ids (key '{next(iter(found))}', item id '{ids[0]}') nor "
            f"row numbers of {len(ids):,} items. Say what they are: {HOW}"
        )
    missing = [item for item in ids if item not in keys]
    unknown = [item for item in keys if item not in rows]
    problems = [
        f"{len(names):,} {what}, e.g. '{names[0]}'"
        for names, what in ((missing, "items have no ID"), (unknown, "IDs belong to no item"))
        if names
    ]
    if problems:
        raise ConfigError(f"{path}: {'; '.join(problems)}. It must name the data set's {len(ids):,} items, each once")
    return {key: rows[item] for item, key in keys.items()}, [note] if note else []
