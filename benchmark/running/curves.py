"""log.jsonl: the training curves of a result's stages, one JSON object a step, `in` naming the stage."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmark.files import bytes_digest, write_text
from benchmark.results.digests import FILES
from benchmark.running.store import Stage
from benchmark.sealing import note_damage

LOG = "log.jsonl"


def write_curves(path: Path, stages: Mapping[str, Stage], result: Mapping[str, Any]) -> None:
    """Put the training curves of this cell's stages into one log, replacing those of the same stages."""
    kept = _curves(path, result)
    if kept is None:
        note_damage(path, "it was changed")  # the other tasks of this result write their curves again too
    curves = kept or {}
    for name, stage in stages.items():
        texts = [file.read_text("utf-8") for file in sorted(stage.final.glob("*.log.jsonl"))]
        curves[name] = [json.dumps({"in": name, **json.loads(line)}) for text in texts for line in text.splitlines()]
    text = _log_text(curves)
    if text:
        write_text(path, text)
    else:
        path.unlink(missing_ok=True)


def _curves(path: Path, result: Mapping[str, Any]) -> dict[str, list[str]] | None:
    """Return stage -> its lines, as the tasks that are done wrote them; None where the log is not theirs.

    Lines of a task that was killed before its result was written are left out: they are written again.
    """
    said = result.get(FILES, {}).get(LOG)
    if not path.is_file():
        return {} if said is None else None
    curves: dict[str, list[str]] = {}
    try:
        for line in path.read_text("utf-8").splitlines():
            curves.setdefault(json.loads(line)["in"], []).append(line)
    except (ValueError, TypeError, KeyError):
        return None
    curves = {name: own for name, own in curves.items() if name.partition(".")[2] in ("", *result["metrics"])}
    return curves if said is None or bytes_digest([_log_text(curves).encode("utf-8")]) == said else None


def _log_text(curves: Mapping[str, Sequence[str]]) -> str:
    return "".join(f"{line}\n" for name in sorted(curves) for line in curves[name])
