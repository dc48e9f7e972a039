"""JSON that strangers wrote: what Python's reader would accept and a later step could not bear is refused here."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

DEEPEST = 64  # levels; the walk over a value is recursive, and no item record is a tree


def parse_json(text: str, *, repeated_keys: bool = True) -> Any:
    """Return the value of a JSON text; without `repeated_keys`, an object that has a key twice is refused.

    Raises JSONDecodeError for broken JSON, another ValueError for deep nesting, huge numbers and repeated keys.
    """
    try:
        value = json.loads(text, object_pairs_hook=None if repeated_keys else _once)
    except RecursionError:
        raise ValueError(f"nested deeper than {DEEPEST} levels") from None
    except json.JSONDecodeError:
        raise
    except ValueError as error:  # Python converts no number of more than 4,300 digits
        raise ValueError("a number has thousands of digits") if "digits" in str(error) else error from None
    if text.count("[") + text.count("{") > DEEPEST and _deeper(value, DEEPEST):
        raise ValueError(f"nested deeper than {DEEPEST} levels")
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        [(key, _)] = Counter(key for key, _ in pairs).most_common(1)
        raise ValueError(f"the key '{key[:60]}' stands twice")
    return content


def _deeper(value: Any, levels: int) -> bool:
    """Tell whether lists and objects lie more than so many levels deep, without recursion."""
    layer = [value]
    for _ in range(levels):
        inner: list[Any] = []
        for part in layer:
            if isinstance(part, dict):
                inner += (child for child in part.values() if isinstance(child, dict | list))
            elif isinstance(part, list):
                inner += (child for child in part if isinstance(child, dict | list))
        layer = inner
        if not layer:
            return False
    return True
