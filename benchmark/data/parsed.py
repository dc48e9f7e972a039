"""Parsed data on disk: content hashes of raw files, items as a memory-mapped Arrow file, histories as .npy files.

Everything lies under one folder, named after the content it was parsed from, and appears by a rename when whole:
two processes or a kill in the middle leave nothing half-written behind a final name. All of it is sealed: what is
damaged, or is of another data set, counts as absent.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from benchmark.files import bytes_digest, digest
from benchmark.sealing import file_damage, note_damage, sealed, sealed_file
from benchmark.types.data import Histories

if TYPE_CHECKING:
    import pyarrow as pa

REMEMBER_FROM = 16 << 20  # bytes; smaller files are hashed anew each time
SETTLED = 2.0  # seconds; a file younger than this may change again under the same time stamp


@dataclass(frozen=True)
class FileFacts:
    """What one pass over a raw file tells: the SHA-256 of its (unzipped) content, its non-blank lines and words."""

    sha256: str
    lines: int
    words: int  # only counted where asked for, else 0


def file_facts(path: Path, open_bytes: Callable[[Path], object], cache: Path, *, words: bool = False) -> FileFacts:
    """Return the facts of a file; those of large files are remembered under the file's size and time stamp."""
    state = path.stat()
    stamp = [str(path.resolve()), state.st_size, state.st_mtime_ns, state.st_ino, words]
    key = digest([stamp])
    memory = cache / "facts" / f"{key}.json"
    if memory.exists():
        if not (problem := file_damage(memory, of=key)):
            return FileFacts(**json.loads(memory.read_text("utf-8")))
        note_damage(memory, problem)
    n_lines = n_words = 0

    def blocks() -> Iterator[bytes]:
        nonlocal n_lines, n_words
        with open_bytes(path) as file:  # type: ignore[attr-defined]
            while block := file.readlines(1 << 20):
                joined = b"".join(block)
                n_lines += sum(not line.isspace() for line in block)
                n_words += len(joined.split()) if words else 0
                yield joined

    facts = FileFacts(bytes_digest(blocks()), n_lines, n_words)
    if state.st_size >= REMEMBER_FROM and time.time() - state.st_mtime > SETTLED:
        with sealed_file(memory, of=key) as part:
            part.write_text(json.dumps(asdict(facts)), "utf-8")
    return facts


def save_items(folder: Path, table: pa.Table, warnings: list[str]) -> None:
    """Write the items' table and its warnings into a folder."""
    with sealed(folder) as part:
        _save_table(part / "items.arrow", table, warnings)


def open_items(folder: Path) -> tuple[pa.Table, list[str]]:
    """Memory-map the items' table and read its warnings."""
    return _open_table(folder / "items.arrow")


def save_histories(folder: Path, histories: Histories, warnings: list[str]) -> None:
    """Write users, offsets and items of the histories into a folder."""
    import pyarrow as pa

    with sealed(folder) as part:
        np.save(part / "offsets.npy", histories.offsets)
        np.save(part / "items.npy", histories.items)
        _save_table(part / "users.arrow", pa.table({"user": pa.array(histories.users, pa.string())}), warnings)


def open_histories(folder: Path) -> tuple[Histories, list[str]]:
    """Memory-map histories and read their warnings."""
    users, warnings = _open_table(folder / "users.arrow")
    offsets, items = (np.asarray(np.load(folder / f"{name}.npy", mmap_mode="r")) for name in ("offsets", "items"))
    return Histories(tuple(users.column("user").to_pylist()), offsets, items), warnings


def save_times(folder: Path, times: NDArray[Any]) -> None:
    """Write the time stamps of all events into a folder."""
    with sealed(folder) as part:
        np.save(part / "times.npy", times)


def open_times(folder: Path) -> NDArray[Any]:
    """Memory-map the time stamps of all events."""
    return np.asarray(np.load(folder / "times.npy", mmap_mode="r"))


def _save_table(path: Path, table: pa.Table, warnings: list[str]) -> None:
    import pyarrow as pa

    table = table.replace_schema_metadata({"warnings": json.dumps(warnings)})
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)


def _open_table(path: Path) -> tuple[pa.Table, list[str]]:
    import pyarrow as pa

    table = pa.ipc.open_file(pa.memory_map(str(path))).read_all()
    return table, json.loads((table.schema.metadata or {}).get(b"warnings", b"[]"))
