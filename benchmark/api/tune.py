"""Choosing the settings of methods on validation items and development judgments: what `benchmark tune` does.

Each trial is an ordinary cell of a copy of the data set without its test part, so that its stages are cached as those
of a run are, and the test part can decide nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from benchmark.api.run import Log, to_stderr
from benchmark.api.run_request import words_of
from benchmark.api.runs_folder import names_runs, require_writable
from benchmark.api.tune_request import OBJECTIVE, TRIALS, TuneRequest
from benchmark.api.tune_search import MethodSearch, TrialCells, all_settings
from benchmark.api.tuning_results import Tuning
from benchmark.config import load_search_space
from benchmark.data.dataset import Dataset
from benchmark.errors import UsageError, did_you_mean
from benchmark.files import digest
from benchmark.learning.devices import choose_device
from benchmark.locks import lock
from benchmark.metrics.metric import RANKED
from benchmark.registry import find, source_file
from benchmark.results.result_files import RUNS
from benchmark.running.catalogue import fitted_to_catalogue
from benchmark.running.cells import Protocol, Variant
from benchmark.running.plan import TEXT_FIELD_PRESETS, chosen_fields, make_variants
from benchmark.tuning.proposal import write_proposal
from benchmark.tuning.space import Scalar, Space, at_most, checked, parse_space, read_spaces
from benchmark.tuning.trials import TrialStore


def tune(
    methods: Sequence[str] | str,
    dataset: str | PathLike[str] = "demo",
    *,
    trials: int = TRIALS,
    task: str | None = None,
    objective: str = OBJECTIVE,
    preset: str | None = None,
    settings: Mapping[str, Any] | None = None,
    space: str | PathLike[str] | Mapping[str, Mapping[str, Any]] | None = None,
    seed: int = 0,
    text_fields: str | Sequence[str] = "default",
    runs: str | PathLike[str] = RUNS,
    data_root: str | PathLike[str] | None = None,
    device: str = "auto",
    check: bool = True,
    out: str | PathLike[str] | None = None,
    quiet: bool = False,
) -> Tuning:
    """Choose settings of methods by the same number of trials each, and return what was tried and chosen.

        tuning = benchmark.tune(["sasrec", "item-knn"], "demo", trials=20)
        tuning.to_frame()                                           # one row per trial
        benchmark.run(["sasrec"], "demo", preset=tuning.preset)     # the settings that were chosen

    Scores are those of validation items (recommendation) or development judgments (search); the test part is not read.
    `space` is a file or label -> {"key": [choices] or {"low": .., "high": .., "log": True}}, in place of the methods'
    own; `settings` are fixed in every trial. The same call continues an interrupted search. Raises UsageError, a
    ValueError, for what does not exist or cannot be.
    """
    request = TuneRequest(
        str(dataset), methods=words_of(methods), trials=trials, task=task, objective=objective, preset=preset,
        settings=dict(settings or {}), space=space if space is None or isinstance(space, Mapping) else Path(space),
        seed=seed, text_fields=text_fields, runs=Path(runs), data_root=None if data_root is None else Path(data_root),
        device=device, check=check, out=None if out is None else Path(out),
    )  # fmt: skip
    return execute(request, log=(lambda message: None) if quiet else to_stderr)


def execute(request: TuneRequest, *, log: Log) -> Tuning:
    """Carry out a request: all searches are checked before the first trial; `log` is told of each trial."""
    request.require_sound()
    plain = make_variants(request.methods, request.preset_name, {})  # a wrong name is found before the data are
    read_space = _given_spaces(request, [variant.label for variant in plain])
    require_writable(request.runs)
    whole = request.open()
    dataset = request.without_test(whole)
    fields = chosen_fields(request.text_fields)
    if fields not in TEXT_FIELD_PRESETS.values():
        dataset.check_fields(fields)
    protocol = Protocol(fields, dataset.default_queries, request.preset_name)
    variants = make_variants(request.methods, request.preset_name, request.settings, dataset.original)
    searches = [_search(request, variant, whole, dataset, protocol, read_space) for variant in variants]
    device = choose_device(request.device)
    tuned = []
    for search in searches:
        with names_runs(request.runs), lock(search.store.folder / ".lock", signed=True):
            tuned.append(search.run(device, log))
    chosen = [found for found in tuned if found.best is not None]
    facts = searches[0].cells.facts
    preset = None
    if chosen:
        name = f"preset-{digest([search.store.folder.name for search in searches])[:8]}.toml"
        preset = request.out or request.folder(whole.name) / name
        write_proposal(preset, facts, {found.label: found.section() for found in chosen})
    return Tuning(tuple(tuned), whole.name, str(request.dataset), request.preset_name, request.objective, preset)


def _given_spaces(request: TuneRequest, labels: Sequence[str]) -> Mapping[str, Space]:
    """Return label -> the space that the user gave in place of the method's own."""
    if request.space is None:
        return {}
    if isinstance(request.space, Path):
        return read_spaces(request.space, labels)
    for label in request.space:
        if label not in labels:
            raise UsageError(f"space: no method '{label}' is tuned here.{did_you_mean(label, labels)}")
    return {label: parse_space(section, f"space of {label}") for label, section in request.space.items()}


def _search(
    request: TuneRequest, variant: Variant, whole: Dataset, dataset: Dataset, protocol: Protocol,
    given: Mapping[str, Space],
) -> MethodSearch:  # fmt: skip
    """Return the search of one method. Raises UsageError where there is nothing to tune, or a setting is wrong."""
    label, task = variant.label, request.chosen_task(variant, dataset.tasks if request.task else dataset.default_tasks)
    higher_is_better = request.higher_is_better(task)
    owners = (label, "generative") if variant.generative is not None else (label,)
    fixed = {key: value for key, value in request.settings.items() if key.partition(".")[0] in owners}

    def settings_with(key: str, value: Scalar) -> Mapping[str, Any]:
        names = [f"{label}={variant.method}"]
        (changed,) = make_variants(names, request.preset_name, {**fixed, f"{label}.{key}": value}, dataset.original)
        return all_settings(changed)

    source = source_file(find("method", variant.method))
    where = f"the search space of '{label}'"
    space = given.get(label) or parse_space(load_search_space(source, variant.method), where)
    if not space:
        keys = ", ".join(sorted(key for key in all_settings(variant) if not key.startswith("generative.")))
        raise UsageError(
            f"tune: '{label}' has no search space, so there is nothing to choose; leave it out, or give one with "
            f"--space FILE, in a section [{label}] (its settings: {keys or 'none'})"
        )
    set_apart = {key.partition(".")[2] if key.partition(".")[0] == label else key for key in fixed}
    others = tuple(f"generative.{other}." for other in RANKED if other != task)
    space = checked(space, settings_with, where)
    space = {key: tried for key, tried in space.items() if key not in set_apart and not key.startswith(others)}
    space = at_most(space, getattr(variant.cls, "at_most_items", ()), dataset.n_items)
    if not space:
        raise UsageError(f"tune: nothing is left to choose for '{label}': --set fixes all of its search space")
    base = fitted_to_catalogue(variant, dataset.n_items)
    cells = TrialCells(request, base, task, dataset, whole.name, protocol, fixed)
    decides = [cells.plan(base).cells[0].key, task, request.objective, request.seed]
    key = digest([*decides, {name: [type(tried).__name__, repr(tried)] for name, tried in space.items()}])
    folder = request.folder(whole.name) / label / key
    return MethodSearch(cells, TrialStore(folder, space, all_settings(base), higher_is_better, request.seed))
