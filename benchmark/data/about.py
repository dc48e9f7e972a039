"""dataset.toml: what a data set says of itself, with the type of every key checked.

    name, title, source, licence    texts
    tasks, notes                    lists of texts
    without_test, original          true or false, and the name of the data set that this is a copy of
    [facts]                         numbers
    [expect]                        items, users, interactions: whole numbers
    [raw], [build]                  texts; written by `benchmark data get`

Other keys may be anything: nothing reads them.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmark.errors import DataError, did_you_mean, line_error

EXPECTED = ("items", "users", "interactions")
TASKS = ("id-quality", "recommendation", "search")
LARGEST = 2**63  # TOML's own bound of whole numbers, which Python's reader does not keep


def read_about(folder: Path) -> dict[str, Any]:
    """Return the content of a folder's dataset.toml, {} where there is none.

    Raises DataError with the line for broken TOML, a value of the wrong type and an unknown task or count.
    """
    path = folder / "dataset.toml"
    if not path.is_file():
        return {}
    try:
        text = path.read_text("utf-8-sig")
        about = tomllib.loads(text)
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}") from None
    except RecursionError:
        raise DataError(f"{path}: lists or tables are nested too deep") from None
    except ValueError as error:  # broken TOML, another encoding, a number of thousands of digits
        found = re.search(r"at line (\d+)", str(error))
        raise line_error(path, int(found[1]) if found else 1, str(error)) from None
    for key, (is_right, expected) in KEYS.items():
        if key in about and not is_right(about[key]):
            raise line_error(path, _line_of(text, key), f"'{key}' must be {expected}")
    for name in about.get("tasks", ()):
        if name not in TASKS:
            raise line_error(path, _line_of(text, "tasks"), f"there is no task '{name}'.{did_you_mean(name, TASKS)}")
    for name in about.get("expect", ()):
        if name not in EXPECTED:
            hint = did_you_mean(name, EXPECTED)
            raise line_error(path, _line_of(text, name), f"[expect] has an unknown key '{name}'.{hint}")
    return about


def _line_of(text: str, key: str) -> int:
    """Return the line on which a key or its table is written, 1 where that cannot be told."""
    found = re.search(rf"""^[ \t]*(?:{key}[ \t]*[=.]|\[[ \t]*{key}[ \t]*[\].])""", text, re.MULTILINE)
    return text.count("\n", 0, found.start()) + 1 if found else 1


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LARGEST


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value < LARGEST


def _all(is_right: Callable[[Any], bool], container: type) -> Callable[[Any], bool]:
    def check(value: Any) -> bool:
        parts = value.values() if isinstance(value, dict) else value
        return isinstance(value, container) and all(map(is_right, parts))

    return check


def _is_text(value: object) -> bool:
    return isinstance(value, str)


KEYS: dict[str, tuple[Callable[[Any], bool], str]] = {
    **dict.fromkeys(("name", "title", "source", "licence", "original"), (_is_text, "a text in quotes")),
    **dict.fromkeys(("tasks", "notes"), (_all(_is_text, list), "a list of texts")),
    "without_test": (lambda value: isinstance(value, bool), "true or false"),
    "facts": (_all(_is_number, dict), "a table of numbers: [facts]"),
    "expect": (_all(_is_count, dict), "a table of whole numbers: [expect]"),
    **{key: (_all(_is_text, dict), f"a table of texts: [{key}]") for key in ("raw", "build")},
}
