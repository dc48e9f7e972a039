"""Training curves as TensorBoard event files: one folder per stage, a scalar per measured name.

    log.jsonl   {"in": "train.search", "stage": "train", "step": 50, "loss": 3.6}
    OUT/train.search/events.out.tfevents..   train/loss at step 50

The same files go to Weights & Biases by `wandb sync --sync-tensorboard OUT`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmark.errors import BenchmarkError, UsageError, line_error
from benchmark.files import whole
from benchmark.results.curves import LOG

NAMES = ("in", "stage", "step")  # keys of a line that are no measured numbers


def write_events(cell: Path, out: Path) -> int:
    """Write the curves of a result's folder into a new folder; return how many numbers there are.

    Raises UsageError where the folder is there already or the result has no curves, BenchmarkError without TensorBoard.
    """
    try:
        from tensorboard.summary.writer.event_file_writer import EventFileWriter
    except ImportError:
        raise BenchmarkError("TensorBoard is not installed: pip install 'lmindexer-benchmark[tensorboard]'") from None
    if out.exists():
        raise UsageError(f"--out {out}: is already there; name a new folder")
    log = cell / LOG
    if not log.is_file():
        raise UsageError(f"{log}: not there: nothing in this cell was trained step by step")
    numbers, writers = 0, dict[str, EventFileWriter]()
    with whole(out) as folder:
        folder.mkdir()
        try:
            for place, text in enumerate(log.read_text("utf-8").splitlines(), 1):
                line = _read(log, place, text)
                if line["in"] not in writers:
                    writers[line["in"]] = EventFileWriter(str(folder / line["in"]))
                values = {name: v for name, v in line.items() if name not in NAMES and isinstance(v, int | float)}
                writers[line["in"]].add_event(_event(line, values))
                numbers += len(values)
        finally:
            for writer in writers.values():
                writer.close()
    return numbers


def _read(log: Path, place: int, text: str) -> Mapping[str, Any]:
    try:
        line = json.loads(text)
        if isinstance(line["in"], str) and "/" not in line["in"] and isinstance(line["step"], int):
            return dict(line)
    except (ValueError, KeyError, TypeError):
        pass
    raise line_error(log, place, "not a step of a training curve")


def _event(line: Mapping[str, Any], values: Mapping[str, float]) -> Any:
    """Return the scalars of one step, named after its part of the training; they have no wall time of their own."""
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary

    part = f"{line['stage']}/" if line.get("stage") else ""
    scalars = [Summary.Value(tag=f"{part}{name}", simple_value=value) for name, value in values.items()]
    return Event(step=line["step"], wall_time=float(line["step"]), summary=Summary(value=scalars))
