"""Checksums of raw files: the published one where upstream has one, and always the one seen on first use.

`checksums.json` beside the raw files pins the SHA-256 of every file when it is first used:

    {"ml-100k.zip": {"sha256": "...", "size": 123, "from": "https://...", "date": "2026-01-01"}}
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from benchmark.errors import DataError
from benchmark.fetching.lines import json_file
from benchmark.fetching.sources import RemoteFile
from benchmark.files import file_digest, write_json

PINS = "checksums.json"
MAGIC = {".gz": b"\x1f\x8b", ".zip": b"PK\x03\x04", ".parquet": b"PAR1"}


def checksum(path: Path, algorithm: str = "sha256") -> str:
    """Return 'sha256:<hex>' of a file, as a data set declares it."""
    return f"{algorithm}:{file_digest(path, algorithm)}"


def pinned(folder: Path, name: str) -> dict[str, str]:
    """Return what was recorded of a raw file on its first use; {} before that."""
    return _pins(folder).get(name, {})


def _pins(folder: Path) -> dict[str, dict[str, str]]:
    path = folder / PINS
    again = "delete it to record the files' checksums anew"
    try:
        content = json_file(path) if path.is_file() else {}
    except DataError as error:
        raise DataError(f"{error}; {again}") from None
    for name, entry in content.items():
        if not isinstance(entry, dict) or not isinstance(entry.get("sha256"), str):
            raise DataError(f"{path}: '{name[:60]}' has no 'sha256' in quotes; {again}")
    return content


def verify(path: Path, file: RemoteFile, pins: Path) -> str:
    """Return the SHA-256 of a raw file ('sha256:...').

    `pins` is the folder with the recorded checksums. Raises DataError when the length, the kind of file, the
    published checksum or the recorded one differs.
    """
    size = path.stat().st_size
    if file.size is not None and size != file.size:
        raise DataError(f"{path}: {size:,} bytes long, but the published file has {file.size:,}")
    magic = MAGIC.get(Path(file.name).suffix, b"")
    with path.open("rb") as opened:
        start = opened.read(max(len(magic), 64))
    if not start.startswith(magic):
        raise DataError(f"{path}: not a {Path(file.name).suffix} file (it starts with {start[:40]!r})")
    found = checksum(path)
    algorithm = file.checksum.partition(":")[0] or "sha256"
    if file.checksum and (other := found if algorithm == "sha256" else checksum(path, algorithm)) != file.checksum:
        raise DataError(f"{path}: its checksum is {other}, but the published one is {file.checksum}")
    before = pinned(pins, file.name)
    if before and f"sha256:{before['sha256']}" != found:
        raise DataError(
            f"{path}: its checksum is {found}, but on {before.get('date', 'its first use')} it was "
            f"sha256:{before['sha256']}; if the new file is right, delete '{file.name}' from {pins / PINS}"
        )
    return found


def pin(folder: Path, name: str, path: Path, found: str, origin: str) -> None:
    """Record a file's checksum, unless there is one."""
    pins = _pins(folder)
    if name in pins:
        return
    entry = {"sha256": found.partition(":")[2], "size": str(path.stat().st_size), "from": origin}
    write_json(folder / PINS, {**pins, name: entry | {"date": datetime.now(UTC).date().isoformat()}})
