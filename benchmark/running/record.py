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

import fcntl
import json
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import benchmark
from benchmark.files import write_json, write_text
from benchmark.results.result_files import FORMAT, histories_file, items_file
from benchmark.running.plan import Cell, Plan
from benchmark.running.store import Stage
from benchmark.types.codes import Codes
from benchmark.types.data import Corpus, Histories
from benchmark.types.rankings import Rankings
from benchmark.types.text import fallback_fields, items_with

PACKAGES = (
    "torch", "transformers", "sentence-transformers", "faiss-cpu", "scikit-learn", "numpy", "bm25s", "ir-measures",
)  # fmt: skip
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

        sizes = {f"codebook@{position}": size for position, size in enumerate(codes.sizes, 1)}
        return cls(id_quality(codes, corpus.paths, histories), {"items": len(corpus), **sizes})

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
        from benchmark.metrics.ranking import RECOMMENDATION, SEARCH, score_run, write_scores
        from benchmark.types.trec import write_qrels, write_run

        run = cell.folder / f"run.{cell.task}.trec"
        run.parent.mkdir(parents=True, exist_ok=True)
        write_run(run, query_ids, corpus.ids, rankings, cell.variant.label)
        write_qrels(cell.folder / f"qrels.{cell.task}.txt", judgments)
        measures, groups = RECOMMENDATION if cell.task == "recommendation" else SEARCH, None
        if codes is not None:
            measures = (*measures, *readings(measures))
            groups = IdGroups.of(corpus.ids, prefix_groups(codes.values)[-1].tolist())
        scores = score_run(run, judgments, measures, groups)
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
) -> None:
    """Add the cell's task to its files; the metrics go in last, so that a result is there only when it is whole.

    What a method says of itself under the fact `notes` (sentences) stands below every table that shows the result.
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
    with _locked(folder):
        _write_cost(folder / "cost.json", cell, stages)
        _write_log(folder / "log.jsonl", cell, stages)
        path = folder / "result.json"
        result = _read(path) or _header(cell, plan, corpus)
        said = [note for stage in stages.values() for note in stage.cost()["facts"].get("notes", ())]
        result["notes"] = list(dict.fromkeys([*result["notes"], *said]))
        result["metrics"][cell.task] = scored.metrics
        result["counts"][cell.task] = scored.counts
        write_json(path, result)


def _header(cell: Cell, plan: Plan, corpus: Corpus) -> dict[str, Any]:
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
            },
        },
        "metrics": {},
        "counts": {},
        "notes": list(dataset.warnings),
        "versions": _versions(),
        "revision": revision(),
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
    write_text(path, "".join(f"{item}\t{row}\n" for item, row in zip(ids, rows, strict=True)))


def _write_items(path: Path, corpus: Corpus) -> None:
    """Write what a report shows of an item: its title (or else its first text field, cut) and its category path."""
    titles = (" ".join(title.split())[:TITLE] for title in _titles(corpus))
    rows = zip(corpus.ids, titles, corpus.paths, strict=True)
    lines = (json.dumps({"id": i, "title": t, "categories": list(p)}, ensure_ascii=False) for i, t, p in rows)
    write_text(path, "".join(f"{line}\n" for line in lines))


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
    write_text(path, "".join(f"{row}\n" for row in rows))


def _write_cost(path: Path, cell: Cell, stages: Mapping[str, Stage]) -> None:
    cost: dict[str, Any] = _read(path) or {"stages": {}, "facts": {}}
    for name, stage in stages.items():
        content = stage.cost()
        cost["facts"].setdefault(name.partition(".")[2] or name, {}).update(content.pop("facts"))
        cost["stages"][name] = content
        cost |= {"device": content["device"], "date": content["date"]}
    if cell.variant.trials is not None:
        cost["trials"] = cell.variant.trials
    write_json(path, cost)


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


def _versions() -> dict[str, str]:
    found = {"lmindexer-benchmark": benchmark.__version__}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


@cache
def revision() -> str | None:
    """Return the git revision of the suite's checkout, or None outside one."""
    here = Path(benchmark.__file__).resolve().parent.parent
    if not (here / "pyproject.toml").is_file():
        return None
    try:
        command = ["git", "-C", str(here), "rev-parse", "HEAD"]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=5).stdout.strip() or None
    except (OSError, subprocess.SubprocessError):
        return None


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the folder's lock: two processes may finish two tasks of one method at the same time."""
    handle = os.open(folder / ".lock", os.O_CREAT | os.O_RDWR)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
