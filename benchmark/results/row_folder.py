"""Find a result by its row's folder: RUNS/<dataset>/<label> for RUNS/<dataset>/<label>/<key>/seed-<n>."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmark.errors import UsageError
from benchmark.results.result_files import Result, newest, read_result

RESULT = "result.json"
IDS = ("ids.tsv", "ids.unique.tsv", "ids.parquet")  # a folder with one of these is meant itself
SHOWN = 10  # of many results in one folder


def result_folder(folder: Path) -> Path:
    """Return the folder of the one result below a row's folder, RUNS/<dataset>/<label>, or below that of a key in it.

    A result with newer numbers for all its tasks does not count. A path that is no such folder comes back as it is.
    Raises UsageError where several results lie there, with the folder of each and what tells them apart.
    """
    if not folder.is_dir() or any((folder / name).is_file() for name in (RESULT, *IDS)):
        return folder
    files = sorted(file for below in ("seed-*", "*/seed-*") for file in folder.glob(f"{below}/{RESULT}"))
    found = newest(map(read_result, files))
    if len(found) > 1:
        told = _told_apart([_facts(result) for result in found])
        lines = [f"{result.folder}: {text}" for result, text in zip(found, told, strict=True)]
        more = [f"and {len(found) - SHOWN:,} more"] if len(found) > SHOWN else []
        heading = f"{folder}: {len(found):,} results lie there; name one of them:"
        raise UsageError("\n  ".join([heading, *lines[:SHOWN], *more]))
    return found[0].folder if found else folder


def _facts(result: Result) -> dict[str, str]:
    """Return in words what a result is of."""
    if result.problem:
        return {"problem": result.problem}
    return {
        "label": result.label,
        "preset": f"preset {result.preset}",
        "changed": ", ".join(f"{name}={value}" for name, value in result.changed.items()),
        "text": f"text {', '.join(result.text_fields) or 'none'}",
        "queries": f"{result.queries} queries" if result.queries else "",
        **{name: f"{name} {value}" for name, value in result.config.get("protocol", {}).items()},
        "seed": f"seed {result.seed}",
        "tasks": ", ".join(result.metrics),
        "data": f"data {str(result.dataset.get('fingerprint'))[:8]}",
        "written": f"of {result.written()[:19].replace('T', ' ')}",
    }


def _told_apart(facts: Sequence[dict[str, str]]) -> list[str]:
    """Return each result's facts that not all share."""
    names = dict.fromkeys(name for each in facts for name in each)
    differing = [name for name in names if len({each.get(name) for each in facts}) > 1]
    return ["; ".join(filter(None, (each.get(name, "") for name in differing))) for each in facts]
