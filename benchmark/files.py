"""Files and folders that are there whole or not at all, the one lock, and hashes of contents.

What is written gets a temporary name beside its target, is flushed to the disk, and is then renamed: whoever looks
sees the old content or the new one, also after a kill or a power failure.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmark.errors import DiskFullError

SEAL = ".whole.json"  # in a sealed folder: its files and their sizes in bytes


def digest(content: Any) -> str:
    """Return a 16-digit hash of JSON-like content (keys in any order)."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, default=str)
    return bytes_digest([text.encode("utf-8", "surrogatepass")])[:16]


def bytes_digest(blocks: Iterable[bytes]) -> str:
    """Return the SHA-256 of bytes that come in blocks, 64 hex digits."""
    found = hashlib.sha256()
    for block in blocks:
        found.update(block)
    return found.hexdigest()


def file_digest(path: Path, algorithm: str = "sha256") -> str:
    """Return the SHA-256 (or another hash, by its name in `hashlib`) of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


def write_json(path: Path, content: Any) -> None:
    """Write JSON atomically."""
    write_text(path, json_text(content))


def json_text(content: Any) -> str:
    """Return the JSON that `write_json` writes: the same text for the same content."""
    return json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically."""
    write_lines(path, [text])


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Write a text file atomically, from parts that end their own lines."""
    with whole(path) as part, part.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(lines)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a binary file atomically."""
    with whole(path) as part:
        part.write_bytes(content)


@contextmanager
def whole(target: Path, *, seal: bool = False) -> Iterator[Path]:
    """Give a path to fill, as a file or as a folder; `target` has its content when the block ends, or is as before.

    The path does not exist yet and lies beside `target`. Where a folder `target` was finished by another process in
    the meantime, that one stays. `seal` lists a folder's files for `is_whole`, and replaces a folder that is damaged.
    Raises DiskFullError.
    """
    with full_disk_names(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        room = Path(tempfile.mkdtemp(prefix=f".{target.name[:64]}.", dir=target.parent))
        try:
            part = room / f"part{target.suffix}"
            yield part
            if seal:
                sizes = {name.relative_to(part).as_posix(): name.stat().st_size for name in _files(part)}
                (part / SEAL).write_text(json.dumps(sizes, sort_keys=True), "utf-8")
                if not is_whole(target):
                    shutil.rmtree(target, ignore_errors=True)  # a damaged folder makes way
            put_in_place(part, target)
        finally:
            shutil.rmtree(room, ignore_errors=True)


def put_in_place(part: Path, target: Path) -> None:
    """Flush a finished file or folder to the disk and give it its name."""
    for path in [*_files(part), *(folder for folder in part.rglob("*") if folder.is_dir()), part]:
        _flush(path)
    try:
        os.replace(part, target)
    except OSError as error:
        if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):  # another process wrote the same content before
            raise
    _flush(target.parent)


def is_whole(folder: Path) -> bool:
    """Say whether a sealed folder has all its files in their full length."""
    try:
        sizes: dict[str, int] = json.loads((folder / SEAL).read_text("utf-8"))
        return all((folder / name).stat().st_size == size for name, size in sizes.items())
    except (OSError, ValueError, AttributeError):
        return False


def _files(path: Path) -> list[Path]:
    return [path] if path.is_file() else [inside for inside in path.rglob("*") if inside.is_file()]


def _flush(path: Path) -> None:
    """Wait until a file's bytes, or a folder's names, are on the disk."""
    if path.is_dir() and os.name == "nt":  # Windows opens no folders
        return
    handle = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def full_disk_names(path: Path) -> Iterator[None]:
    """Turn 'no space left' into a DiskFullError that says what was being written."""
    try:
        yield
    except OSError as error:
        short = error.errno is None and str(error).endswith(" written")  # numpy: '1000 requested and 7 written'
        if short or error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFullError(f"the disk is full: no space for {path}") from error
        raise


@contextmanager
def lock(path: Path) -> Iterator[None]:
    """Hold a lock file, against other threads and processes; it is free again when its holder ends, however it ends."""
    from filelock import FileLock

    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path):
        yield
