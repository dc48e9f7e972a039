"""Result files: the only thing a report reads.

    RUNS/<dataset>/<label>/<key>/seed-<n>/result.json       metrics and all that decided them
                                          cost.json         seconds, memory, sizes, device, date (never part of the key)
                                          scores.<task>.tsv per-query values
                                          run.<task>.trec   the rankings themselves
    RUNS/<dataset>/items-<fingerprint>.jsonl                id, title and category path of every item, in row order
    RUNS/<dataset>/histories-<fingerprint>.txt              the training part of the users' histories

A file that cannot be read becomes a `Result` whose `problem` says why; reports pass it by and name it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmark.errors import DataError

FORMAT = 1
CONTROLS_OF_OLD_FILES = ("random", "shuffled", "category", "popularity")  # of files without the key `control`


@dataclass(frozen=True)
class Result:
    """One method on one data set with one seed, over all its tasks."""

    folder: Path
    dataset: Mapping[str, Any] = field(default_factory=dict)  # name, title, fingerprint, counts, items_with
    method: str = ""
    label: str = ""
    kind: str = ""  # indexer, retriever, recommender
    preset: str = ""
    text_fields: tuple[str, ...] = ()
    seed: int = 0
    key: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Mapping[str, float]] = field(default_factory=dict)  # task -> metric -> value
    queries: str | None = None  # "judged", "simulated", ...
    notes: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    revision: str = ""
    cost: Mapping[str, Any] = field(default_factory=dict)  # cost.json, {} where there is none
    control: bool = False  # a reference row, as the method's class says
    problem: str = ""  # why the file could not be read; everything else is empty then

    @property
    def protocol(self) -> tuple[str, str, tuple[str, ...], str, str | None]:
        """What two results must share to stand in one table: data set, fingerprint, text fields, preset, query set."""
        dataset = self.dataset
        return str(dataset["name"]), str(dataset["fingerprint"]), self.text_fields, self.preset, self.queries

    @property
    def absent_fields(self) -> tuple[str, ...]:
        """The text fields that were asked for and that no item has; older files do not say it."""
        counts = self.dataset.get("items_with") or {}
        return tuple(name for name in self.text_fields if counts.get(name, 1) == 0)

    def scores_file(self, task: str) -> Path:
        """Where the per-query values of a task lie."""
        return self.folder / f"scores.{task}.tsv"

    @property
    def items_file(self) -> Path:
        """Where the items' titles and category paths lie, shared by all results of one data set."""
        return items_file(self.folder, str(self.dataset["fingerprint"]))


def items_file(folder: Path, fingerprint: str) -> Path:
    """Return the items file that goes with a result's folder."""
    return folder.parents[2] / f"items-{fingerprint[:12]}.jsonl"


def histories_file(folder: Path, fingerprint: str) -> Path:
    """Return the file of training histories that goes with a result's folder."""
    return folder.parents[2] / f"histories-{fingerprint[:12]}.txt"


def read_ids(path: Path) -> dict[str, tuple[int, ...]]:
    """Read an ids.tsv file: item id -> codes. Raises DataError for a line that is not 'item TAB code-code-..'."""
    ids: dict[str, tuple[int, ...]] = {}
    try:
        lines = path.read_text("utf-8").rstrip("\n").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: {error}") from None
    for number, line in enumerate(lines, 1):
        item, tab, codes = line.partition("\t")
        try:
            parsed = tuple(map(int, codes.split("-")))
        except ValueError:
            tab = ""
        if not tab or item in ids:
            what = "the item stands there twice" if item in ids else "expected 'item TAB code-code-..'"
            raise DataError(f"{path}, line {number}: {what}")
        ids[item] = parsed
    return ids


def load_results(runs: Path) -> list[Result]:
    """Return every result below a runs folder, sorted by path; unreadable ones have a `problem` instead of metrics."""
    return [read_result(path) for path in sorted(runs.glob("*/*/*/seed-*/result.json"))]


def read_result(path: Path) -> Result:
    """Read one result.json and the cost.json beside it."""
    try:
        data = json.loads(path.read_text("utf-8"))
        if data["format"] != FORMAT:
            raise ValueError(f"its format is {data['format']!r}, this version reads format {FORMAT}")
        dataset = data["dataset"]
        metrics = {
            str(task): {str(name): float(value) for name, value in values.items()}
            for task, values in data["metrics"].items()
        }
        result = Result(
            path.parent, {"title": dataset["name"], **dataset, "fingerprint": dataset["fingerprint"]},
            data["method"], data["label"], data["kind"], data["preset"], tuple(map(str, data["text_fields"])),
            int(data["seed"]), data["key"], dict(data["config"]), metrics, data.get("queries"),
            tuple(map(str, data.get("notes", ()))), dict(data.get("versions", {})), data.get("revision") or "",
            _read_cost(path.with_name("cost.json")), bool(data.get("control", data["method"] in CONTROLS_OF_OLD_FILES)),
        )  # fmt: skip
        if not all(isinstance(text, str) for text in (result.method, result.label, result.preset, result.key)):
            raise ValueError("method, label, preset and key must be text")
    except KeyError as error:
        return Result(path.parent, problem=f"{path}: the key {error} is missing")
    except (OSError, ValueError, TypeError, AttributeError) as error:
        return Result(path.parent, problem=f"{path}: {error}")
    return result


def _read_cost(path: Path) -> dict[str, Any]:
    """Costs decide nothing: without a file of the right shape the cost columns stay empty."""
    try:
        cost = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    parts = [cost.get("stages", {}), cost.get("facts", {})] if isinstance(cost, dict) else [None]
    whole = all(isinstance(part, dict) and all(isinstance(v, dict) for v in part.values()) for part in parts)
    return cost if whole else {}


def problems(results: Iterable[Result]) -> list[str]:
    """Return one line per result file that could not be read."""
    return [result.problem for result in results if result.problem]


def group_seeds(results: Iterable[Result]) -> list[tuple[Result, ...]]:
    """Return readable results that share everything but the seed, each group sorted by seed."""
    groups: dict[Any, dict[int, Result]] = {}
    for result in results:
        if not result.problem:
            identity = (result.protocol, result.label, result.method, result.key, _canonical(result.config))
            groups.setdefault(identity, {}).setdefault(result.seed, result)
    return [tuple(group[seed] for seed in sorted(group)) for group in groups.values()]


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)
