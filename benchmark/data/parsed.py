"""Parsed data on disk: content hashes of raw files, items as a memory-mapped Arrow file, histories as .npy files.

Everything lies under one folder, named after the content it was parsed from, and appears by a rename when whole:
two processes or a kill in the middle leave nothing half-written behind a final name.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmark.files import bytes_digest, digest, whole, write_json
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
    memory = cache / "facts" / f"{digest([stamp])}.json"
    with contextlib.suppress(OSError, ValueError, TypeError):  # not there, or damaged
        return FileFacts(**json.loads(memory.read_text("utf-8")))
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
        write_json(memory, asdict(facts))
    return facts


def save_table(path: Path, table: pa.Table, warnings: list[str]) -> None:
    """Write an Arrow table and its warnings."""
    import pyarrow as pa

    table = table.replace_schema_metadata({"warnings": json.dumps(warnings)})

    with whole(path) as part, pa.OSFile(str(part), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)


def open_table(path: Path) -> tuple[pa.Table, list[str]]:
    """Memory-map an Arrow table and its warnings. Raises OSError or ValueError when it is not there or damaged."""
    import pyarrow as pa

    table = pa.ipc.open_file(pa.memory_map(str(path))).read_all()
    return table, json.loads((table.schema.metadata or {}).get(b"warnings", b"[]"))


def save_histories(folder: Path, histories: Histories, warnings: list[str]) -> None:
    """Write users, offsets and items of the histories into a folder."""
    import pyarrow as pa

    with whole(folder, seal=True) as part:
        part.mkdir()
        np.save(part / "offsets.npy", histories.offsets)
        np.save(part / "items.npy", histories.items)
        save_table(part / "users.arrow", pa.table({"user": pa.array(histories.users, pa.string())}), warnings)


def open_histories(folder: Path) -> tuple[Histories, list[str]]:
    """Memory-map histories and read their warnings."""
    users, warnings = open_table(folder / "users.arrow")
    offsets, items = (np.asarray(np.load(folder / f"{name}.npy", mmap_mode="r")) for name in ("offsets", "items"))
    return Histories(tuple(users.column("user").to_pylist()), offsets, items), warnings
