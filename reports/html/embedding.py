"""Data inside an HTML page: JSON that cannot end its script element, numbers as little-endian base64."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

WIDTHS = (1, 2, 4)  # bytes of a number


def script_json(value: Any) -> str:
    """Return JSON to stand inside a script element; NaN and infinities, which JSON has not, become text."""
    text = json.dumps(_finite(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=str)
    for mark in ("<", "\u2028", "\u2029"):
        text = text.replace(mark, f"\\u{ord(mark):04x}")
    return text


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): _finite(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(part) for part in value]
    return value


def width(largest: int) -> int:
    """Return the bytes of an unsigned number that holds 0 .. largest, and above these one value for 'none'."""
    return next(bytes_ for bytes_ in WIDTHS if largest < 256**bytes_ - 1)


def packed(values: NDArray[np.int64], bytes_: int) -> str:
    """Return numbers as base64, row by row, little-endian; -1 becomes the largest number of this width."""
    kept = np.where(values < 0, 256**bytes_ - 1, values)
    return base64.b64encode(kept.astype(f"<u{bytes_}").tobytes()).decode()
