"""Digests of what a result was written with, so that a later change of any byte is noticed.

    result.json   "files":  file name, from the result's folder -> SHA-256 of the file's bytes
    result.json, cost.json, human-evaluation.json
                  "digest": SHA-256 of the file's own bytes without these 64 digits
    SHA256SUMS    of a report's folder: 'digest  file name', as `sha256sum --check` reads it

A digest finds accidents and edits. It is no signature: whoever edits a file can compute its digest anew. Files of older
versions have none; of them nobody knows.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from benchmark.files import bytes_digest, file_digest, json_text, write_json, write_lines

FILES, DIGEST, SUMS = "files", "digest", "SHA256SUMS"


def write_with_digest(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON object atomically, with its own digest."""
    without = json_text({**content, DIGEST: ""}).encode("utf-8")
    write_json(path, {**content, DIGEST: bytes_digest([without])})


def is_changed(raw: bytes, content: Mapping[str, Any]) -> bool:
    """Say whether a file's bytes, read as `content`, differ from those that were written; False where nobody knows."""
    if DIGEST not in content:
        return FILES in content
    said = content[DIGEST]
    return (
        not isinstance(said, str) or bytes_digest([raw.replace(said.encode("utf-8", "surrogatepass"), b"", 1)]) != said
    )


def read_unchanged(path: Path) -> dict[str, Any] | None:
    """Return a JSON object; None where there is none, it is damaged, or it was changed after it was written."""
    try:
        raw = path.read_bytes()
        content = json.loads(raw)
    except (OSError, ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) and not is_changed(raw, content) else None


def is_file_changed(folder: Path, name: str) -> bool:
    """Say whether a file of a result's folder differs from what the result was written with; False where nobody knows.

    Raises OSError where the file is not there.
    """
    try:
        raw = (folder / "result.json").read_bytes()
        content = json.loads(raw)
    except OSError:
        return False
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):  # it was not written so; what it said of the others nobody knows
        return name == "result.json"
    if name == "result.json":
        return is_changed(raw, content)
    files = content.get(FILES)
    said = files.get(name) if isinstance(files, dict) else None
    return said is not None and said != file_digest(folder / name)


def write_sums(folder: Path, names: Iterable[str]) -> None:
    """Note the digests of these files of a folder, beside those noted before of files that are still there."""
    path, sums = folder / SUMS, {}
    if path.is_file():
        lines = path.read_text("utf-8", "replace").splitlines()
        sums = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
        sums = {name: digest for name, digest in sums.items() if (folder / name).is_file()}
    sums |= {name: file_digest(folder / name) for name in names}
    write_lines(path, (f"{digest}  {name}\n" for name, digest in sorted(sums.items())))
