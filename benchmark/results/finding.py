"""Find a result by its row's folder: RUNS/<dataset>/<label> for RUNS/<dataset>/<label>/<key>/seed-<n>."""

from __future__ import annotations

from pathlib import Path

from benchmark.errors import UsageError
from benchmark.results.result_files import read_result

RESULT = "result.json"
SHOWN = 10  # of many results in one folder


def result_folder(folder: Path) -> Path:
    """Return the folder of the one result below a row's folder; a path that is no such folder as it is.

    Raises UsageError where several results lie there, with the folder of each and what was set.
    """
    if not folder.is_dir() or any(path.is_file() and path.name[0] != "." for path in folder.iterdir()):
        return folder  # a row's folder, RUNS/<dataset>/<label>, and those of its keys hold no files of their own
    found = sorted(path.parent for below in ("seed-*", "*/seed-*") for path in folder.glob(f"{below}/{RESULT}"))
    if len(found) > 1:
        lines = [f"{path}: {_described(path)}" for path in found[:SHOWN]]
        more = [f"and {len(found) - SHOWN:,} more"] if len(found) > SHOWN else []
        raise UsageError("\n  ".join([f"{folder}: {len(found):,} results lie there; name one of them:", *lines, *more]))
    return found[0] if found else folder


def _described(folder: Path) -> str:
    """Return in words what a result is of: its label, preset, changed settings and text fields."""
    result = read_result(folder / RESULT)
    if result.problem:
        return result.problem
    changed = [f"{name}={value}" for name, value in result.changed.items()]
    return f"{result.label}, {', '.join([result.preset, *changed])}; text {', '.join(result.text_fields) or 'none'}"
