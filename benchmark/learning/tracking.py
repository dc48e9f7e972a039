"""Training curves as they are made: `benchmark run --tracker tensorboard`, through the trackers of Accelerate.

Each training is a run of the tracker's own, named DATASET/LABEL/seed-N/STAGE/TRAINING. TensorBoard's files lie below
RUNS/tensorboard; the other trackers keep runs of the project 'benchmark' where they keep all theirs. What is shown is
what log.jsonl holds at the end; nothing of it decides a result, so a tracker that fails is disabled with a note.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmark.errors import UsageError, did_you_mean
from benchmark.types.curve import Curve, Unwatched

PROJECT = "benchmark"
TRACKERS: dict[str, Callable[[str, Path], dict[str, Any]]] = {  # arguments of Accelerate's class, by a run's name
    "tensorboard": lambda run, runs: {"run_name": run, "logging_dir": str(runs / "tensorboard")},
    "wandb": lambda run, runs: {"run_name": PROJECT, "name": run, "dir": str(runs)},
    "trackio": lambda run, runs: {"run_name": PROJECT, "name": run},
    "mlflow": lambda run, runs: {"experiment_name": PROJECT, "run_name": run},
}


def check_tracker(name: str) -> None:
    """Raise UsageError for a tracker that Accelerate does not know here, or that is not installed."""
    if name not in TRACKERS:
        raise UsageError(f"--tracker {name[:80]}: {', '.join(TRACKERS)}.{did_you_mean(name, TRACKERS)}")
    from accelerate.tracking import get_available_trackers

    if name not in {str(getattr(known, "value", known)) for known in get_available_trackers()}:
        raise UsageError(f"--tracker {name}: {name} is not installed: pip install {name}")


class Watched:
    """A run of a tracker; once one of its calls has failed it is given up, and `note` is told."""

    def __init__(self, tracker: Any, note: Callable[[str], None]) -> None:
        self._tracker, self._note = tracker, note
        self._call("start")

    def log(self, values: Mapping[str, float], step: int) -> None:
        """Show what was measured at this step."""
        self._call("log", dict(values), step=step)

    def finish(self) -> None:
        """End the run."""
        self._call("finish")

    def _call(self, name: str, *arguments: Any, **named: Any) -> None:
        if self._tracker is None:
            return
        try:
            getattr(self._tracker, name)(*arguments, **named)
        except Exception as error:  # whatever a tracker raises, its network among it
            self._note(f"note: the tracker is disabled, training continues: {error}")
            self._tracker = None


def start_curve(tracker: str, run: str, runs: Path, note: Callable[[str], None]) -> Curve:
    """Begin a run of this name; `runs` is the folder of runs."""
    from accelerate.tracking import LOGGER_TYPE_TO_CLASS

    from benchmark.learning.processes import process_rank

    if process_rank() != 0:
        return Unwatched()
    return Watched(LOGGER_TYPE_TO_CLASS[tracker](**TRACKERS[tracker](run, runs)), note)
