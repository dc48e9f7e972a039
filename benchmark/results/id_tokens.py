"""One item's ID as files write it: a list of tokens or numbers, or one text of them.

["<a_12>", "<b_7>"]   "<a_12><b_7>"   "<s_a_12><s_b_7>"   tokens: the letter tells the position
[12, 7]               "12,7"          "12-7"              numbers: one a position
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from benchmark.errors import DataError

LARGEST = 1_000_000  # every code up to the largest gets a vector of its own in the fine-tuned model
_TOKEN = re.compile(r"<(?:[a-z]+_)?([a-z])_([0-9]{1,9})>")
_JOINED = re.compile(rf"(?:{_TOKEN.pattern}[ ,]*)+")
_NUMBERS = re.compile(r"[0-9]{1,9}(?:(?:-| *, *| +)[0-9]{1,9})*")


def split(value: Any) -> Any:
    """Return a text of several codes as the list of them; anything else, and a text of another form, as it is."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    if _JOINED.fullmatch(text):
        return [match[0] for match in _TOKEN.finditer(text)]
    return list(map(int, re.findall("[0-9]+", text))) if _NUMBERS.fullmatch(text) else value


def letters(ids: Iterable[Any]) -> dict[str, int]:
    """Return letter -> position: the letters of all IDs in alphabetical order; none where they are numbers."""
    tokens = (token for codes in ids if isinstance(codes, list) for token in codes)
    found = {match[1] for token in tokens if isinstance(token, str) and (match := _TOKEN.fullmatch(token))}
    return {letter: position for position, letter in enumerate(sorted(found))}


def codes_of(place: str, codes: Any, positions: Mapping[str, int]) -> dict[int, int]:
    """Return position -> code of one item; `positions` are the `letters` of the file. Raises DataError."""
    if not isinstance(codes, list) or not codes:
        raise DataError(f"{place}: expected a list of codes, or a text such as 12,7,3; got {json.dumps(codes)[:60]}")
    found: dict[int, int] = {}
    for index, token in enumerate(codes):
        match = _TOKEN.fullmatch(token) if isinstance(token, str) else None
        if match:
            position, code = positions[match[1]], int(match[2])
        elif type(token) is int and not positions:
            position, code = index, token
        else:
            form = "tokens such as <a_12>" if positions else "tokens such as <a_12> or whole numbers"
            raise DataError(f"{place}: expected {form}, got {json.dumps(token)[:60]}")
        if found and position <= max(found):
            raise DataError(f"{place}: {token} stands behind a token of the same or a later position")
        if not 0 <= code < LARGEST:
            raise DataError(f"{place}: code {code} lies outside 0 .. {LARGEST - 1:,}")
        found[position] = code
    if 0 not in found:
        raise DataError(f"{place}: has no code at the first position ({codes[0]} comes first)")
    return found
