"""From results to a page for judges, and from their answers to accuracy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmark.errors import UsageError, did_you_mean
from benchmark.files import write_json, write_text
from benchmark.reports.annotation.corpus import read_codes, titles
from benchmark.reports.annotation.page import html, key
from benchmark.reports.annotation.sample import draw
from benchmark.reports.annotation.scoring import read_answers, read_key, score
from benchmark.reports.paper.human import FILE
from benchmark.reports.tables.histories import as_in_papers
from benchmark.results.digests import write_with_digest
from benchmark.results.result_files import Result, group_seeds


@dataclass(frozen=True)
class Page:
    """What was written: the page, its key, and the number of groups on it."""

    page: Path
    key: Path
    groups: int


def make_page(
    results: Sequence[Result], names: Sequence[str], out: Path, *, dataset: str, runs: Path, groups: int, items: int,
    prefix: int, seed: int,
) -> Page:  # fmt: skip
    """Draw groups of items from several methods' IDs and write the judges' page, with its key beside it."""
    for name, value, least in (("groups", groups, 1), ("items", items, 2), ("prefix", prefix, 1), ("seed", seed, 0)):
        if value < least:
            raise UsageError(f"--{name} {value}: at least {least} is needed")
    chosen = [_result(results, name, dataset, runs) for name in names]
    labels = [result.label for result in chosen]
    if len(set(labels)) < len(labels):
        raise UsageError(
            f"--methods: the labels {', '.join(labels)} are not different; a judged row needs its own name"
        )
    if len({result.dataset["fingerprint"] for result in chosen}) > 1:
        raise UsageError(f"--methods: the results of {', '.join(labels)} are of different versions of the data set")
    shown = titles(chosen[0].items_file)
    methods = {result.label: read_codes(result.folder / "ids.tsv", shown) for result in chosen}
    with_title = [item for item, title in shown.items() if title]
    how = {"prefix": prefix, "seed": seed}
    questions = draw(methods, with_title, groups=groups, size=items, **how)
    texts = [[shown[item] for item in question.items] for question in questions]
    data = {name: chosen[0].dataset[name] for name in ("name", "fingerprint")}
    places = {result.label: "/".join(result.folder.parts[-4:]) for result in chosen}
    hidden = out.with_name(f"{out.stem}.key.json")
    write_json(hidden, key(questions, texts, {"dataset": data, **how}, places))
    write_text(out, html(str(chosen[0].dataset["title"]), texts))
    return Page(out, hidden, len(texts))


def _result(results: Sequence[Result], name: str, dataset: str, runs: Path) -> Result:
    """Return the result of a label (or folder) with the lowest seed that has IDs."""
    here = [group for group in group_seeds(results) if group[0].dataset["name"] == dataset]
    if not here:
        raise UsageError(f"no results of the data set '{dataset}' in {runs}")
    indexers = [seeds for group in here if (seeds := [r for r in group if r.kind == "indexer"])]
    folder = Path(name).resolve()
    inside = [s for s in indexers if any(folder in (r.folder.resolve(), *r.folder.resolve().parents[:2]) for r in s)]
    found = inside or [seeds for seeds in indexers if seeds[0].label == name]
    of_papers = [seeds for seeds in found if as_in_papers(seeds[0])]
    found = of_papers if len(of_papers) == 1 else found
    if not found:
        known = did_you_mean(name, {seeds[0].label for seeds in indexers})
        raise UsageError(f"no IDs of '{name}' for {dataset} in {runs}.{known}")
    if len(found) > 1:
        folders = ", ".join(sorted(str(seeds[0].folder.parent) for seeds in found))
        raise UsageError(f"'{name}' has {len(found)} results; give one of their folders: {folders}")
    return next((r for r in found[0] if r.folder.resolve() == folder), found[0][0])


def score_answers(
    results: Sequence[Result], key_file: Path, answers: Sequence[Path], *, runs: Path
) -> tuple[Mapping[str, Any], Path]:
    """Return each method's accuracy with the judges' agreement, and the file in the folder of runs that holds them."""
    key = read_key(key_file)
    known = {r.label for r in results if not r.problem and r.dataset["name"] == key["dataset"]["name"]}
    for label, place in key["results"].items():
        if label not in known:
            raise UsageError(f"{key_file}: {runs} has no results of '{label}'.{did_you_mean(label, known)}")
        if not (runs / place).is_dir():
            raise UsageError(f"{key_file}: the groups of '{label}' were drawn from {place}, not in {runs}")
    judged = score(key, read_answers(answers, key))
    write_with_digest(runs / FILE, judged)
    return judged, runs / FILE
