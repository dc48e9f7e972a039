"""Writes the training curves of a result's stages: see `benchmark.results.curves`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmark.files import write_text
from benchmark.results.curves import curves_text, read_curves
from benchmark.running.store import Stage
from benchmark.sealing import note_damage


def write_curves(path: Path, stages: Mapping[str, Stage], result: Mapping[str, Any]) -> None:
    """Put the training curves of this cell's stages into one log, replacing those of the same stages."""
    kept = read_curves(path, result)
    if kept is None:
        note_damage(path, "it was changed")  # the other tasks of this result write their curves again too
    curves = kept or {}
    for name, stage in stages.items():
        texts = [file.read_text("utf-8") for file in sorted(stage.final.glob("*.log.jsonl"))]
        curves[name] = [json.dumps({"in": name, **json.loads(line)}) for text in texts for line in text.splitlines()]
    text = curves_text(curves)
    if text:
        write_text(path, text)
    else:
        path.unlink(missing_ok=True)
