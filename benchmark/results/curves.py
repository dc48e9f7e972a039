"""log.jsonl: the training curves of a result's stages, one JSON object a step, `in` naming the stage.

The tasks of a result share the file. A task adds its curves before result.json names it, so that for a moment, or after
a kill, the file holds more than the result was written with: what counts is the curves of the tasks that are done.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmark.files import bytes_digest
from benchmark.results.digests import FILES

LOG = "log.jsonl"


def read_curves(path: Path, result: Mapping[str, Any]) -> dict[str, list[str]] | None:
    """Return stage -> its lines, as the tasks that are done wrote them; None where the log is not theirs.

    Lines of a task that the result does not have are left out.
    """
    said = result.get(FILES, {}).get(LOG)
    curves: dict[str, list[str]] = {}
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return {} if said is None else None
    except (OSError, UnicodeDecodeError):
        return None
    try:
        for line in text.splitlines():
            curves.setdefault(json.loads(line)["in"], []).append(line)
        curves = {name: own for name, own in curves.items() if name.partition(".")[2] in ("", *result["metrics"])}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return curves if said is None or bytes_digest([curves_text(curves).encode("utf-8")]) == said else None


def curves_text(curves: Mapping[str, Sequence[str]]) -> str:
    """Return the content of a log: the stages by name, each with its lines in order."""
    return "".join(f"{line}\n" for name in sorted(curves) for line in curves[name])
