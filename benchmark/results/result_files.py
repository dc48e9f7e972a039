"""Result files: the only thing a report reads.

    RUNS/<dataset>/<label>/<key>/seed-<n>/result.json       metrics and all that decided them
                                          cost.json         seconds, memory, sizes, device, date (never part of the key)
                                          scores.<task>.tsv per-query values
                                          run.<task>.trec   the rankings themselves
    RUNS/<dataset>/items-<fingerprint>.jsonl                id, title and category path of every item, in row order
    RUNS/<dataset>/histories-<fingerprint>.txt              the training part of the users' histories
    RUNS/<dataset>/inputs-<fingerprint>.txt                 each user's last item before the test item
    RUNS/<dataset>/withheld-<fingerprint>-...txt            items that the split cold-start withholds from learning

A file that cannot be read becomes a `Result` whose `problem` says why; reports pass it by and name it. One that was
changed after it was written (`benchmark.results.digests`) has a note that says so, below every table that shows it.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from benchmark.errors import DataError, UsageError, line_error
from benchmark.files import file_digest
from benchmark.results.digests import FILES, is_changed
from benchmark.results.once import read_once

FORMAT = 1
VERSION_SIGN = "@"  # between the label and the key of a row that an older version of the suite left behind
RUNS = Path("runs")  # the folder of results where none is named
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
    versions: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # task -> package -> version
    revisions: Mapping[str, str] = field(default_factory=dict)  # task -> git revision of the suite
    cost: Mapping[str, Any] = field(default_factory=dict)  # cost.json, {} where there is none
    control: bool = False  # a reference row, as the method's class says
    changed: Mapping[str, Any] = field(default_factory=dict)  # what `--set` changed in the preset; older files: {}
    code: str = ""  # hash of the suite's code, without the methods; older files do not have it
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)  # task -> what was counted -> number
    stages: Mapping[str, str] = field(default_factory=dict)  # stage -> key in the cache; older files: {}
    further_metrics: tuple[str, ...] = ()  # what `--metrics` asked for
    problem: str = ""  # why the file could not be read; everything else is empty then

    @property
    def protocol(self) -> tuple[str, str, tuple[str, ...], str, str, str | None]:
        """What two results must share to stand in one table.

        Data set, fingerprint, text fields, preset, split and ties of the histories, queries.
        """
        dataset = self.dataset
        shared = str(dataset["name"]), str(dataset["fingerprint"]), self.text_fields, self.preset
        return *shared, self.history_protocol, self.query_protocol

    @property
    def of_histories(self) -> dict[str, str]:
        """The split and the order of ties, where they are not leave-one-out and the order of the file."""
        own = self.config.get("protocol") or {}
        return {name: str(own[name]) for name in ("split", "ties") if name in own}

    @property
    def history_protocol(self) -> str:
        """The split and the order of ties in words: 'split time:0.9, ties shuffled'; '' as the papers do."""
        return ", ".join(f"{name} {value}" for name, value in self.of_histories.items())

    @property
    def histories_file(self) -> Path:
        """Where the training histories lie, shared by all results of one data set, split and order of ties."""
        return histories_file(self.folder, str(self.dataset["fingerprint"]), self.of_histories)

    @property
    def inputs_file(self) -> Path:
        """Where each user's last item before the test item lies, shared in the same way."""
        return inputs_file(self.folder, str(self.dataset["fingerprint"]), self.of_histories)

    @property
    def withheld_file(self) -> Path | None:
        """Where the ids of the items lie that nothing was learned from; None where all were learned from."""
        if "withheld" not in (self.config.get("protocol") or {}):
            return None
        return withheld_file(self.folder, str(self.dataset["fingerprint"]), self.of_histories)

    @property
    def first_look(self) -> int:
        """How many users or queries at most were ranked and scored; 0: all."""
        return int((self.config.get("protocol") or {}).get("first_look", 0))

    @property
    def query_protocol(self) -> str | None:
        """The query set, and what became of items that are themselves queries, where there are any."""
        return f"{self.queries}, self-retrieval {self.self_retrieval}" if self.self_retrieval else self.queries

    @property
    def self_retrieval(self) -> str:
        """Whether items that are themselves queries were "excluded" or "kept"; "" where there are none."""
        return str((self.config.get("protocol") or {}).get("self_retrieval", ""))

    def written(self, task: str = "") -> str:
        """When the numbers of a task, or the newest ones, were written (ISO 8601), else the file's time."""
        times = {of: time for of, time in (self.cost.get("written") or {}).items() if of in self.metrics}
        said = times.get(task) or max(times.values(), default="")
        if said or self.problem:
            return str(said)
        try:
            return datetime.fromtimestamp((self.folder / "result.json").stat().st_mtime, UTC).isoformat()
        except OSError:
            return ""

    def of_tasks(self, tasks: Iterable[str]) -> Result:
        """Return the part of a result that is of these tasks: without the metrics and costs of its other tasks."""
        others = self.metrics.keys() - set(tasks)
        if not others:
            return self
        cost = dict(self.cost)
        for part in {"stages", "facts", "written"} & cost.keys():
            cost[part] = {name: of for name, of in cost[part].items() if name.rpartition(".")[2] not in others}
        return replace(self, metrics={task: of for task, of in self.metrics.items() if task not in others}, cost=cost)

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


