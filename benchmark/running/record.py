"""Writes what a cell leaves behind, so that anyone can recompute its numbers with public tools.

    result.json         metrics and all that decides them: the same bytes whenever the cell is computed again
    cost.json           seconds, peak memory, device, date and speed: measured, so different every time
    ids.tsv             item id TAB codes joined by '-' (before the dedup counter); ids.unique.tsv with it
    run.<task>.trec     the ranking that was scored (user = query id in recommendation)
    qrels.<task>.txt    the judgments that it was scored against; queries.search.tsv the queries
    scores.<task>.tsv   the metrics of each user or query
    log.jsonl           training curves

and once per data set, beside its methods' folders, what `benchmark.running.data_files` writes.

result.json comes last and names the digest of every file (`benchmark.results.digests`): a kill before it leaves a task
that is not done, and the next run writes the task's files again.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmark.files import file_digest, write_lines
from benchmark.generative.presets import preset_settings
from benchmark.locks import lock
from benchmark.results.curves import LOG
from benchmark.results.digests import FILES, write_with_digest
from benchmark.results.left_out import LIST, left_out
from benchmark.results.result_files import FORMAT, histories_file, inputs_file, items_file, withheld_file
from benchmark.results.settings import flat_settings
from benchmark.running.cells import Cell, Plan, Variant
from benchmark.running.costs import write_cost
from benchmark.running.curves import write_curves
from benchmark.running.data_files import write_histories, write_ids, write_items
from benchmark.running.requirements import distributions_of, installed_versions
from benchmark.running.store import Stage
from benchmark.sealing import note_damage
from benchmark.types.codes import Codes
from benchmark.types.data import Corpus, Histories
from benchmark.types.item_text import items_with
from benchmark.types.rankings import Rankings

OF_TASK = ("run.{}.trec", "qrels.{}.txt", "queries.{}.tsv", "scores.{}.tsv")
OF_IDS = ("ids.tsv", "ids.unique.tsv")
CODE = ("benchmark", "methods", "datasets", "reports/*.py")  # of the checkout: what computes a result


@dataclass(frozen=True)
class Scored:
    """The numbers of one cell; ranking files are already in the cell's folder."""

    metrics: dict[str, float]
    counts: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of_codes(cls, codes: Codes, corpus: Corpus, histories: Histories | None = None) -> Scored:
        """Score semantic IDs (before the dedup counter), against training histories where there are any."""
        from benchmark.metrics.id_quality import id_quality
        from benchmark.metrics.plugin_scores import score_ids

        sizes = {f"codebook@{position}": size for position, size in enumerate(codes.sizes, 1)}
        metrics = {**id_quality(codes, corpus.paths, histories), **score_ids(codes, corpus, histories)}
        return cls(metrics, {"items": len(corpus), **sizes})

    @classmethod
    def of_rankings(
        cls,
        cell: Cell,
        corpus: Corpus,
        query_ids: Sequence[str],
        rankings: Rankings,
        judgments: Sequence[tuple[str, str, int]],
        codes: Codes | None = None,
        further: Sequence[str] = (),
    ) -> Scored:
        """Write the TREC run, its judgments and the per-query scores; score the run from the written file.

        A ranking by semantic IDs (`codes`, before the dedup counter) also gets the collision-aware metrics. `further`
        are names of other ir-measures.
        """
        from benchmark.metrics.collisions import IdGroups, readings
        from benchmark.metrics.id_quality import prefix_groups
        from benchmark.metrics.plugin_scores import add_query_scores
        from benchmark.metrics.ranking import RECOMMENDATION, SEARCH, score_run, write_scores
        from benchmark.types.trec import read_run, write_qrels, write_run

        run = cell.folder / f"run.{cell.task}.trec"
        run.parent.mkdir(parents=True, exist_ok=True)
        write_run(run, query_ids, corpus.ids, rankings, cell.variant.label)
        write_qrels(cell.folder / f"qrels.{cell.task}.txt", judgments)
        measures, groups = RECOMMENDATION if cell.task == "recommendation" else SEARCH, None
        if codes is not None:
            measures = (*measures, *readings(measures))
            groups = IdGroups.of(corpus.ids, prefix_groups(codes.values)[-1].tolist())
        measures = tuple(dict.fromkeys((*measures, *further)))
        scores = score_run(run, judgments, measures, groups)
        scores = add_query_scores(cell.task, scores, lambda: read_run(run), judgments)
        write_scores(cell.folder / f"scores.{cell.task}.tsv", scores)
        return cls(scores.means, {"users" if cell.task == "recommendation" else "queries": len(scores.query_ids)})


