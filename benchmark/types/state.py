"""What a method has learned, as files that hold no code: JSON values and arrays, read without pickle.

    FOLDER/state.json     {"format": 1, "values": {name: value}}; {"array": "3"} stands for an array
    FOLDER/arrays.npz     the arrays by number

A value is None, a truth value, a number, text, an array, or a list, tuple or dict of values.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from benchmark.errors import BenchmarkError
from benchmark.files import write_json

FORMAT = 1
STATE, ARRAYS = "state.json", "arrays.npz"


class State(dict[str, Any]):
    """The values of a state by name; one that is missing is a BenchmarkError that names it and the folder."""

    def __init__(self, folder: Path, values: Mapping[str, Any]) -> None:
        super().__init__(values)
        self.folder = folder

    def __missing__(self, name: str) -> Any:
        raise BenchmarkError(f"{self.folder}: cannot be read ({STATE} has no value '{name}')")


def write_state(folder: Path, values: Mapping[str, Any]) -> None:
    """Write named values into a folder, made where it is missing. Raises BenchmarkError that names an odd one."""
    arrays: dict[str, Any] = {}
    written = {name: _written(name, value, arrays) for name, value in values.items()}
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / ARRAYS, **arrays)
    write_json(folder / STATE, {"format": FORMAT, "values": written})


def read_state(folder: Path) -> State:
    """Return the values that `write_state` wrote. Raises BenchmarkError for another format or a damaged file."""
    try:
        content = json.loads((folder / STATE).read_text("utf-8"))
        if content["format"] != FORMAT:
            raise BenchmarkError(f"{folder / STATE}: format {content['format']!r}; this version reads {FORMAT}")
        with np.load(folder / ARRAYS, allow_pickle=False) as arrays:
            return State(folder, {name: _read(value, arrays) for name, value in content["values"].items()})
    except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, BadZipFile, zlib.error) as error:
        raise BenchmarkError(f"{folder}: cannot be read ({error})") from error


def _written(name: str, value: Any, arrays: dict[str, Any]) -> Any:
    match value:
        case None | bool() | str():
            return value
        case np.ndarray() if value.dtype != object:
            number = str(len(arrays))
            arrays[number] = value
            return {"array": number}
        case int() | float() | np.integer() | np.floating():
            return value.item() if isinstance(value, np.generic) else value
        case list():
            return [_written(name, part, arrays) for part in value]
        case tuple():
            return {"tuple": [_written(name, part, arrays) for part in value]}
        case dict():
            pairs = [[_written(name, key, arrays), _written(name, part, arrays)] for key, part in value.items()]
            return {"dict": pairs}
    raise BenchmarkError(f"'{name}' holds a {type(value).__name__}, which is neither a JSON value nor an array")


def _read(value: Any, arrays: Any) -> Any:
    match value:
        case list():
            return [_read(part, arrays) for part in value]
        case {"array": number}:
            return arrays[number]
        case {"tuple": parts}:
            return tuple(_read(part, arrays) for part in parts)
        case {"dict": pairs}:
            return {_read(key, arrays): _read(part, arrays) for key, part in pairs}
    return value
