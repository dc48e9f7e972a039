"""Items of the neutral layout: items.jsonl as an Arrow table, however long its texts are.

    {"id", text fields, "categories": [general .. special]}     numbers, lists and objects become text

Parsed batches go to a temporary file and are memory-mapped from there, so only one of them is in memory at a time.
"""

from __future__ import annotations

import json
import math
import re
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from benchmark.data.layout import lines
from benchmark.errors import DataError, line_error
from benchmark.files import partial_prefix
from benchmark.json_text import parse_json
from benchmark.types.item_text import DEFAULT_TEXT_FIELDS

if TYPE_CHECKING:
    import pyarrow as pa

CHUNK = 16384  # items per Arrow batch, at most
CHUNK_CHARACTERS = 1 << 26  # of JSON per Arrow batch, about
TEXTLESS_SHARE = 0.01  # classic collections have the odd empty document; more than this is a wrong file
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def read_items(path: Path, *, spill: Path, check: bool = True) -> tuple[pa.Table, list[str]]:
    """Return the items as an Arrow table (id, text fields, categories if any) and the warnings.

    `spill` is a folder for a temporary file, gone at once, that backs the table: long texts need not fit into memory.
    """
    line_of: dict[str, int] = {}
    textless: list[tuple[int, str]] = []
    chunk: list[dict[str, Any]] = []
    characters = 0
    spill.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(prefix=partial_prefix(), dir=spill) as file:
        for number, line in lines(path):
            item = _item(path, number, line)
            name = item["id"]
            if name in line_of:
                raise line_error(path, number, f"item id '{name}' was already used in line {line_of[name]}")
            line_of[name] = number
            if len(item) == 1 or (len(item) == 2 and "categories" in item):
                textless.append((number, name))
            chunk.append(item)
            characters += len(line)
            if len(chunk) == CHUNK or characters >= CHUNK_CHARACTERS:
                _append(file, chunk)
                chunk, characters = [], 0
        if not line_of:
            raise DataError(f"{path}: empty: not one item")
        if chunk:
            _append(file, chunk)
        file.flush()
        return _table(_mapped(Path(file.name))), _textless(path, textless, len(line_of), check)


def _item(path: Path, number: int, line: str) -> dict[str, Any]:
    """Return one item with its id, its text fields as strings and its category path as a list."""
    try:
        record = parse_json(line)
        if _SURROGATE.search(line):
            json.dumps(record, ensure_ascii=False).encode("utf-8")
    except json.JSONDecodeError as error:
        raise line_error(path, number, f"broken JSON: {error.msg} (column {error.colno})") from None
    except UnicodeEncodeError:
        raise line_error(path, number, "holds half of a surrogate pair (\\ud800 .. \\udfff)") from None
    except ValueError as error:
        raise line_error(path, number, f"broken JSON: {error}") from None
    if not isinstance(record, dict):
        raise line_error(path, number, f"an item must be a JSON object, not {type(record).__name__}")
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
        raise line_error(path, number, f"item without an 'id' (its keys: {', '.join(record) or 'none'})")
    finite = not isinstance(value, float) or math.isfinite(value)
    if isinstance(value, bool) or not isinstance(value, str | int | float) or not finite:
        raise line_error(path, number, f"an item id must be a string or a number, not {json.dumps(value)[:60]}")
    name = str(value)
    if len(name.split()) != 1 or name.split()[0] != name:
        raise line_error(path, number, f"item id {json.dumps(name)} holds white space")
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
        raise line_error(path, number, f"categories must be a path of names, not {json.dumps(value)[:60]}")
    return [text.strip() for label in labels if (text := _as_text(label))]


def _append(file: IO[bytes], chunk: list[dict[str, Any]]) -> None:
    """Append one batch as an Arrow stream of its own, with the columns that its items have."""
    import pyarrow as pa

    names = list(dict.fromkeys(name for item in chunk for name in item))
    batch = pa.record_batch([pa.array([item.get(name) for item in chunk], _type(name)) for name in names], names=names)
    with pa.ipc.new_stream(file, batch.schema) as writer:
        writer.write_batch(batch)


def _mapped(path: Path) -> list[pa.RecordBatch]:
    """Memory-map the batches of a file of streams; they stay readable when the file is deleted."""
    import pyarrow as pa

    source = pa.memory_map(str(path))
    batches: list[pa.RecordBatch] = []
    while source.tell() < source.size():
        batches += pa.ipc.open_stream(source)
    return batches


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
        keeps = "" if len(textless) == items else "; a run with --no-check keeps them, with an empty text"
        raise line_error(path, number, f"item '{name}' has no text field, e.g. title or description{rest}{keeps}")
    return [f"{path.name}: {len(textless)} items have no text (the first: '{name}', line {number}); kept, empty"]