@contextmanager
def or_nothing(cell: Cell) -> Iterator[None]:
    """Remove what a failed attempt at scoring has written of a task that the cell's result does not have."""
    try:
        yield
    except BaseException:
        if cell.task not in (cell.result() or {"metrics": {}})["metrics"]:
            for name in OF_TASK:
                (cell.folder / name.format(cell.task)).unlink(missing_ok=True)
        raise


def write_result(
    cell: Cell,
    plan: Plan,
    scored: Scored,
    stages: Mapping[str, Stage],
    codes: Codes | None,
    corpus: Corpus,
    histories: Histories | None = None,
    inputs: Histories | None = None,
    facts_of_protocol: Mapping[str, Any] | None = None,
    withheld: NDArray[np.bool_] | None = None,
) -> None:
    """Add the cell's task to its files; result.json goes last, so that a result is there only when it is whole.

    Each task keeps the versions and the git revision that it was computed with. What a method says of itself under the
    fact `notes` (sentences) stands below every table that shows the result. Digests of files that other tasks wrote
    stay as they are: a change of them is still found. A result.json or log.jsonl that was changed counts as absent, and
    so does one of other IDs: the same seed gives the same bytes on one kind of machine, not on all.
    `withheld` [n_items] are the items that nothing was learned from.
    """
    folder, path = cell.folder, cell.folder / "result.json"
    folder.mkdir(parents=True, exist_ok=True)
    if codes is not None:
        for name, of_items in zip(OF_IDS, (codes, codes.with_counter(withheld)), strict=True):
            _write_ids(folder / name, corpus.ids, of_items)
    digests = _write_shared(cell, plan, corpus, histories, inputs, withheld)
    with lock(folder / ".lock"):  # two processes may finish two tasks of one method at the same time
        result = cell.result()
        if result and codes is not None and _of_other_ids(result, folder):
            note_damage(path, "its other tasks are of IDs that came out differently, on another machine perhaps")
            result = None
        result = result or _header(cell, plan, corpus, facts_of_protocol or {})
        write_cost(folder / "cost.json", cell, stages)
        write_curves(folder / LOG, stages, result)
        said = [note for stage in stages.values() for note in stage.cost()["facts"].get("notes", ())]
        known = [*plan.dataset.warnings, *cell.variant.notes]
        said = sorted({*result["notes"], *said} - {*known})  # tasks may end in any order
        result["notes"] = [*dict.fromkeys(known), *said]
        result["metrics"][cell.task] = scored.metrics
        result["counts"][cell.task] = scored.counts
        result["versions"][cell.task] = installed_versions(distributions_of(cell.variant.method))
        result["revisions"][cell.task] = revision()
        result["stages"] = {**result.get("stages", {}), **{name: stage.key for name, stage in stages.items()}}
        own = (*(name.format(cell.task) for name in OF_TASK), *(OF_IDS if codes is not None else ()), LOG)
        digests |= {name: file_digest(folder / name) for name in own if (folder / name).is_file()}
        others = {name: digest for name, digest in result.get(FILES, {}).items() if name != LOG}
        result[FILES] = {**others, **digests}
        write_with_digest(path, result)
        if missing := left_out(folder):  # what an archive had left out and is there again
            write_lines(folder / LIST, (f"{name}\n" for name in sorted(missing) if name not in {*map(_name, digests)}))


def _of_other_ids(result: Mapping[str, Any], folder: Path) -> bool:
    """Whether a result's tasks were computed with other IDs than those that now lie beside it."""
    before = result.get(FILES, {}).get(OF_IDS[0])
    return before is not None and before != file_digest(folder / OF_IDS[0])


