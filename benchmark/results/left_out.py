"""What an archive of results leaves out of a result's folder: `left-out.txt`, file names, one a line."""

from __future__ import annotations

from pathlib import Path

LIST = "left-out.txt"


def left_out(folder: Path) -> frozenset[str]:
    """Return the names of the files that are left out; none where the folder is complete."""
    path = folder / LIST
    return frozenset(path.read_text("utf-8").split("\n")) - {""} if path.is_file() else frozenset()
