"""IDs in files, both ways: this suite's ids.tsv, and the files of other toolkits.

X.index.json   {"item": ["<a_12>", "<b_7>", ...]}   LETTER, LC-Rec, MiniOneRec: the letter tells the position
X.json         {"item": [12, 7, ...]}
X.tsv          item TAB 12-7-...                     this suite's own ids.tsv
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.errors import ConfigError, DataError, UsageError, at_line, line_error
from benchmark.files import bytes_digest
from benchmark.types.arrays import Int32
from benchmark.types.codes import Codes

LARGEST = 1_000_000  # every code up to the largest gets a vector of its own in the fine-tuned model
LETTERS = "abcdefghijklmnopqrstuvwxyz"
_TOKEN = re.compile(r"<([a-z])_([0-9]{1,9})>")


def read_ids(path: Path, ids: Sequence[str]) -> tuple[Codes, list[str]]:
    """Return the codes [n_items, longest ID] of the items in this order, and notes."""
    found = dict(_read_tsv(path) if path.suffix == ".tsv" else _read_json(path))
    if not found:
        raise DataError(f"{path}: holds not one ID")
    rows, notes = _rows(path, found, ids)
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


def label_of(path: Path) -> str:
    """Return the row label of a file: its name without the endings, signs that a label must not have as '-'."""
    name = re.sub(r"\.(index\.json|json|tsv)$", "", path.name)
    return re.sub(r"[^\w-]+", "-", name).strip("-") or "ids-file"


def index_json(lines: str, *, counter: bool = False) -> str:
    """Return this suite's ids.tsv (ids.unique.tsv with `counter`) as an .index.json.

    The counter's letter is always that of the last position, also behind a shorter ID.
    """
    rows = [line.partition("\t")[::2] for line in lines.splitlines()]
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


def content_hash(path: Path) -> str:
    """Return a hash of the file's content. Raises UsageError when it cannot be read."""
    return bytes_digest([_bytes(path)])[:16]


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"--ids {path}: {error.strerror or error}") from None


def _int32(values: Any) -> Int32:
    return np.ascontiguousarray(values, dtype=np.int32)


def _text(path: Path) -> str:
    try:
        return _bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = _bytes(path)[: error.start].count(b"\n") + 1
        raise line_error(path, line, f"not UTF-8 ({error.reason})") from None


def _read_tsv(path: Path) -> Iterator[tuple[str, dict[int, int]]]:
    seen: set[str] = set()
    for number, line in enumerate(_text(path).split("\n"), 1):
        line = line.removesuffix("\r")
        if not line.strip():
            continue
        item, tab, codes = line.partition("\t")
        place = at_line(path, number)
        if not tab or not re.fullmatch(r"[0-9]{1,9}(-[0-9]{1,9})*", codes.strip()):
            raise DataError(f"{place}: expected item TAB 12-7-3, got {line[:60]!r}")
        if item in seen:
            raise DataError(f"{place}: the item '{item}' was already given")
        seen.add(item)
        yield item, dict(enumerate(_code(place, int(code)) for code in codes.strip().split("-")))


def _read_json(path: Path) -> Iterator[tuple[str, dict[int, int]]]:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        content: dict[str, Any] = {}
        for key, value in pairs:
            if key in content:
                raise DataError(f"{path}: the item '{key[:60]}' stands twice")
            content[key] = value
        return content

    try:
        content = json.loads(_text(path), object_pairs_hook=once)
    except json.JSONDecodeError as error:
        raise line_error(path, error.lineno, f"broken JSON: {error.msg} (column {error.colno})") from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: broken JSON: {error}") from None
    if not isinstance(content, dict):
        raise DataError(f'{path}: expected {{"item": ["<a_12>", "<b_7>", ...], ...}}, not a {type(content).__name__}')
    letters = _letters(content)
    for item, codes in content.items():
        yield item, _codes(f"{path}: item '{item[:60]}'", codes, letters)


def _letters(content: dict[str, Any]) -> dict[str, int]:
    """Return letter -> position: the letters of the whole file in alphabetical order."""
    tokens = (token for codes in content.values() if isinstance(codes, list) for token in codes)
    letters = {match[1] for token in tokens if isinstance(token, str) and (match := _TOKEN.fullmatch(token))}
    return {letter: position for position, letter in enumerate(sorted(letters))}


def _codes(place: str, codes: Any, letters: dict[str, int]) -> dict[int, int]:
    """Return position -> code of one item."""
    if not isinstance(codes, list) or not codes:
        raise DataError(f"{place}: expected a list of codes, not {json.dumps(codes)[:60]}")
    found: dict[int, int] = {}
    for index, token in enumerate(codes):
        match = _TOKEN.fullmatch(token) if isinstance(token, str) else None
        if match:
            position, code = letters[match[1]], int(match[2])
        elif type(token) is int and not letters:
            position, code = index, token
        else:
            form = "tokens such as <a_12>" if letters else "tokens such as <a_12> or whole numbers"
            raise DataError(f"{place}: expected {form}, got {json.dumps(token)[:60]}")
        if found and position <= max(found):
            raise DataError(f"{place}: {token} stands behind a token of the same or a later position")
        found[position] = _code(place, code)
    if 0 not in found:
        raise DataError(f"{place}: has no code at the first position ({codes[0]} comes first)")
    return found


def _code(place: str, code: int) -> int:
    if not 0 <= code < LARGEST:
        raise DataError(f"{place}: code {code} lies outside 0 .. {LARGEST - 1:,}")
    return code


def _rows(path: Path, found: dict[str, Any], ids: Sequence[str]) -> tuple[dict[str, int], list[str]]:
    """Return key -> row. Raises ConfigError when keys and items do not match one to one."""
    rows = {item: row for row, item in enumerate(ids)}
    if found.keys().isdisjoint(rows):
        if set(found) == {str(row) for row in range(len(ids))}:
            note = "no key is an item id; they are taken as row numbers: key 0 is the first line of items.jsonl"
            return {key: int(key) for key in found}, [note]
        raise ConfigError(
            f"{path}: none of its {len(found):,} keys is an item id (e.g. '{next(iter(found))}', items are e.g. "
            f"'{ids[0]}'), and they are not the row numbers 0 .. {len(ids) - 1}"
        )
    missing = [item for item in ids if item not in found]
    unknown = [key for key in found if key not in rows]
    problems = [
        f"{len(names):,} {what}, e.g. '{names[0]}'"
        for names, what in ((missing, "items have no ID"), (unknown, "IDs belong to no item"))
        if names
    ]
    if problems:
        raise ConfigError(f"{path}: {'; '.join(problems)}. It must name the data set's {len(ids):,} items, each once")
    return {key: rows[key] for key in found}, []
