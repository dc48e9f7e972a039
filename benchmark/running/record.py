"""Writes what a cell leaves behind, so that anyone can recompute its numbers with public tools.

    result.json         metrics and all that decides them: the same bytes whenever the cell is computed again
    cost.json           seconds, peak memory, device, date and speed: measured, so different every time
    ids.tsv             item id TAB codes joined by '-' (before the dedup counter); ids.unique.tsv with it
    run.<task>.trec     the ranking that was scored (user = query id in recommendation)
    qrels.<task>.txt    the judgments that it was scored against; queries.search.tsv the queries
    scores.<task>.tsv   the metrics of each user or query
    log.jsonl           training curves

and once per data set, beside its methods' folders,

    items-<fingerprint>.jsonl       {"id", "title", "categories"} of every item, in row order
    histories-<fingerprint>.txt     user item item ...: the training part of the histories, oldest item first
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from benchmark.files import lock, write_json, write_lines, write_text
from benchmark.results.result_files import FORMAT, histories_file, items_file, newest, read_result
from benchmark.running.cells import Cell, Plan
from benchmark.running.requirements import distributions_of, installed_versions
from benchmark.running.store import Stage
from benchmark.types.codes import Codes
from benchmark.types.data import Corpus, Histories
from benchmark.types.item_text import fallback_fields, items_with
from benchmark.types.rankings import Rankings

TITLE = 200  # characters of a title that reports get to see


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
    ) -> Scored:
        """Write the TREC run, its judgments and the per-query scores; score the run from the written file.

        A ranking by semantic IDs (`codes`, before the dedup counter) also gets the collision-aware metrics.
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
        scores = score_run(run, judgments, measures, groups)
        scores = add_query_scores(cell.task, scores, lambda: read_run(run), judgments)
        write_scores(cell.folder / f"scores.{cell.task}.tsv", scores)
        return cls(scores.means, {"users" if cell.task == "recommendation" else "queries": len(scores.query_ids)})


def write_result(
    cell: Cell,
    plan: Plan,
    scored: Scored,
    stages: Mapping[str, Stage],
    codes: Codes | None,
    corpus: Corpus,
    histories: Histories | None = None,
    facts_of_protocol: Mapping[str, Any] | None = None,
) -> None:
    """Add the cell's task to its files; the metrics go in last, so that a result is there only when it is whole.

    Each task keeps the versions and the git revision that it was computed with. What a method says of itself under the
    fact `notes` (sentences) stands below every table that shows the result.
    """
    folder = cell.folder
    folder.mkdir(parents=True, exist_ok=True)
    if codes is not None:
        _write_ids(folder / "ids.tsv", corpus.ids, codes)
        _write_ids(folder / "ids.unique.tsv", corpus.ids, codes.with_counter())
    listing = items_file(folder, plan.dataset.fingerprint)
    if not listing.is_file():
        _write_items(listing, corpus)
    training = histories_file(folder, plan.dataset.fingerprint)
    if histories is not None and not training.is_file():
        _write_histories(training, corpus.ids, histories)
    with lock(folder / ".lock"):  # two processes may finish two tasks of one method at the same time
        _write_cost(folder / "cost.json", cell, stages)
        _write_log(folder / "log.jsonl", cell, stages)
        path = folder / "result.json"
        result = _read(path) or _header(cell, plan, corpus, facts_of_protocol or {})
        said = [note for stage in stages.values() for note in stage.cost()["facts"].get("notes", ())]
        result["notes"] = list(dict.fromkeys([*result["notes"], *said]))
        result["metrics"][cell.task] = scored.metrics
        result["counts"][cell.task] = scored.counts
        result["versions"][cell.task] = installed_versions(distributions_of(cell.variant.method))
        result["revisions"][cell.task] = revision()
        write_json(path, result)


