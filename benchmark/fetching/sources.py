"""What a data set is built from, declared in a TOML file beside its builder.

    [source]                       one per file: all files of one publisher
    folder = "movielens"           below DATA_ROOT/raw; data sets of one publisher share it
    page = "https://..."           where a person finds the files
    licence = "..."
    mirrors = ["https://.../"]     tried in this order; the URL is mirror + file name

    [file."ml-100k.zip"]
    size = 123                     only what upstream publishes
    checksum = "md5:..."           or sha256:...
    at = "raw/2023/"               its folder below each mirror, where it lies in one

    [movielens-100k]               one table per data set
    title = "MovieLens-100K"
    tasks = ["id-quality", "recommendation"]
    files = ["ml-100k.zip"]
    by-hand = ["ml-100k.inter"]    other files that do instead, for `--from`
    expect = {items = 1682, users = 943, interactions = 100000}
    room = 50000000                bytes of disk that building takes beside the raw files, about; only where it is much

Without `expect` a data set has whatever counts it is built with.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True)
class RemoteFile:
    """One file as upstream publishes it."""

    name: str
    folder: str  # below DATA_ROOT/raw
    urls: tuple[str, ...]  # mirrors in order; none: it can only be downloaded manually
    page: str
    licence: str
    size: int | None = None  # bytes
    checksum: str = ""  # 'sha256:...' or 'md5:...'; '': upstream publishes none

    @property
    def path(self) -> str:
        """Its place below DATA_ROOT/raw."""
        return f"{self.folder}/{self.name}"


@dataclass(frozen=True)
class Declaration:
    """One data set: what it is called, the counts it must have, and its files."""

    title: str
    page: str
    licence: str
    tasks: tuple[str, ...]
    expect: dict[str, int]
    files: tuple[RemoteFile, ...]
    by_hand: tuple[RemoteFile, ...]
    room: int = 0  # bytes of disk that building takes beside the raw files


@cache
def read_declaration(path: Path, name: str) -> Declaration:
    """Return the declaration of one data set of a TOML file."""
    content = tomllib.loads(path.read_text("utf-8"))
    source, table = content["source"], content[name]

    def remote(file: str, mirrors: list[str]) -> RemoteFile:
        known = content.get("file", {}).get(file, {})
        return RemoteFile(
            name=file,
            folder=source["folder"],
            urls=tuple(mirror + known.get("at", "") + file for mirror in mirrors),
            page=source["page"],
            licence=source["licence"],
            size=known.get("size"),
            checksum=known.get("checksum", ""),
        )

    return Declaration(
        title=table.get("title", name),
        page=source["page"],
        licence=source["licence"],
        tasks=tuple(table.get("tasks", ())),
        expect=table.get("expect", {}),
        files=tuple(remote(file, source["mirrors"]) for file in table["files"]),
        by_hand=tuple(remote(file, []) for file in table.get("by-hand", ())),
        room=table.get("room", 0),
    )