def histories_file(folder: Path, fingerprint: str, chosen: Mapping[str, str] = MappingProxyType({})) -> Path:
    """Return the file of training histories that goes with a result's folder, and with a split and ties of its own."""
    return folder.parents[2] / f"histories-{_name_of_histories(fingerprint, chosen)}.txt"


def inputs_file(folder: Path, fingerprint: str, chosen: Mapping[str, str] = MappingProxyType({})) -> Path:
    """Return the file of each user's last item before the test item, named as `histories_file` is."""
    return folder.parents[2] / f"inputs-{_name_of_histories(fingerprint, chosen)}.txt"


def withheld_file(folder: Path, fingerprint: str, chosen: Mapping[str, str]) -> Path:
    """Return the file of the items that a split withholds from learning, named as `histories_file` is."""
    return folder.parents[2] / f"withheld-{_name_of_histories(fingerprint, chosen)}.txt"


def _name_of_histories(fingerprint: str, chosen: Mapping[str, str]) -> str:
    words = (f"-{name}-{value.replace(':', '-')}" for name, value in sorted(chosen.items()))
    return f"{fingerprint[:12]}{''.join(words)}"


def read_withheld(result: Result) -> frozenset[str] | None:
    """Return the items that a result's split withholds from learning; None where there are none, or no such file."""
    path = result.withheld_file
    return frozenset(path.read_text("utf-8").split()) if path is not None and path.is_file() else None


def read_id_lines(path: Path) -> Mapping[str, tuple[int, ...]]:
    """Read an ids.tsv file: item id -> codes, once while the file stays.

    Raises DataError for a line that is not 'item TAB code-code-..'.
    """
    return read_once(_read_id_lines, path)


def _read_id_lines(path: Path) -> Mapping[str, tuple[int, ...]]:
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
            raise line_error(path, number, f"{what}")
        ids[item] = parsed
    return MappingProxyType(ids)


def load_results(runs: Path) -> list[Result]:
    """Return every result below a runs folder, sorted by path; unreadable ones have a `problem` instead of metrics."""
    return [read_result(path) for path in sorted(runs.glob("*/*/*/seed-*/result.json"))]


def results_below(runs: Path) -> list[Result]:
    """Return every result below a runs folder. Raises UsageError where there is none, or no such folder."""
    found = load_results(runs)
    if not found:
        raise UsageError(f"--runs {runs}: no results below {runs}; 'benchmark run --runs {runs} ...' writes some")
    return found


def read_result(path: Path) -> Result:
    """Read one result.json and the cost.json beside it."""
    try:
        raw = path.read_bytes()
        data = json.loads(raw.decode("utf-8"))
        if data["format"] != FORMAT:
            raise ValueError(f"its format is {data['format']!r}, this version reads format {FORMAT}")
        dataset = data["dataset"]
        cost, cost_changed = _cost(path.with_name("cost.json"))
        metrics = {
            str(task): {str(name): float(value) for name, value in values.items()}
            for task, values in data["metrics"].items()
        }
        result = Result(
            path.parent, {"title": dataset["name"], **dataset, "fingerprint": dataset["fingerprint"]},
            data["method"], data["label"], data["kind"], data["preset"], tuple(map(str, data["text_fields"])),
            int(data["seed"]), data["key"], dict(data["config"]), metrics, data.get("queries"),
            (*map(str, data.get("notes", ())), *_changed_since(path.parent, raw, data, cost_changed)),
            *_made_with(data, list(metrics)), cost, bool(data.get("control", data["method"] in CONTROLS_OF_OLD_FILES)),
            dict(data.get("changed", {})), str(data.get("code", "")),
            {str(task): dict(counted) for task, counted in dict(data.get("counts", {})).items()},
            {str(name): str(key) for name, key in dict(data.get("stages", {})).items()},
            tuple(map(str, data.get("further_metrics", ()))),
        )  # fmt: skip
        if not all(isinstance(text, str) for text in (result.method, result.label, result.preset, result.key)):
            raise ValueError("method, label, preset and key must be text")
    except KeyError as error:
        return Result(path.parent, problem=f"{path}: the key {error} is missing")
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        return Result(path.parent, problem=f"{path}: {error}")
    return result


def _changed_since(folder: Path, raw: bytes, data: Mapping[str, Any], cost_changed: bool) -> list[str]:
    """Return what to say of a result, its values per query or its costs that are no longer as they were written."""
    said = []
    if is_changed(raw, data):
        said.append("was edited or damaged after the run; 'benchmark verify' says what no longer follows")
    if cost_changed:
        said.append("has a cost.json that was edited or damaged after the run")
    said += [
        f"has a {name} that was edited or damaged after the run: no interval and no test is made from it"
        for name, digest in dict(data.get(FILES, {})).items()
        if name.startswith("scores.") and (folder / name).is_file() and file_digest(folder / name) != digest
    ]
    return [f"The stored result of seed {data['seed']} {what}." for what in said]


