"""IDs of a result as arrays, for what goes over a million items: item names, and their codes in one matrix."""

from __future__ import annotations

from codecs import BOM_UTF8 as BOM
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmark.errors import DataError
from benchmark.results.once import read_once
from benchmark.results.result_files import read_id_lines
from benchmark.types.arrays import Int64

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class IdTable:
    """The lines of an ids.tsv."""

    items: list[str]  # no item twice
    codes: Int64  # [n_lines, levels]; -1 pads shorter IDs


def codes_of_items(path: Path, items: Sequence[str]) -> Int64:
    """Return the codes of these items in their order [n_items, levels]; a row of -1 is an item without an ID.

    The file is read once while it stays. Raises DataError as `read_id_lines` does, and for an ID of another item.
    """
    table = read_once(_read, path)
    if table.items == items:
        return table.codes
    row_of = {item: row for row, item in enumerate(items)}
    stranger = next((item for item in table.items if item not in row_of), None)
    if stranger is not None:
        raise DataError(f"{path}: the item {stranger!r} has an ID and is not among the items of the data set")
    codes = np.full((len(items), table.codes.shape[1]), -1, np.int64)
    codes[[row_of[item] for item in table.items]] = table.codes
    return codes


def _read(path: Path) -> IdTable:
    found = _parsed(path)
    if found is None:  # not as it should be: the reader of lines takes it all the same, or names the line
        ids = read_id_lines(path)
        lengths = np.fromiter(map(len, ids.values()), np.int64, len(ids))
        try:
            found = list(ids), lengths, np.fromiter(chain.from_iterable(ids.values()), np.int64)
        except OverflowError:
            raise DataError(f"{path}: a code is larger than any codebook, {max(map(max, ids.values()))}") from None
    items, lengths, values = found
    codes = np.full((len(lengths), int(lengths.max(initial=1))), -1, np.int64)
    codes[np.arange(codes.shape[1]) < lengths[:, None]] = values
    codes.setflags(write=False)
    return IdTable(items, codes)


def _parsed(path: Path) -> tuple[list[str], Int64, Int64] | None:
    """Return items, lengths of their IDs, and all codes one after another, parsed by compiled code; None for damage."""
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import csv

    try:
        content = path.read_bytes()
        if content.startswith(BOM):  # part of the first item's name, which Arrow drops
            return None
        table = csv.read_csv(
            pa.BufferReader(content),
            csv.ReadOptions(column_names=["item", "codes"], use_threads=False),
            csv.ParseOptions(delimiter="\t", quote_char=False, ignore_empty_lines=False),
            csv.ConvertOptions(column_types={"item": pa.string(), "codes": pa.string()}),
        ).combine_chunks()
        texts = table["codes"].chunk(0)
        if not pc.all(pc.match_substring_regex(texts, "^[0-9]+(-[0-9]+)*$")).as_py():
            return None
        codes = pc.split_pattern(texts, "-")
        values, lengths = _int64(codes.flatten()), _int64(pc.list_value_length(codes))
    except (OSError, pa.ArrowException):
        return None
    items = table["item"].to_pylist()
    return (items, lengths, values) if len(set(items)) == len(items) else None


def _int64(array: pa.Array) -> Int64:
    """Return numbers, or texts of numbers, as NumPy has them; `to_numpy` would import pandas."""
    import pyarrow as pa

    array = array.cast(pa.int64())
    return np.frombuffer(array.buffers()[1], np.int64, len(array), array.offset * 8)
