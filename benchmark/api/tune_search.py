"""The search of one method: each trial a cell of the data set without its test part, its score kept."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmark.api.run import Log
from benchmark.api.tune_request import TuneRequest
from benchmark.api.tuning_results import TunedMethod
from benchmark.data.dataset import Dataset
from benchmark.errors import ConfigError, DiskFullError
from benchmark.results.settings import flat_settings
from benchmark.running.cells import Plan, Protocol, Variant
from benchmark.running.crew import make_crew
from benchmark.running.executors.execution import Execution
from benchmark.running.plan import check_variants, make_plan, make_variants
from benchmark.running.record import revision
from benchmark.running.store import Store
from benchmark.tuning.proposal import write_proposal
from benchmark.tuning.space import Scalar
from benchmark.tuning.trials import Trial, TrialStore, optuna_version
from benchmark.version import __version__


def all_settings(variant: Variant) -> dict[str, Any]:
    """Return all settings of a row by dotted key."""
    generative = variant.generative.model_dump(mode="json") if variant.generative else None
    return flat_settings({"method": variant.config.model_dump(mode="json"), "generative": generative})


@dataclass(frozen=True)
class TrialCells:
    """How settings of one method become a cell, and its score."""

    request: TuneRequest
    base: Variant  # the preset, with what is fixed
    task: str
    dataset: Dataset  # without its test part
    name: str  # of the whole data set
    protocol: Protocol
    fixed: Mapping[str, Any]  # LABEL.KEY or generative.KEY

    def plan(self, variant: Variant) -> Plan:
        """Return the plan of one cell."""
        runs = self.request.folder(self.name) / "cells"
        seeds = (self.request.seed,)
        return make_plan(self.dataset, [variant], tasks=[self.task], seeds=seeds, protocol=self.protocol, runs=runs)

    def score(self, settings: Mapping[str, Scalar], device: str, log: Log) -> tuple[float | None, str]:
        """Return the score of settings, or None and why there is none. Raises DiskFullError."""
        label = self.base.label
        tried = {**self.fixed, **{f"{label}.{key}": value for key, value in settings.items()}}
        try:
            names = [f"{label}={self.base.method}"]
            plan = self.plan(make_variants(names, self.request.preset_name, tried, self.dataset.original)[0])
            check_variants(plan)
        except ConfigError as error:
            return None, str(error)
        store, crew = Store(self.request.runs / ".cache"), make_crew(1, device)

        def told(line: str) -> None:
            if not line.startswith("cell "):  # each trial is one
                log(line)

        failures = Execution(plan, store, device, crew, told, bars=sys.stderr.isatty()).run()
        if failures:
            if failures[0].reason.startswith("the disk is full"):
                raise DiskFullError(failures[0].reason)
            return None, failures[0].reason
        result = plan.cells[0].result()
        score = None if result is None else result["metrics"][self.task].get(self.request.objective)
        return (None, f"its result has no {self.request.objective}") if score is None else (float(score), "")

    @property
    def judged_by(self) -> str:
        """What the scores are of, in words."""
        if self.task == "recommendation":
            return "validation items"
        if self.dataset.default_queries == "simulated":
            return "simulated development queries"
        held_out = any("held out" in note for note in self.dataset.about.get("notes", ()))
        return "held-out training queries" if held_out else "development judgments"

    @property
    def facts(self) -> dict[str, Any]:
        """What a proposal says of the search."""
        return {
            "preset": self.request.preset_name, "dataset": self.name, "copy": str(self.dataset.folder),
            "fingerprint": self.dataset.fingerprint, "text_fields": list(self.protocol.text_fields),
            "seed": self.request.seed, "suite": __version__, "revision": revision(), "optuna": optuna_version(),
        }  # fmt: skip


@dataclass(frozen=True)
class MethodSearch:
    """The trials of one method."""

    cells: TrialCells
    store: TrialStore

    def run(self, device: str, log: Log) -> TunedMethod:
        """Make the trials that are missing; what is done is kept whenever this ends."""
        request, label = self.cells.request, self.cells.base.label
        done = self.store.finished()
        while len(done) < request.trials:
            settings = self.store.proposed()
            said = ", ".join(f"{key} {value}" for key, value in settings.items())
            log(f"trial {len(done) + 1} of {request.trials} of {label}: {said}")
            started = time.monotonic()
            score, reason = self.cells.score(settings, device, log)
            self.store.add(settings, score, time.monotonic() - started, reason)
            log(f"  failed: {reason}" if score is None else f"  {request.objective} {score:.4f}")
            done = self.store.finished()
            self._propose(done)
        return self._propose(done[: request.trials])

    def _propose(self, trials: Sequence[Trial]) -> TunedMethod:
        """Write what these trials propose."""
        cells = self.cells
        fixed = {key.removeprefix(f"{cells.base.label}."): value for key, value in cells.fixed.items()}
        found = TunedMethod(
            cells.base.label, cells.base.method, cells.task, cells.request.objective, cells.judged_by, tuple(trials),
            fixed, self.store.higher_is_better, self.store.folder,
        )  # fmt: skip
        if found.best is not None:
            write_proposal(found.preset, cells.facts, {found.label: found.section()})
        return found
