"""The plan of a run: which cells (method variant x task x seed) are asked for, and where each one's files go.

Nothing here imports torch or computes a result, so that a finished run is recognised in a fraction of a second.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmark.code_version import code_version
from benchmark.config import PRESETS, SIZES, build_config, load_presets, load_trials
from benchmark.data.about import TASKS
from benchmark.data.dataset import Dataset
from benchmark.data.protocols import check_histories, withheld_by, withholds_items
from benchmark.data.self_retrieval import VARIANTS
from benchmark.errors import ConfigError, UsageError, did_you_mean, quoted
from benchmark.files import digest
from benchmark.generative.presets import GENERATIVE, build_generative, without_generative
from benchmark.learning.unique_ids import COUNTER
from benchmark.metrics.lookup import plugins
from benchmark.registry import find, load, source_file
from benchmark.running import runner
from benchmark.running.catalogue import fitted_to_catalogue
from benchmark.running.cells import KINDS, Cell, Plan, Protocol, Variant
from benchmark.types.item_text import DEFAULT_TEXT_FIELDS, PAPER_TEXT_FIELDS
from benchmark.types.method import Indexer, Method, Retriever

LONGEST_LABEL = 120  # bytes; a folder of that name, with what a temporary name adds, fits every file system
CHOSEN_ELSEWHERE = (
    "its settings were chosen on the validation items of leave-one-out in the order of the file; some of these may be "
    "test items here."
)
CHOSEN_ON_ALL = "its settings were chosen with all items known, none withheld."
TEXT_FIELD_PRESETS = {"default": DEFAULT_TEXT_FIELDS, "paper": PAPER_TEXT_FIELDS}


def chosen_fields(value: str | Sequence[str]) -> tuple[str, ...]:
    """Return the fields of 'default', 'paper', a list or a text with commas."""
    if not isinstance(value, str):
        value = ",".join(value)
    if value in TEXT_FIELD_PRESETS:
        return TEXT_FIELD_PRESETS[value]
    fields = tuple(field.strip() for field in value.split(",") if field.strip())
    columns = ["category" if field == "categories" else field for field in fields]
    if repeated := next((field for place, field in enumerate(columns) if field in columns[:place]), ""):
        raise UsageError(f"--text-fields: '{repeated}' is there twice")
    if not fields:
        raise UsageError("--text-fields: name at least one field, or 'default' or 'paper'")
    return fields


def make_variants(names: Sequence[str], preset: str, settings: Mapping[str, Any], dataset: str = "") -> list[Variant]:
    """Return one variant per name; `LABEL=METHOD` gives a method a second row with settings of its own.

    The preset is the one for the data set of that name; without a name, what it says for all.
    """
    labels: dict[str, str] = {}
    for name in names:
        label, _, method = name.partition("=")
        _check_label(label)
        if label in labels:
            raise UsageError(f"--methods: '{label}' stands twice; give one a label of its own: NAME={method or label}")
        labels[label] = method or label
    for key in settings:
        owner = key.partition(".")[0]
        if owner != "generative" and owner not in labels:
            hint = did_you_mean(owner, [*labels, "generative"])
            raise UsageError(f"--set {key}: no method '{owner}' in this run.{hint}")
    variants = [_variant(label, method, preset, settings, dataset) for label, method in labels.items()]
    if not any(variant.generative for variant in variants):
        for key in settings:
            if key.startswith("generative."):
                raise UsageError(f"--set {key}: no method of this run has a generative part")
    return variants


def _check_label(label: str) -> None:
    """Raise UsageError for a label that cannot name a folder, a row of a table and the owner of settings."""
    reason = ""
    if not label.isprintable() or any(sign in label for sign in "./\\ "):
        reason = "no dots, slashes, spaces or control characters"
    elif not 0 < len(label.encode()) <= LONGEST_LABEL:
        reason = f"1 to {LONGEST_LABEL} bytes"
    elif label == GENERATIVE:
        reason = "settings of that name are those of the shared generative part"
    if reason:
        raise UsageError(f"--methods: {quoted(label)} is not a valid label ({reason})")


def _variant(label: str, method: str, preset: str, settings: Mapping[str, Any], dataset: str) -> Variant:
    entry = find("method", method)
    cls = load("method", method)
    base = next((kind for kind in KINDS if isinstance(cls, type) and issubclass(cls, kind)), None)
    if base is None:
        raise UsageError(f"the method '{method}' ({entry.value}) is not an Indexer, Retriever, Recommender or run")
    kind, tasks = KINDS[base]
    own = {key.partition(".")[2]: value for key, value in settings.items() if key.partition(".")[0] == label}
    for_generative = {key.partition(".")[2]: v for key, v in settings.items() if key.startswith("generative.")}
    for_generative |= {key.partition(".")[2]: v for key, v in own.items() if key.startswith("generative.")}
    if kind == "indexer":
        own = {key: value for key, value in own.items() if not key.startswith("generative.")}
    source = source_file(entry)
    presets = load_presets(source, method, dataset)
    if preset not in presets and preset in PRESETS and preset not in SIZES:
        raise UsageError(f"the method '{method}' has no preset '{preset}'; see: benchmark show {method}")
    chosen, generative = presets.get(preset), None
    if kind == "indexer":
        generative = build_generative(preset, chosen, for_generative, dataset)
        chosen = without_generative(chosen)
    config = build_config(cls.Config, preset=chosen, overrides=own, owner=label)
    if kind == "indexer" and getattr(config, "unique_by", COUNTER) != COUNTER and not cls.measures_distances():
        raise ConfigError(
            f"{label}.unique_by: {method} cannot say how far an item is from codes that it did not get (its class has "
            f"no method code_distances); only unique_by={COUNTER}"
        )
    changed = own or (kind == "indexer" and for_generative)
    trials = None if changed else load_trials(source, method).get(preset)
    return Variant(
        label, method, cls, kind, tasks, config, generative, code_version(cls), frozenset(own), trials=trials
    )  # fmt: skip


def check_preset(name: str) -> None:
    """Raise UsageError for a name that no preset has."""
    if name not in PRESETS:
        raise UsageError(f"unknown preset '{name}'.{did_you_mean(name, PRESETS)}")


def check_variants(plan: Plan) -> None:
    """Let each method that has cells to compute say whether it can work with the items. Raises its error."""
    able = [cell for cell in plan.cells if cell.variant.cls.check is not Method.check]  # the items are read for these
    missing = {cell.variant.label: cell.variant for cell in able if not cell.done()}
    for variant in missing.values():
        variant.cls(variant.config).check(plan.dataset.corpus(plan.protocol.text_fields))


def make_plan(
    dataset: Dataset,
    variants: Sequence[Variant],
    *,
    tasks: Sequence[str] | None,
    seeds: Sequence[int],
    protocol: Protocol,
    runs: Path,
    metrics: Sequence[str] = (),
) -> Plan:
    """Return the cells of every variant, task and seed, task by task; `metrics` are names of `asked_names`.

    Raises UsageError for a task that the data set cannot serve, ConfigError for a codebook larger than the data set.
    """
    check_preset(protocol.preset)
    for task in tasks or ():
        if task not in TASKS:
            raise UsageError(f"unknown task '{task}'.{did_you_mean(task, TASKS)}")
        if task not in dataset.tasks:
            raise UsageError(f"the data set '{dataset.name}' has no {task} (it has: {', '.join(dataset.tasks)})")
    if protocol.self_retrieval not in VARIANTS:
        hint = did_you_mean(protocol.self_retrieval, VARIANTS)
        raise UsageError(f"--self-retrieval: '{protocol.self_retrieval}' is neither excluded nor kept.{hint}")
    if protocol.query_set not in dataset.query_sets:
        raise UsageError(
            f"the data set '{dataset.name}' has no queries '{protocol.query_set}'."
            f"{did_you_mean(protocol.query_set, dataset.query_sets)}"
        )
    check_histories(dataset, protocol.split, protocol.ties)
    asked = tuple(tasks or dataset.default_tasks)
    if protocol.histories_alone:
        if tasks and tuple(tasks) != ("recommendation",):
            raise UsageError(
                "--split time and --ties change histories alone: only the task recommendation goes with them"
            )
        asked = ("recommendation",)
    of_plugins = {metric.name: code_version(import_module(entry.module)) for entry, metric in plugins()}
    for name in metrics:
        if name in of_plugins:
            raise UsageError(f"--metrics {name}: an installed plugin has a metric of this name, and it is shown anyway")
    further = {"further metrics": list(metrics)} if metrics else {}
    if protocol.of_histories:
        note = CHOSEN_ON_ALL if withholds_items(protocol.split) else CHOSEN_ELSEWHERE
        variants = [variant.with_note(note) if variant.trials else variant for variant in variants]
    cells, skipped = [], []
    suite = code_version(runner)  # with all it imports: everything but the methods
    withheld = withheld_by(protocol.split, dataset.n_items)
    apart = 0 if withheld is None else int(withheld.sum())
    for variant in (fitted_to_catalogue(variant, dataset.n_items, apart) for variant in variants):
        own, unable = _able(variant, asked, protocol)
        if variant.kind == "run" and len(own) > 1:
            raise UsageError(
                f"--run-file {variant.label}: say which task its rankings are of, --tasks {' or '.join(own)}"
            )
        skipped += unable
        for task in asked:
            if task not in variant.tasks and tasks:
                skipped.append(f"{variant.label} is a {variant.kind}: no {task}")
        key = digest(
            {
                "data": dataset.fingerprint,
                "preset": protocol.preset,
                "text_fields": protocol.text_fields,
                "query_set": protocol.query_set,
                "self_retrieval": protocol.self_retrieval,
                **protocol.of_histories,
                "depth": protocol.depth,
                "variant": variant.describe(),
                "suite": suite,
                "metrics": of_plugins,
                **further,
            }
        )
        for seed in seeds:
            folder = runs / dataset.name / variant.label / key / f"seed-{seed}"
            cells += [Cell(variant, task, seed, key, folder) for task in own]
    if not cells:
        raise UsageError(f"nothing to run: {'; '.join(skipped) or 'no method serves the tasks of this data set'}")
    if metrics and all(cell.task == "id-quality" for cell in cells):
        raise UsageError("--metrics: these score rankings, and no cell of this run has a ranking (only id-quality)")
    cells.sort(key=lambda cell: TASKS.index(cell.task))  # a task's cells end together: its tables can be shown
    return Plan(dataset, protocol, tuple(cells), tuple(skipped), suite, tuple(metrics))


def _able(variant: Variant, asked: Sequence[str], protocol: Protocol) -> tuple[list[str], list[str]]:
    """Return those of the tasks that a method serves, and why it cannot rank new items where it would have to."""
    own = [task for task in asked if task in variant.tasks]
    if not own or not withholds_items(protocol.split):
        return own, []
    cls, generative, reason = variant.cls, variant.generative, ""
    if issubclass(cls, Indexer) and not cls.assigns():
        reason = "cannot assign IDs to new items (its class has no method assign)"
    elif issubclass(cls, Retriever) and not cls.extends():
        reason = "cannot rank new items (its class has no method extend)"
    if reason:
        return [], [f"{variant.label} {reason}: no --split {protocol.split}"]
    if generative and generative.recommendation.reader == "items" and generative.items.vectors == "table":
        if "recommendation" in own:
            reason = f"{variant.label}: generative.items.vectors=table has no vector for new items: no recommendation"
        return [task for task in own if task != "recommendation"], [reason] if reason else []
    return own, []