def _made_with(data: Mapping[str, Any], tasks: list[str]) -> tuple[dict[str, dict[str, str]], dict[str, str]]:
    """Return versions and git revision by task; older files have the same for all."""
    versions, revisions = dict(data.get("versions", {})), data.get("revisions")
    if any(isinstance(version, str) for version in versions.values()):
        versions = dict.fromkeys(tasks, versions)
    if revisions is None:
        revisions = dict.fromkeys(tasks, data.get("revision"))
    return {task: dict(of) for task, of in versions.items()}, {task: of for task, of in revisions.items() if of}


def read_own_cost(path: Path) -> dict[str, Any]:
    """Return a cost.json to add to: {} where there is none, or none as it was written."""
    cost, changed = _cost(path)
    return {} if changed else cost


def _cost(path: Path) -> tuple[dict[str, Any], bool]:
    """Return a cost.json and whether it was changed after it was written.

    Costs decide nothing: without a file of the right shape, {}, the cost columns stay empty.
    """
    try:
        raw = path.read_bytes()
        cost = json.loads(raw)
    except (OSError, ValueError, RecursionError):
        return {}, path.is_file()
    if not isinstance(cost, dict):
        return {}, True
    parts = [cost.get("stages", {}), cost.get("facts", {})]
    whole = all(isinstance(part, dict) and all(isinstance(v, dict) for v in part.values()) for part in parts)
    return cost if whole and isinstance(cost.get("written", {}), dict) else {}, is_changed(raw, cost)


def problems(results: Iterable[Result]) -> list[str]:
    """Return one line per result file that could not be read."""
    return [result.problem for result in results if result.problem]


def newest(results: Iterable[Result]) -> list[Result]:
    """Return the results whose numbers tables show: of each task the newest of a row's version and seed.

    A result is computed again where the suite's code has changed. Of one that has newer numbers for some of its tasks
    the others are kept; one that has newer numbers for all is left out. Unreadable ones stay.
    """
    return [current for current, _ in _by_age(results) if current is not None]


def versions_apart(results: Iterable[Result]) -> list[Result]:
    """Return all results, what older versions left behind as rows of their own: 'rqvae@1a2b3c', after the key.

    A result that is the newest for some of its tasks only comes twice, with these tasks and with the others.
    """
    parts: list[Result] = []
    for current, older in _by_age(results):
        parts += [current] if current else []
        parts += [replace(older, label=f"{older.label}{VERSION_SIGN}{older.key[:6]}")] if older else []
    return parts


def _by_age(results: Iterable[Result]) -> list[tuple[Result | None, Result | None]]:
    """Return each result with the tasks that it has the newest numbers of, and with the others; None for no task."""
    best: dict[Any, str] = {}
    every = list(results)
    for result in every:
        for task in result.metrics:
            place = (identity(result), result.seed, task)
            best[place] = max(best.get(place, ""), result.written(task))
    parts: list[tuple[Result | None, Result | None]] = []
    for result in every:
        older = {t for t in result.metrics if result.written(t) < best[identity(result), result.seed, t]}
        if not older:
            parts.append((result, None))
            continue
        split = [{t: v for t, v in result.metrics.items() if (t in older) is of_older} for of_older in (False, True)]
        current = replace(result, metrics=split[0]) if split[0] else None
        parts.append((current, replace(result, metrics=split[1])))
    return parts


def group_seeds(results: Iterable[Result], *, by_key: bool = False) -> list[tuple[Result, ...]]:
    """Return readable results that share all that decides their row but the seed, each group sorted by seed.

    Seeds may be of several versions of the suite's code (`by_key`: of one alone); of two results with one seed the
    newer counts.
    """
    groups: dict[Any, dict[int, Result]] = {}
    for result in results:
        if not result.problem:
            group = groups.setdefault((identity(result), result.key if by_key else ""), {})
            known = group.get(result.seed)
            if known is None or result.written() > known.written():
                group[result.seed] = result
    return [tuple(group[seed] for seed in sorted(group)) for group in groups.values()]


def group_seeds_by_task(results: Iterable[Result], tasks: Iterable[str]) -> list[tuple[Result, ...]]:
    """Return the groups of `group_seeds`, one for each task where a seed's tasks lie in results of several versions."""
    results = list(results)
    groups = group_seeds(results)
    grouped = {result.folder for seeds in groups for result in seeds}
    divided = {identity(result) for result in results if not result.problem and result.folder not in grouped}
    parts = [result for result in results if not result.problem and identity(result) in divided]
    of_tasks = [
        group_seeds(replace(result, metrics={task: result.metrics[task]}) for result in parts if task in result.metrics)
        for task in dict.fromkeys(tasks)
    ]
    return [*(seeds for seeds in groups if identity(seeds[0]) not in divided), *itertools.chain(*of_tasks)]


def identity(result: Result) -> Any:
    """Return what two results must share to be of one row; they may differ in seed, tasks and version of the code."""
    return result.protocol, result.label, result.method, _canonical(result.config)


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)
