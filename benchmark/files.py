"""Files and folders that are there whole or not at all, and hashes of contents.

What is written gets a temporary name beside its target, is flushed to the disk, and is then renamed: whoever looks
sees the old content or the new one, also after a kill or a power failure. What a killed process leaves under a
temporary name (`.partial-<machine>-<process>-..`) is removed by the next one that writes into the same folder.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import platform
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

from benchmark.errors import DiskFullError, UsageError

PARTIAL = ".partial-"
_OWN = os.urandom(4).hex()  # tells this process from an earlier one that had the same number


def home_path(text: str | Path) -> Path:
    """Return a path with `~` and `~user` resolved; of an unknown user it stays as it is, as in a shell."""
    path = Path(text)
    try:
        return path.expanduser()
    except RuntimeError:
        return path


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


def require_folder(folder: Path, option: str) -> None:
    """Raise UsageError unless files can be written into a folder, which need not be there; nothing is left behind."""
    there = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    try:
        tempfile.TemporaryFile(dir=there).close()
    except OSError as error:
        reason = "is no folder" if not there.is_dir() else f"nothing can be written there ({error.strerror})"
        raise UsageError(f"{option} {folder}: {there} {reason}; give another folder") from None


@contextmanager
def whole(target: Path) -> Iterator[Path]:
    """Give a path to fill, as a file or as a folder; `target` has its content when the block ends, or is as before.

    The path does not exist yet and lies beside `target`. Where a folder `target` was finished by another process in
    the meantime, that one stays. Raises DiskFullError.
    """
    with full_disk_names(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        remove_partials(target.parent)
        room = Path(tempfile.mkdtemp(prefix=partial_prefix(), dir=target.parent))
        try:
            part = room / f"part{target.suffix}"
            yield part
            put_in_place(part, target)
        finally:
            shutil.rmtree(room, ignore_errors=True)


def partial_prefix() -> str:
    """Return how the name of a temporary file or folder of this process begins."""
    return f"{PARTIAL}{_machine()}-{os.getpid()}-{_OWN}-"


def remove_partials(folder: Path) -> None:
    """Remove what processes of this machine that are dead have left half-written in a folder."""
    if os.name == "nt":  # no way to ask whether a process lives
        return
    for left in folder.glob(f"{PARTIAL}{_machine()}-*"):
        number, _, own = left.name.removeprefix(f"{PARTIAL}{_machine()}-").partition("-")
        if number == str(os.getpid()):
            dead = not own.startswith(_OWN)
        else:
            dead = number.isdecimal() and not _is_alive(int(number))
        if dead:
            remove(left)


def remove(path: Path) -> None:
    """Remove a file or a folder, as far as that is possible."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()


@cache
def _machine() -> str:
    """Return a name for this machine; containers, which number their processes apart, are machines of their own."""
    numbering = ""
    with suppress(OSError):
        numbering = os.readlink("/proc/self/ns/pid")
    return digest([platform.node(), numbering])[:8]


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # it lives, and is another user's
        return True
    return True


def put_in_place(part: Path, target: Path) -> None:
    """Flush a finished file or folder to the disk and give it its name."""
    folders = [part, *(path for path in part.rglob("*") if path.is_dir())] if part.is_dir() else []
    for path in [*files_of(part), *folders]:
        _flush(path)
    try:
        os.replace(part, target)
    except OSError as error:
        if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):  # another process wrote the same content before
            raise
    _flush(target.parent)


def files_of(path: Path) -> list[Path]:
    """Return the files below a folder, or the file itself."""
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
