"""Parsed data on disk: content hashes of raw files, items as a memory-mapped Arrow file, histories as .npy files.

Everything lies under one folder, named after the content it was parsed from, and appears by a rename when whole:
two processes or a kill in the middle leave nothing half-written behind a final name.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

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
    memory = cache / "facts" / f"{content_key(stamp)}.json"
    if memory.is_file():
        return FileFacts(**json.loads(memory.read_text("utf-8")))
    digest, n_lines, n_words = hashlib.sha256(), 0, 0
    with open_bytes(path) as file:  # type: ignore[attr-defined]
        while block := file.readlines(1 << 20):
            joined = b"".join(block)
            digest.update(joined)
            n_lines += sum(not line.isspace() for line in block)
            n_words += len(joined.split()) if words else 0
    facts = FileFacts(digest.hexdigest(), n_lines, n_words)
    if state.st_size >= REMEMBER_FROM and time.time() - state.st_mtime > SETTLED:
        write_whole(memory, lambda temporary: temporary.write_text(json.dumps(asdict(facts)), "utf-8"))
    return facts


def content_key(*parts: object) -> str:
    """Return 16 hex digits that identify JSON-able parts."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def write_whole(target: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a temporary file or folder, then rename it to `target`; what another process finished stays.

    `write` gets a path that does not exist yet and may make it a file or a folder.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    room = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        write(room / "part")
        try:
            os.replace(room / "part", target)
        except OSError:
            if not target.is_dir():  # a folder that is already there was written by another process: same content
                raise
    finally:
        shutil.rmtree(room, ignore_errors=True)


def save_table(path: Path, table: pa.Table, warnings: list[str]) -> None:
    """Write an Arrow table and its warnings."""
    import pyarrow as pa

    table = table.replace_schema_metadata({"warnings": json.dumps(warnings)})

    def write(temporary: Path) -> None:
        with pa.OSFile(str(temporary), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)

    write_whole(path, write)


def open_table(path: Path) -> tuple[pa.Table, list[str]]:
    """Memory-map an Arrow table and its warnings."""
    import pyarrow as pa

    table = pa.ipc.open_file(pa.memory_map(str(path))).read_all()
    return table, json.loads((table.schema.metadata or {}).get(b"warnings", b"[]"))


def save_histories(folder: Path, histories: Histories, warnings: list[str]) -> None:
    """Write users, offsets and items of the histories into a folder."""
    import pyarrow as pa

    def write(temporary: Path) -> None:
        temporary.mkdir()
        np.save(temporary / "offsets.npy", histories.offsets)
        np.save(temporary / "items.npy", histories.items)
        save_table(temporary / "users.arrow", pa.table({"user": pa.array(histories.users, pa.string())}), warnings)

    write_whole(folder, write)


def open_histories(folder: Path) -> tuple[Histories, list[str]]:
    """Memory-map histories and read their warnings."""
    users, warnings = open_table(folder / "users.arrow")
    offsets, items = (np.asarray(np.load(folder / f"{name}.npy", mmap_mode="r")) for name in ("offsets", "items"))
    return Histories(tuple(users.column("user").to_pylist()), offsets, items), warnings