def _header(cell: Cell, plan: Plan, corpus: Corpus, facts_of_protocol: Mapping[str, Any]) -> dict[str, Any]:
    variant, protocol, dataset = cell.variant, plan.protocol, plan.dataset
    return {
        "format": FORMAT,
        "dataset": {
            "name": dataset.name,
            "title": dataset.title,
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
        "text_fields": list(protocol.text_fields),
        "queries": protocol.query_set,
        "seed": cell.seed,
        "key": cell.key,
        "config": {
            "method": variant.config.model_dump(mode="json"),
            "generative": variant.generative.model_dump(mode="json") if variant.generative else None,
            "protocol": {
                "depth": protocol.depth,
                "training_queries": dataset.training_queries(protocol.query_set),
                **facts_of_protocol,
            },
        },
        "metrics": {},
        "counts": {},
        "notes": [*dataset.warnings, *variant.notes],
        "versions": {},
        "revisions": {},
    }


def _read(path: Path) -> dict[str, Any] | None:
    """Return a JSON file's content; None where there is none or it is damaged."""
    try:
        content: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return content


def _write_ids(path: Path, ids: Sequence[str], codes: Codes) -> None:
    rows = ("-".join(str(code) for code in row if code >= 0) for row in codes.values.tolist())
    write_lines(path, (f"{item}\t{row}\n" for item, row in zip(ids, rows, strict=True)))


def _write_items(path: Path, corpus: Corpus) -> None:
    """Write what a report shows of an item: its title (or else its first text field, cut) and its category path."""
    titles = (" ".join(title.split())[:TITLE] for title in _titles(corpus))
    rows = zip(corpus.ids, titles, corpus.paths, strict=True)
    lines = (json.dumps({"id": i, "title": t, "categories": list(p)}, ensure_ascii=False) for i, t, p in rows)
    write_lines(path, (f"{line}\n" for line in lines))


def _titles(corpus: Corpus) -> list[str]:
    titles = corpus.field("title")
    for name in fallback_fields(corpus.table, ("title",)):
        if all(titles):
            break
        titles = [title or other for title, other in zip(titles, corpus.field(name), strict=True)]
    return titles


def _write_histories(path: Path, ids: Sequence[str], histories: Histories) -> None:
    rows = (
        " ".join((user, *(ids[item] for item in histories[row].tolist()))) for row, user in enumerate(histories.users)
    )
    write_lines(path, (f"{row}\n" for row in rows))


def _write_cost(path: Path, cell: Cell, stages: Mapping[str, Stage]) -> None:
    cost: dict[str, Any] = _read(path) or {"stages": {}, "facts": {}}
    for name, stage in stages.items():
        content = stage.cost()
        cost["facts"].setdefault(name.partition(".")[2] or name, {}).update(content.pop("facts"))
        cost["stages"][name] = content
        cost |= {"device": content["device"], "date": content["date"]}
    if cell.variant.trials is not None:
        cost["trials"] = cell.variant.trials
    cost.setdefault("written", {})[cell.task] = _now()
    write_json(path, cost)


def keep_current(cells: Iterable[Cell]) -> None:
    """Let the results that a run has asked for be the newest of their rows, also where it found them done.

    After a return to an older version of the code its results are older than those of the version that was left.
    """
    for cell in cells:
        of_seed = sorted(cell.folder.parent.parent.glob(f"*/seed-{cell.seed}/result.json"))
        if len(of_seed) < 2 or not cell.done():
            continue
        found = [read_result(path) for path in of_seed]
        shown = next((r for r in newest(found) if r.folder == cell.folder), None)
        if shown is None or cell.task not in shown.metrics:
            with lock(cell.folder / ".lock"):
                cost = _read(cell.folder / "cost.json") or {"stages": {}, "facts": {}}
                cost.setdefault("written", {})[cell.task] = _now()
                write_json(cell.folder / "cost.json", cost)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _write_log(path: Path, cell: Cell, stages: Mapping[str, Stage]) -> None:
    """Put the training curves of this cell's stages into one log, replacing those of the same stages."""
    kept: dict[str, list[str]] = {}
    if path.is_file():
        for line in path.read_text("utf-8").splitlines():
            kept.setdefault(json.loads(line)["in"], []).append(line)
    for name, stage in stages.items():
        texts = [log.read_text("utf-8") for log in sorted(stage.final.glob("*.log.jsonl"))]
        kept[name] = [json.dumps({"in": name, **json.loads(line)}) for text in texts for line in text.splitlines()]
    text = "".join(f"{line}\n" for name in sorted(kept) for line in kept[name])
    if text:
        write_text(path, text)


@cache
def revision() -> str | None:
    """Return the git revision of the suite's checkout, or None outside one."""
    here = Path(__file__).resolve().parents[2]
    if not (here / "pyproject.toml").is_file():
        return None
    try:
        command = ["git", "-C", str(here), "rev-parse", "HEAD"]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=5).stdout.strip() or None
    except (OSError, subprocess.SubprocessError):
        return None
