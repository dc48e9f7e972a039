"""Compares every stored file with the digests that its result was written with.

result.json names the SHA-256 of each file under `files`. It, cost.json and human-evaluation.json hold their own under
`digest`: that of the file's bytes without these 64 digits. What is found here changes perhaps no number: a query's
text, a setting, an irrelevant item that changed places. A result of an older version has no digests.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from benchmark.verification.findings import CHANGED, LEFT_OUT, MISSING, NO_DIGESTS, NOT_CHECKED, WRONG, Findings
from benchmark.verification.stored import left_out

OWN, OF_OTHERS = "digest", "files"
OURS = ("run.", "qrels.", "queries.", "scores.", "ids.", "log.")  # how the names of a result's files begin


def check_digests(folder: Path, where: str, content: Mapping[str, Any], findings: Findings) -> None:
    """Check all files of a result's folder, and those of its data set; `content` is that of its result.json."""
    if OWN not in content and OF_OTHERS not in content:
        findings.add(NO_DIGESTS, where, "result.json", "an older version wrote it")
        return
    check_own_digest(folder / "result.json", where, findings)
    check_own_digest(folder / "cost.json", where, findings)
    listed = content.get(OF_OTHERS)
    listed = listed if isinstance(listed, dict) else {}
    absent = left_out(folder)
    for name, said in listed.items():
        path = folder / name
        if path.name in absent and not path.exists():
            if not findings.has(LEFT_OUT, where, path.name):
                findings.add(LEFT_OUT, where, path.name, "the archive leaves it out")
            continue
        shared = path.name != name
        compare_file(path, folder.parents[2].name if shared else where, said, findings)
    for path in sorted(folder.iterdir()):
        if path.name.startswith(OURS) and path.name not in listed:
            findings.add(NOT_CHECKED, where, path.name, "the result does not list it; a run may have been interrupted")


def check_own_digest(path: Path, where: str, findings: Findings) -> None:
    """Check a JSON file that holds its own digest; one without any was changed."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        _unreadable(path, where, error, findings)
        return
    findings.files += 1
    try:
        said = str(json.loads(raw)[OWN])
    except (ValueError, TypeError, KeyError, RecursionError):
        said = ""
    now = hashlib.sha256(raw.replace(said.encode("utf-8", "replace"), b"", 1)).hexdigest()
    if now != said:
        findings.add(CHANGED, where, path.name, _reason(now, said))


def compare_file(path: Path, where: str, said: object, findings: Findings) -> None:
    """Compare a file with the digest that it was written with."""
    try:
        now = sha256(path.resolve())
    except (OSError, ValueError) as error:  # a name that no file can have
        _unreadable(path, where, error, findings)
        return
    findings.files += 1
    if now != said and not findings.has(CHANGED, where, path.name):  # a file of the data set is named once
        findings.add(CHANGED, where, path.name, _reason(now, said))


def _unreadable(path: Path, where: str, error: Exception, findings: Findings) -> None:
    if not isinstance(error, FileNotFoundError):
        findings.add(WRONG, where, path.name, f"cannot be read: {error}")
    elif not findings.has(MISSING, where, path.name):  # a number that needs it has said so
        findings.add(MISSING, where, path.name, "it is not there")


def _reason(now: str, said: object) -> str:
    due = f"it was written with {str(said)[:12]}.." if said else "its digest is not there"
    return f"was changed after it was written: its SHA-256 is {now[:12]}.., {due}"


@lru_cache(maxsize=256)
def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hex; read once, for the files that results share."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
