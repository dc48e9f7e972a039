"""What a choice of settings has found: trials, the best of each method, and the file that proposes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmark.errors import UsageError, did_you_mean
from benchmark.terminal import table_lines
from benchmark.tuning.trials import Trial

PRESET = "preset.toml"
HEADER = ("method", "trials", "failed", "best", "objective", "seconds", "chosen settings")


@dataclass(frozen=True)
class TunedMethod:
    """The trials of one method, and the best of them."""

    label: str
    method: str
    task: str
    objective: str
    judged_by: str  # validation items, development judgments, ..
    trials: tuple[Trial, ...]
    fixed: Mapping[str, Any]  # settings of every trial
    higher_is_better: bool
    folder: Path  # study.db, trials.jsonl and preset.toml

    @property
    def best(self) -> Trial | None:
        """The trial with the best score, the first of equals; None where all failed."""
        scored = [trial for trial in self.trials if trial.score is not None]
        sign = -1 if self.higher_is_better else 1
        return min(scored, key=lambda trial: sign * (trial.score or 0.0), default=None)

    @property
    def failed(self) -> tuple[Trial, ...]:
        """The trials without a score."""
        return tuple(trial for trial in self.trials if trial.score is None)

    @property
    def seconds(self) -> float:
        """How long the trials took, each in the session that finished it."""
        return sum(trial.seconds for trial in self.trials)

    @property
    def preset(self) -> Path:
        """The file that proposes the settings of this method alone."""
        return self.folder / PRESET

    @property
    def settings(self) -> dict[str, Any]:
        """The settings that were chosen, and those that were fixed; {} where all trials failed."""
        return {**self.fixed, **self.best.settings} if self.best else {}

    def section(self) -> dict[str, Any]:
        """Return what a proposal says of the method."""
        return {
            "method": self.method, "task": self.task, "objective": self.objective, "scored_on": self.judged_by,
            "score": self.best.score if self.best else None, "trials": len(self.trials), "failed": len(self.failed),
            "settings": self.settings,
        }  # fmt: skip


@dataclass(frozen=True)
class Tuning:
    """What `tune` has found for each method; prints as `benchmark tune` does."""

    methods: tuple[TunedMethod, ...]
    dataset: str
    asked: str  # the data set as the caller named it
    base: str  # the preset that the settings go over
    objective: str
    preset: Path | None  # the file that proposes all of them; None where every trial failed

    def __len__(self) -> int:
        return len(self.methods)

    def __iter__(self) -> Iterator[TunedMethod]:
        return iter(self.methods)

    def __getitem__(self, label: str) -> TunedMethod:
        found = {method.label: method for method in self.methods}
        if label not in found:
            raise UsageError(f"no method '{label}' was tuned.{did_you_mean(label, found)}")
        return found[label]

    def __str__(self) -> str:
        rows = []
        for found in self.methods:
            best = found.best
            settings = ", ".join(f"{key}={value}" for key, value in (best.settings if best else {}).items())
            rows.append([
                found.label, str(len(found.trials)), str(len(found.failed)), f"{best.score:.4f}" if best else "-",
                f"{found.objective}, {found.judged_by}", f"{found.seconds:.1f}", settings or "every trial failed",
            ])  # fmt: skip
        return "\n".join([f"{self.dataset}, preset {self.base}", "", *table_lines(rows, header=HEADER)])

    __repr__ = __str__

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON has it."""
        return {
            "dataset": self.dataset, "base": self.base, "preset": str(self.preset) if self.preset else None,
            "methods": [
                {
                    "label": found.label, **found.section(), "seconds": round(found.seconds, 2),
                    "folder": str(found.folder), "all": [asdict(trial) for trial in found.trials],
                }
                for found in self.methods
            ],
        }  # fmt: skip

    def to_frame(self) -> Any:
        """Return a pandas frame with one row per trial."""
        import pandas

        return pandas.DataFrame([
            {
                "label": found.label, "method": found.method, "task": found.task, "objective": found.objective,
                "trial": trial.number, "score": trial.score, "seconds": trial.seconds, "reason": trial.reason,
                "settings": dict(trial.settings),
            }
            for found in self.methods for trial in found.trials
        ])  # fmt: skip
