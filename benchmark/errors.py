"""Errors for people: each says what is wrong, where, and what to do; the command line prints the message alone."""

import difflib
from collections.abc import Iterable
from pathlib import Path


class BenchmarkError(Exception):
    """Something failed while the suite did what it was asked (exit code 1)."""

    exit_code = 1


class UsageError(BenchmarkError, ValueError):
    """The suite was asked for something that does not exist or cannot be (exit code 2)."""

    exit_code = 2


class ConfigError(UsageError):
    """A configuration key has an unknown name or an impossible value."""


class RunsFolderError(UsageError):
    """The folder of results and caches cannot be used."""


class DataError(BenchmarkError):
    """A data file is wrong; the message names file, line and reason."""

    exit_code = 2


class DiskFullError(BenchmarkError):
    """There is no space left for a file; the message names it."""


class MissingDependency(BenchmarkError):
    """An optional package or model is not there; the message says how to get it."""


def line_error(path: Path, number: int, reason: str) -> DataError:
    """Return the error of a line in a file: `path:line: reason`."""
    return DataError(f"{at_line(path, number)}: {reason}")


def at_line(path: Path, number: int) -> str:
    """Return where a line stands, `path:line`, as editors and terminals make a link of it."""
    return f"{path}:{number}"


def quoted(value: object, longest: int = 80) -> str:
    """Return a value for a message on one line: its `repr`, which escapes control characters, cut where it is long."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # a number of more than 4,300 digits, or a list inside a list inside ..
        return f"a huge {type(value).__name__}"
    return text if len(text) <= longest else f"{text[:longest]}.. ({len(text):,} characters)"


def did_you_mean(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """Return ' Did you mean 'x'?' for the nearest known name, else `otherwise`, by default the list of all of them."""
    names = sorted(set(known))
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    return f" Did you mean '{near[0]}'?" if near else otherwise or f" Known: {', '.join(names)}."


def require(condition: bool, key: str, reason: str) -> None:
    """Raise ConfigError naming the configuration key when the condition does not hold."""
    if not condition:
        raise ConfigError(f"{key}: {reason}")
