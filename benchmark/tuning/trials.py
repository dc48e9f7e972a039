"""The trials of one method, kept by Optuna in a SQLite file; what the next one tries.

The file holds finished trials alone, each added in one transaction: a search that was killed has lost the trial that
was running, and proposes the same settings again, because what trial n tries follows from the seed, n and the trials
before it. The first one is the preset, as far as its values lie in the space; the others are drawn by the
tree-structured Parzen estimator (Bergstra et al., NIPS 2011), the first ten of them at random.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from benchmark.errors import BenchmarkError, DiskFullError, MissingDependency
from benchmark.files import digest, whole, write_lines
from benchmark.tuning.space import Choices, Range, Scalar, Space

STUDY, LISTING = "study.db", "trials.jsonl"
DIGITS = 4  # significant ones of a number that is drawn: the settings can be read, and typed again
WAIT = 60  # seconds for another process that reads the file
ATTEMPTS = 20  # draws for settings that no earlier trial has had


@dataclass(frozen=True)
class Trial:
    """Settings that were tried, and their score; None where they could not be scored, with the reason."""

    number: int  # from 0
    settings: Mapping[str, Scalar]
    score: float | None
    seconds: float
    reason: str = ""


@dataclass
class TrialStore:
    """The trials of one search, in a folder of their own; one process at a time uses it."""

    folder: Path
    space: Space
    first: Mapping[str, Any]  # the preset's values
    higher_is_better: bool
    seed: int

    def finished(self) -> list[Trial]:
        """Return the trials that are done, failed ones too, in their order."""
        with self._readable():
            return [
                Trial(
                    frozen.number, dict(frozen.params), frozen.values[0] if frozen.values else None,
                    frozen.user_attrs["seconds"], frozen.user_attrs.get("reason", ""),
                )
                for frozen in self._study.get_trials(deepcopy=False)
            ]  # fmt: skip

    def proposed(self) -> dict[str, Scalar]:
        """Return the settings of the next trial."""
        with self._readable():
            earlier = self._study.get_trials(deepcopy=False)
        tried = [dict(trial.params) for trial in earlier]
        settings: dict[str, Scalar] = {}
        for attempt in range(ATTEMPTS):  # a small space may have no other settings
            settings = self._drawn(earlier, attempt)
            if settings not in tried:
                break
        return settings

    def add(self, settings: Mapping[str, Scalar], score: float | None, seconds: float, reason: str = "") -> None:
        """Keep a trial that is done."""
        import optuna

        state = optuna.trial.TrialState.FAIL if score is None else optuna.trial.TrialState.COMPLETE
        facts = {"seconds": round(seconds, 2)} | ({"reason": reason} if reason else {})
        trial = optuna.trial.create_trial(
            state=state, value=score, params=dict(settings), distributions=self._distributions, user_attrs=facts
        )
        with self._readable():
            self._study.add_trial(trial)
        write_lines(self.folder / LISTING, (f"{json.dumps(asdict(done))}\n" for done in self.finished()))

    def _drawn(self, earlier: Sequence[Any], attempt: int) -> dict[str, Scalar]:
        import optuna

        seed = int(digest([self.seed, len(earlier), attempt]), 16) % 2**32
        drawing = optuna.create_study(direction=self._direction, sampler=optuna.samplers.TPESampler(seed=seed))
        drawing.add_trials(earlier)
        preset = {key: v for key, v in self.first.items() if key in self.space and self.space[key].holds(v)}
        if not earlier:
            drawing.enqueue_trial(preset)
        drawn = drawing.ask(dict(self._distributions)).params
        rounded = {key: _rounded(drawn[key], tried) for key, tried in self.space.items()}
        return rounded if earlier else rounded | preset

    @property
    def _direction(self) -> str:
        return "maximize" if self.higher_is_better else "minimize"

    @cached_property
    def _distributions(self) -> dict[str, Any]:
        return {key: _distribution(tried) for key, tried in self.space.items()}

    @cached_property
    def _study(self) -> Any:
        """The study, made where there is none: whole, or not at all."""
        path = self.folder / STUDY
        if not path.is_file():
            with whole(path) as part:
                storage = _storage(part)
                _optuna().create_study(storage=storage, study_name=STUDY, direction=self._direction)
                storage.engine.dispose()
        return _optuna().load_study(storage=_storage(path), study_name=STUDY)

    @contextmanager
    def _readable(self) -> Iterator[None]:
        """Turn what the data base says into an error that names its file."""
        from sqlalchemy.exc import SQLAlchemyError

        optuna = _optuna()
        try:
            yield
        except (optuna.exceptions.OptunaError, SQLAlchemyError, KeyError) as error:
            path = self.folder / STUDY
            reason = str(error.__cause__ or error).splitlines()[0]
            if "disk is full" in reason:
                raise DiskFullError(f"the disk is full: no space for {path}") from error
            problem = f"{path}: the trials cannot be read or written: {reason}"
            raise BenchmarkError(f"{problem}; delete the file to begin anew") from error


def optuna_version() -> str:
    """Return the version that draws the trials."""
    return str(_optuna().__version__)


def _optuna() -> Any:
    try:
        import optuna
    except ImportError:
        raise MissingDependency("benchmark tune needs Optuna: pip install optuna") from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


def _storage(path: Path) -> Any:
    """Return the storage of a file. Its path may hold signs that a URL may not."""
    place = path.absolute()
    return _optuna().storages.RDBStorage(
        "sqlite:///study.db", engine_kwargs={"creator": lambda: sqlite3.connect(place, timeout=WAIT)}
    )


def _distribution(tried: Range | Choices) -> Any:
    from optuna import distributions

    if isinstance(tried, Choices):
        return distributions.CategoricalDistribution(tried.values)
    if isinstance(tried.low, int) and isinstance(tried.high, int):
        step = 1 if tried.step is None else int(tried.step)
        return distributions.IntDistribution(tried.low, tried.high, log=tried.log, step=step)
    return distributions.FloatDistribution(tried.low, tried.high, log=tried.log, step=tried.step)


def _rounded(value: Scalar, tried: Range | Choices) -> Scalar:
    """Return a drawn number with few digits, within its bounds."""
    if isinstance(tried, Choices) or tried.step is not None or not isinstance(value, float):
        return value
    return min(max(float(f"{value:.{DIGITS}g}"), tried.low), tried.high)
