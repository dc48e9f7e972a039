"""What `tune` is asked for, typed: the one place of the defaults that the command line and Python share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmark.api.runs_folder import names_runs
from benchmark.data.dataset import WITHOUT_TEST, Dataset, open_dataset
from benchmark.errors import UsageError, did_you_mean, quoted
from benchmark.files import digest, whole
from benchmark.learning.devices import check_device_name
from benchmark.learning.processes import processes
from benchmark.metrics.lookup import find_metric, plugins
from benchmark.metrics.metric import RANKED, QueryMetric
from benchmark.results.result_files import RUNS
from benchmark.running.cells import Variant
from benchmark.seeds import SEEDS
from benchmark.tuning.proposal import SUFFIX, is_proposal

TRIALS = 20
OBJECTIVE = "nDCG@10"  # of either task
FOLDER = ".tune"  # below the folder of runs
MOST = 100_000  # trials


@dataclass(frozen=True)
class TuneRequest:
    """One data set, the methods whose settings are chosen there, and the number of trials of each.

    `methods` are names or LABEL=METHOD; `settings` dotted key -> value, fixed in every trial; `space` a file, or
    label -> section, in place of the methods' own spaces; `task` and `objective` what the trials are compared by (None:
    recommendation where a method serves it, else search; nDCG@10).
    """

    dataset: str
    methods: Sequence[str]
    trials: int = TRIALS
    task: str | None = None
    objective: str = OBJECTIVE
    preset: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    space: Path | Mapping[str, Mapping[str, Any]] | None = None
    seed: int = 0
    text_fields: str | Sequence[str] = "default"
    runs: Path = RUNS
    data_root: Path | None = None
    device: str = "auto"
    check: bool = True
    out: Path | None = None  # the proposal; None: below the folder of runs

    @property
    def preset_name(self) -> str:
        """The preset that the settings go over: `tiny` for the embedded data set, else `small`."""
        return self.preset or ("tiny" if self.dataset.partition(":")[0] == "demo" else "small")

    def require_sound(self) -> None:
        """Raise UsageError for what no data set could make right."""
        if processes() > 1:
            raise UsageError("tune: it runs in one process, without a launcher")
        if not self.methods:
            raise UsageError("tune: name methods with --methods")
        if not 1 <= self.trials <= MOST:
            raise UsageError(f"--trials {self.trials}: a whole number from 1 to {MOST:,} is needed")
        if self.seed not in SEEDS:
            raise UsageError(f"--seed {quoted(self.seed)}: a whole number from 0 to {SEEDS[-1]:,} is needed")
        if is_proposal(self.preset):
            raise UsageError(f"--preset {self.preset}: tune starts from a preset's name, not from a file")
        if self.out is not None and not is_proposal(self.out.name):
            raise UsageError(f"--out {self.out}: the name of a preset file ends in {SUFFIX}")
        if self.task == "id-quality":
            raise UsageError(
                "--task id-quality: no validation part: all items are seen when IDs are learned, and the categories "
                "they are compared with are what tables report; choose recommendation or search"
            )
        if self.task is not None and self.task not in RANKED:
            raise UsageError(f"--task: unknown task '{self.task}'.{did_you_mean(self.task, RANKED)}")
        check_device_name(self.device)

    def chosen_task(self, variant: Variant, tasks: Sequence[str]) -> str:
        """Return the task whose scores the trials of a method are compared by; `tasks` are those of the data set."""
        served = [task for task in RANKED if task in variant.tasks and task in tasks]
        if self.task in served:
            return self.task
        if self.task is None and served:
            return served[0]
        if self.task is not None and self.task not in variant.tasks:
            raise UsageError(f"--task {self.task}: {variant.label} is a {variant.kind}, which has no {self.task}")
        lacking = self.task or " or ".join(task for task in RANKED if task in variant.tasks)
        raise UsageError(f"tune: the data set has no {lacking}, so '{variant.label}' cannot be tuned on it")

    def higher_is_better(self, task: str) -> bool:
        """Return the direction of the objective. Raises UsageError for what is not a metric of the task."""
        from benchmark.metrics.ranking import RECOMMENDATION, SEARCH

        own = RECOMMENDATION if task == "recommendation" else SEARCH
        others = [metric.name for _, metric in plugins() if isinstance(metric, QueryMetric) and task in metric.tasks]
        known = [*own, *others]
        metric = find_metric(self.objective, task) if self.objective in known else None
        if metric is None or metric.higher_is_better is None:
            raise UsageError(
                f"--objective {quoted(self.objective)}: not a metric of {task}.{did_you_mean(self.objective, known)}"
            )
        return metric.higher_is_better

    def open(self) -> Dataset:
        """Open the data set. Raises UsageError where its cache, below the folder of runs, cannot be written."""
        with names_runs(self.runs):
            return self._opened(self.dataset, self.data_root)

    def without_test(self, dataset: Dataset) -> Dataset:
        """Return the data set's copy without its test part, made where it is missing: nothing else is scored."""
        from benchmark.code_version import code_version
        from benchmark.data.without_test import write_without_test

        if dataset.about.get(WITHOUT_TEST):
            return dataset
        key = digest([dataset.fingerprint, code_version(write_without_test)])
        with names_runs(self.runs):
            folder = self.folder(dataset.name) / f"data-{key}"
            if not folder.is_dir():
                with whole(folder) as part:
                    write_without_test(dataset, part)
            return self._opened(f"{folder}", None)

    def folder(self, dataset: str) -> Path:
        """Return where the trials of a data set of this name are kept."""
        return self.runs / FOLDER / dataset

    def _opened(self, name: str, root: Path | None) -> Dataset:
        return open_dataset(name, cache=self.runs / ".cache", data_root=root, check=self.check)