def _write_shared(
    cell: Cell, plan: Plan, corpus: Corpus, histories: Histories | None, inputs: Histories | None,
    withheld: NDArray[np.bool_] | None,
) -> dict[str, str]:  # fmt: skip
    """Write what the results of the data set share; return file name, from the result's folder -> digest."""
    listing = items_file(cell.folder, plan.dataset.fingerprint)
    digests = {listing: write_items(listing, corpus)}
    if histories is not None:
        training = histories_file(cell.folder, plan.dataset.fingerprint, plan.protocol.of_histories)
        digests[training] = write_histories(training, corpus.ids, histories)
    if inputs is not None:
        last = inputs_file(cell.folder, plan.dataset.fingerprint, plan.protocol.of_histories)
        digests[last] = write_histories(last, corpus.ids, inputs.latest(1))
    if withheld is not None:
        apart = withheld_file(cell.folder, plan.dataset.fingerprint, plan.protocol.of_histories)
        digests[apart] = write_ids(apart, [corpus.ids[row] for row in np.flatnonzero(withheld)])
    return {f"../../../{path.name}": digest for path, digest in digests.items()}


def _header(cell: Cell, plan: Plan, corpus: Corpus, facts_of_protocol: Mapping[str, Any]) -> dict[str, Any]:
    variant, protocol, dataset = cell.variant, plan.protocol, plan.dataset
    config = {
        "method": variant.config.model_dump(mode="json"),
        "generative": variant.generative.model_dump(mode="json") if variant.generative else None,
        "protocol": {
            "depth": protocol.depth,
            "training_queries": dataset.training_queries(protocol.query_set),
            **facts_of_protocol,
        },
    }
    return {
        "format": FORMAT,
        "dataset": {
            "name": dataset.name,
            "title": dataset.title,
            "source": dataset.source,
            "licence": dataset.licence,
            "fingerprint": dataset.fingerprint,
            "parts": dataset.parts,
            "counts": dataset.counts(),
            "items_with": items_with(corpus.table, protocol.text_fields),
        },
        "method": variant.method,
        "label": variant.label,
        "kind": variant.kind,
        "control": variant.cls.control,
        "preset": protocol.preset,
        "changed": _changed(variant, config, preset_settings(variant.method, protocol.preset, dataset.original)),
        "code": plan.code,
        "text_fields": list(protocol.text_fields),
        "queries": protocol.query_set,
        "seed": cell.seed,
        "key": cell.key,
        **({"further_metrics": list(plan.metrics)} if plan.metrics else {}),
        "config": config,
        "metrics": {},
        "counts": {},
        "notes": [*dataset.warnings, *variant.notes],
        "versions": {},
        "revisions": {},
        "stages": {},
        FILES: {},
    }


def _changed(variant: Variant, config: Mapping[str, Any], preset: Mapping[str, Any]) -> dict[str, Any]:
    """Return by dotted key what `--set` changed in the preset: of the method's own settings and the generative part.

    A smaller codebook that the catalogue asked for is not among them: the notes have it.
    """
    given = ("generative", *variant.chosen)
    return {
        key: value
        for key, value in flat_settings(config).items()
        if any(f"{key}.".startswith(f"{chosen}.") for chosen in given) and (key not in preset or preset[key] != value)
    }


def _write_ids(path: Path, ids: Sequence[str], codes: Codes) -> None:
    rows = ("-".join(str(code) for code in row if code >= 0) for row in codes.values.tolist())
    write_lines(path, (f"{item}\t{row}\n" for item, row in zip(ids, rows, strict=True)))


def _name(file: str) -> str:
    return Path(file).name


@cache
def revision() -> str | None:
    """Return the git revision of the suite's checkout, or None outside one; `-dirty` says that its code was changed."""
    here = Path(__file__).resolve().parents[2]
    if not (here / "pyproject.toml").is_file():
        return None
    try:
        found = _git(here, "rev-parse", "HEAD")
        return found + "-dirty" * bool(found and _git(here, "status", "--porcelain", "--", *CODE)) or None
    except (OSError, subprocess.SubprocessError):
        return None


def _git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *words], capture_output=True, text=True, check=True, timeout=5)
    return done.stdout.strip()
