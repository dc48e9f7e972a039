"""Seals: how a cache file is recognised as whole and as the right one before it is used.

A seal lists what was written, by SHA-256, and says of what it is (a cache key). What is truncated, changed or comes
from elsewhere does not match its seal: it counts as absent, `note_damage` names it once, and it is made again.

    FOLDER/.seal.json       {"of", "files": {name: SHA-256}}     of a folder
    .NAME.seal.json         {"of", "files": {NAME: [SHA-256]}}   of a file that is overwritten from time to time; of
                                                                 several digests the first is the newest
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmark.files import file_digest, files_of, remove, whole, write_json

SEAL = ".seal.json"
KEPT = 4  # digests of a file that is overwritten: a process may be killed between the seal and the file

_noted: set[Path] = set()


@contextmanager
def sealed(target: Path) -> Iterator[Path]:
    """Give a new folder to fill, that becomes `target` with a seal, as `whole` does; one that is damaged makes way."""
    with whole(target) as part:
        part.mkdir()
        yield part
        seal(part, of=target.name)
        # Outside a lock, another process may put a whole folder in place between these two lines: it is removed, and
        # this one, which has the same content, takes its place. Who opens it at that very moment does not find it.
        if damage(target):
            remove(target)


def seal(folder: Path, *, of: str) -> None:
    """Seal a folder's files as they are."""
    write_json(folder / SEAL, {"of": of, "files": {name: file_digest(path) for name, path in _named(folder).items()}})


def damage(folder: Path, *, of: str | None = None) -> str:
    """Return what is wrong with a sealed folder in a few words, '' where nothing is; `of` is its name by default."""
    seal = _read(folder / SEAL)
    if seal is None:
        return "it has no valid seal" if folder.exists() else "it is not there"
    if seal["of"] != (of or folder.name):
        return f"it belongs to {seal['of']!r}"
    there = _named(folder)
    if different := sorted(there.keys() ^ seal["files"].keys()):
        return f"{different[0]} is {'not its own' if different[0] in there else 'missing'}"
    return next((f"{name} was changed" for name, path in there.items() if file_digest(path) != seal["files"][name]), "")


def is_whole(folder: Path) -> bool:
    """Say whether a sealed folder is there as it was written; one that is damaged is named."""
    problem = damage(folder)
    if problem and folder.exists():
        note_damage(folder, problem)
    return not problem


def looks_whole(folder: Path) -> bool:
    """Say whether a folder has a seal and all files that it lists, without reading them."""
    seal = _read(folder / SEAL)
    return seal is not None and seal["of"] == folder.name and all((folder / name).is_file() for name in seal["files"])


@contextmanager
def sealed_file(path: Path, *, of: str) -> Iterator[Path]:
    """Give a path to fill, that replaces the file `path` and is sealed, as `whole` does."""
    before = _read(_seal_of(path))
    known = before["files"].get(path.name, []) if before and before["of"] == of else []
    with whole(path) as part:
        yield part
        write_json(_seal_of(path), {"of": of, "files": {path.name: [file_digest(part), *known][:KEPT]}})


def file_damage(path: Path, *, of: str) -> str:
    """Return what is wrong with a sealed file in a few words, '' where nothing is."""
    seal = _read(_seal_of(path))
    if seal is None:
        return "it has no valid seal"
    if seal["of"] != of:
        return f"it belongs to {seal['of']!r}"
    return "" if file_digest(path) in seal["files"].get(path.name, []) else "it was changed"


def note_damage(path: Path, reason: str) -> None:
    """Tell people, once, that a file or folder of the cache is not used."""
    if path not in _noted:
        _noted.add(path)
        logging.getLogger("benchmark").warning("damaged: %s: %s; it counts as absent", path, reason)


def _seal_of(path: Path) -> Path:
    return path.with_name(f".{path.name}{SEAL}")


def _named(folder: Path) -> dict[str, Path]:
    """Return name -> path of a folder's files, hidden ones left out: file managers and servers put some there."""
    found = {path.relative_to(folder).as_posix(): path for path in sorted(files_of(folder))}
    return {name: path for name, path in found.items() if not path.name.startswith(".")}


def _read(path: Path) -> dict[str, Any] | None:
    """Return a seal; None where there is none or it is damaged."""
    try:
        seal = json.loads(path.read_text("utf-8"))
        return seal if isinstance(seal["of"], str) and isinstance(seal["files"], dict) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
