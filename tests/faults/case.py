"""A case: what is wrong, the command that meets it, and what the command owes its user.

`data`, `run`, .. write the usual ones in a line. A case says its exit code and a word of its message; `check` adds what
every case owes: no traceback, no control character, no endless line, no silent success and nothing half-written.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Content = str | bytes | None | Callable[[bytes], bytes]  # None: no such file; a function: of what the shop has

LONGEST = 1500  # characters of a line on standard error
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
CHEAP = ("--tasks", "id-quality", "--device", "cpu")


@dataclass(frozen=True)
class Case:
    """One hostile input or fault."""

    title: str
    words: Sequence[str]  # of the command line
    code: int  # the exit code that is due, as a shell shows it: 128 + signal
    says: str  # a regular expression, found in what is printed
    prepare: Callable[[Path], Any] = lambda folder: None  # makes the folder that the command runs in
    absent: Sequence[str] = ()  # paths that must not be there afterwards
    environment: Mapping[str, str | None] = field(default_factory=dict)  # None: unset
    fresh: bool = False  # in an interpreter of its own, for what is decided at its start
    slow: bool = False  # trains, mounts or waits: not in `make test`
    json: bool = False  # standard output is JSON
    start: Callable[[list[str], Path, dict[str, str]], Done] | None = None  # for signals, pipes: starts the command
    skip: Callable[[], str] = lambda: ""  # a reason why this machine cannot try it


@dataclass(frozen=True)
class Done:
    """What a command left."""

    code: int
    out: str
    err: str


def shell_code(code: int) -> int:
    """Return the exit code that a shell shows of Python's: of what a signal ended, 128 + signal."""
    return code if code >= 0 else 128 - code


def template(name: str) -> Path:
    """Return what all cases copy from: 'shop', a data set, or 'runs', finished results of two control rows."""
    return TEMPLATES / name


TEMPLATES = Path()  # set by the runner


def shop(changes: Mapping[str, Content], then: Callable[[Path], Any] = lambda folder: None) -> Callable[[Path], None]:
    """Return a preparation: the shop with some of its files changed."""

    def prepare(folder: Path) -> None:
        shutil.copytree(template("shop"), folder / "shop")
        for name, content in changes.items():
            put(folder / "shop" / name, content)
        then(folder)

    return prepare


def files(contents: Mapping[str, Content]) -> Callable[[Path], None]:
    """Return a preparation: files of these contents."""

    def prepare(folder: Path) -> None:
        for name, content in contents.items():
            put(folder / name, content)

    return prepare


def results(changes: Mapping[str, Content]) -> Callable[[Path], None]:
    """Return a preparation: finished results, some files of the row `random` changed, or ('/name') of the folder."""

    def prepare(folder: Path) -> None:
        shutil.copytree(template("shop"), folder / "shop")
        shutil.copytree(template("runs"), folder / "runs")
        (cell,) = folder.glob("runs/shop/random/*/seed-0")
        for name, content in changes.items():
            put(folder / "runs" / name[1:] if name.startswith("/") else cell / name, content)

    return prepare


def put(path: Path, content: Content) -> None:
    """Write, change or remove a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if content is None:
        path.unlink()
    elif isinstance(content, bytes):
        path.write_bytes(content)
    elif isinstance(content, str):
        path.write_text(content, "utf-8")
    else:
        path.write_bytes(content(path.read_bytes()))


def added(line: str | bytes) -> Callable[[bytes], bytes]:
    """Return the change that appends a line to a file."""
    return lambda before: before + (line.encode() if isinstance(line, str) else line) + b"\n"


def replaced(old: str, new: str) -> Callable[[bytes], bytes]:
    """Return the change that replaces a text everywhere."""
    return lambda before: before.replace(old.encode(), new.encode())


def check(case: Case, done: Done, folder: Path) -> list[str]:
    """Return what is wrong with the way a command ended; [] where all is as it should be."""
    text = done.out + done.err
    wrong = []
    if "Traceback (most recent call last)" in text:
        wrong.append("traceback")
    if done.code != case.code:
        wrong.append(f"exit code {done.code}, not {case.code}" if done.code else "silent success")
    if not re.search(case.says, text, re.IGNORECASE):
        wrong.append(f"does not say '{case.says}'")
    if found := CONTROL.search(text):
        wrong.append(f"control character {found[0]!r}")
    if any(len(line) > LONGEST for line in done.err.split("\n")):
        wrong.append("an endless line")
    if case.json and not _is_json(done.out):
        wrong.append("standard output is not JSON")
    wrong += [f"left {path}" for path in case.absent if (folder / path).exists()]
    if done.code < 128:  # what a signal ended could not tidy up: the next run does
        parts = [path for path in folder.rglob("part*") if path.parent.name.startswith(".")]
        wrong += [f"half-written: {path.relative_to(folder)}" for path in parts]
    return wrong


def _is_json(text: str) -> bool:
    import json

    try:
        json.loads(text)
    except ValueError:
        return False
    return True
