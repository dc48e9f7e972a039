"""Is one method better than another? Two rows of results, metric by metric.

Ranking metrics: values per query (or user), averaged over seeds; a paired randomisation test over queries, and a 95%
bootstrap interval of the difference over queries (resampled jointly) and seeds (resampled for each method apart); where
few queries differ, Gaffke's limits (`benchmark.metrics.bounded`). The test takes the seeds as they are, the interval
does not: one row is better only where both say so.
ID quality has one value per seed: the test flips the signs of the differences of the seeds that both rows have, the
interval is Student's t.
P-values are Holm-corrected over the metrics of a task.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmark.errors import BenchmarkError, UsageError, did_you_mean
from benchmark.metrics.significance import holm, mean_interval, sign_flip_tests
from benchmark.reports.tables.captions import protocol
from benchmark.reports.tables.cells import Seeds
from benchmark.reports.tables.columns import further_columns
from benchmark.reports.tables.conditions import differences
from benchmark.reports.tables.histories import as_in_papers, histories_in_words
from benchmark.reports.tables.labels import row_identity, row_labels
from benchmark.reports.tables.scores import align_seeds, difference_limits, is_swapped, query_values
from benchmark.reports.tables.standard import ID_QUALITY, ID_STRUCTURE, RECOMMENDATION, SEARCH
from benchmark.results.result_files import Result, group_seeds

LEVEL = 0.05
ROUNDING = 1e-9  # means of seeds that differ by less are equal
TABLES = (ID_QUALITY, ID_STRUCTURE, RECOMMENDATION, SEARCH)
TASKS = tuple(dict.fromkeys(table.task for table in TABLES))

Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class MetricComparison:
    """One metric: both means, A - B with its 95% interval (None: one seed each), p after Holm (None: no test)."""

    task: str
    measure: str
    a: float
    b: float
    difference: float
    low: float | None
    high: float | None
    p: float | None
    p_holm: float | None
    units: str  # what the test is over, e.g. "22,363 users"
    higher_is_better: bool | None
    wins: int | None = None  # queries with a higher value of A, in the mean of its seeds; None: no values per query
    losses: int | None = None  # queries with a higher value of B

    @property
    def differs(self) -> bool:
        """Whether the test finds a difference between the means of these seeds."""
        return self.p_holm is not None and self.p_holm < LEVEL

    @property
    def may_be_of_the_seeds(self) -> bool:
        """Whether the test finds a difference, but the interval, which counts other seeds too, includes 0."""
        return self.differs and self.low is not None and self.high is not None and self.low <= 0 <= self.high

    @property
    def winner(self) -> str:
        """'A' or 'B' where test and interval agree on a difference and the metric has a better direction, else ''."""
        if not self.differs or self.may_be_of_the_seeds or self.higher_is_better is None:
            return ""
        return "A" if (self.difference > 0) == self.higher_is_better else "B"


@dataclass(frozen=True)
class TaskComparison:
    """Two rows compared on one task, metric by metric, and what that shows in one sentence."""

    task: str
    a: str
    b: str
    seeds: tuple[tuple[int, ...], tuple[int, ...]]  # of A and of B
    dataset: str  # its title, and the split and ties of its histories where they are not the papers'
    sentence: str
    metrics: tuple[MetricComparison, ...]  # none where the rows cannot be compared: the sentence says why
    protocol: str = ""  # what tells this comparison from others of the same task: 'category-derived queries'


def compare_rows(
    results: Sequence[Result], a: str, b: str, *, dataset: str | None, task: str | None, runs: Path
) -> list[TaskComparison]:
    """Compare two labels (or result folders) on a task, or on all that they have in common, protocol by protocol.

    Raises UsageError for an unknown task, for rows that are not there or not one of each, and for an empty name.
    """
    if not (a.strip() and b.strip()):
        raise UsageError("compare: an empty name; give two labels, or folders of results")
    if task is not None and task not in TASKS:
        raise UsageError(f"unknown task '{task}'.{did_you_mean(task, TASKS)}")
    pairs = find_pairs(results, a, b, dataset, runs, [task] if task else list(TASKS))
    of_sides = [result for result in results if not result.problem and any(_is_of(result, name) for name in (a, b))]
    compared, failed = [], []
    for task, pair in pairs:
        labels = [side[0].label for side in pair]
        name_a, name_b = (a, b) if labels[0] == labels[1] else labels
        title = ", ".join(filter(None, (str(pair[0][0].dataset["title"]), histories_in_words(pair[0][0]))))
        told = _told_apart(pair, [result for result in of_sides if task in result.metrics], task)
        of_a, of_b = (tuple(result.seed for result in side) for side in pair)
        metrics: list[MetricComparison] = []
        try:
            metrics = compare(*pair, task)
            text = sentence(name_a, name_b, metrics)
            sides = zip((name_a, name_b), pair, strict=True)
            single = [name for name, seeds in sides if len(seeds) == 1 and _learns(seeds[0])]
            if single and any(metric.winner for metric in metrics):
                text += f" Of {_and(single)} there is one seed: what other seeds would give is not in the interval."
            if apart := differences(task, *pair):
                text += f" The rows also differ in {_and(apart)}: that may be the cause."
        except BenchmarkError as error:
            failed.append(error)
            text = f"{task}: not compared: {error}."
        compared.append(TaskComparison(task, name_a, name_b, (of_a, of_b), title, text, tuple(metrics), told))
    if len(failed) == len(pairs):
        raise failed[0]
    return compared


def _learns(result: Result) -> bool:
    """Say whether the seed decides the numbers: a network was trained."""
    facts = result.cost.get("facts") or {}
    return bool(result.config.get("generative")) or any("parameters" in of_task for of_task in facts.values())


def find_pairs(
    results: Sequence[Result], a: str, b: str, dataset: str | None, runs: Path, tasks: Sequence[str]
) -> list[tuple[str, tuple[Seeds, Seeds]]]:
    """Return each task with the results of two labels (or result folders) that share data, text fields and preset.

    Where no two share the preset, those that share the rest are taken, and `differences` names the presets.
    Where histories were split or read in several ways, those of the papers are taken, if both have them. A task is
    there once for each data set, text fields, preset and query set. Raises UsageError when there is no pair, or more
    than one of a protocol.
    """
    chosen = [result for result in results if result.problem or dataset in (None, result.dataset["name"])]
    if not any(not result.problem for result in chosen):
        raise UsageError(f"no results of the data set '{dataset}' in {runs}")
    for name in (a, b):
        _side(group_seeds(chosen, by_key=True), name, runs)
    if a == b:
        raise UsageError(f"{a} and {b} are one row: name two")
    found = []
    for task in tasks:
        groups = group_seeds(result for result in chosen if task in result.metrics)
        of_a, of_b = (_without_repeats(_of_side(groups, name), task) for name in (a, b))
        having = _pairs(of_a, of_b, task) or _pairs(of_a, of_b, task, presets=False)
        of_papers = {_shared(x, task, histories=False) for x, _ in having if as_in_papers(x[0])}
        having = [(x, y) for x, y in having
                  if as_in_papers(x[0]) or _shared(x, task, histories=False) not in of_papers]  # fmt: skip
        if crowded := [shared for shared, n in Counter(_shared(x, task) for x, _ in having).items() if n > 1]:
            rows = [seeds for pair in having if _shared(pair[0], task) == crowded[0] for seeds in pair]
            raise UsageError(
                f"{a} and {b} have several pairs of results for {task}. Give the folders of two: {_folders(rows)}"
            )
        found += [(task, pair) for pair in having]
    if not found:
        raise UsageError(f"{a} and {b} have no results of one task, data set, text fields, split, ties and query set")
    return found


def _pairs(a: Sequence[Seeds], b: Sequence[Seeds], task: str, *, presets: bool = True) -> list[tuple[Seeds, Seeds]]:
    shared = partial(_shared, task=task, presets=presets)
    return [(x, y) for x in a for y in b if x is not y and shared(x) == shared(y)]


def _shared(seeds: Seeds, task: str, *, histories: bool = True, presets: bool = True) -> tuple[object, ...]:
    """Return what two rows must share; the query set decides nothing where the task is not search."""
    name, fingerprint, text_fields, preset, of_histories, queries = seeds[0].protocol
    how = (of_histories, seeds[0].first_look) if histories else ()
    return name, fingerprint, text_fields, preset if presets else "", queries if task == "search" else "", *how


def _without_repeats(groups: Sequence[Seeds], task: str) -> list[Seeds]:
    """Return the groups without those that differ from a newer one in the query set alone, where it decides nothing."""
    newest: dict[object, Seeds] = {}
    for seeds in sorted(groups, key=lambda seeds: max(result.written(task) for result in seeds)):
        newest[_shared(seeds, task), row_identity(seeds[0])] = seeds
    return list(newest.values()) if task != "search" else list(groups)


def _told_apart(pair: tuple[Seeds, Seeds], others: Sequence[Result], task: str) -> str:
    """Return what tells a pair's protocol from the others that its rows have: 'category-derived queries'."""
    first, second = pair[0][0], pair[1][0]
    parts = [_protocol_in_words(other, task) for other in others if other.dataset["title"] == first.dataset["title"]]
    of_both = [part for part in _protocol_in_words(first, task) if part in _protocol_in_words(second, task)]
    return "; ".join(part for part in of_both if any(part not in other for other in parts))


def _protocol_in_words(result: Result, task: str) -> list[str]:
    histories = histories_in_words(result)  # stands beside the data set's title
    named = [f"data set {result.dataset['name']}", f"fingerprint {str(result.dataset['fingerprint'])[:12]}"]
    return [*named, *(part for part in protocol(result, search=task == "search") if part != histories)]


def _folders(rows: Sequence[Seeds]) -> str:
    """Return the rows' labels, with what tells them apart, and their folders."""
    folders = {seeds[0].folder.parent: seeds[0] for seeds in rows}
    labels = row_labels(list(folders.values()))
    return ", ".join(sorted(f"{label}: {folder}" for label, folder in zip(labels, folders, strict=True)))


def _side(groups: Sequence[Seeds], name: str, runs: Path) -> list[Seeds]:
    """Return the groups of a label or folder. Raises UsageError where there is none."""
    found = _of_side(groups, name)
    if not found:
        raise UsageError(f"no results of '{name}' in {runs}.{did_you_mean(name, {s[0].label for s in groups})}")
    return found


def _of_side(groups: Sequence[Seeds], name: str) -> list[Seeds]:
    inside = [seeds for seeds in groups if any(_is_inside(result, name) for result in seeds)]
    return inside or [seeds for seeds in groups if seeds[0].label == name]


def _is_of(result: Result, name: str) -> bool:
    return _is_inside(result, name) or result.label == name


def _is_inside(result: Result, name: str) -> bool:
    """Is a name the folder of this result, or one of its row's, method's or data set's?"""
    own, folder = result.folder.resolve(), Path(name).resolve()
    return folder in (own, *own.parents[:3])


def measures_of(task: str, results: Sequence[Result]) -> dict[str, bool | None]:
    """Return metric -> whether more is better, for the metrics of a task that tables of these results show."""
    shown = [column for table in TABLES if table.task == task for column in table.columns]
    return {column.key: column.higher_is_better for column in (*shown, *further_columns(task, results))}


def compare(a: Seeds, b: Seeds, task: str) -> list[MetricComparison]:
    """Compare two rows on every metric of a task that both have. Raises BenchmarkError when they share none."""
    columns = measures_of(task, (*a, *b))
    shared = [m for m in columns if all(m in result.metrics.get(task, {}) for result in (*a, *b))]
    if not shared:
        raise BenchmarkError(f"{a[0].label} and {b[0].label} have no metric of {task} in common")
    files = [[result.scores_file(task) for result in seeds] for seeds in (a, b)]
    found_a, found_b = (query_values(paths, shared) for paths in files)
    if found_a is None or found_b is None:
        return _over_seeds(a, b, task, shared, columns)
    ids, values_a = found_a
    values_b = align_seeds(found_b, ids)
    if values_b is None:
        raise BenchmarkError(f"{a[0].label} and {b[0].label} were scored on different queries of {task}")
    if not (np.isfinite(values_a).all() and np.isfinite(values_b).all()):
        raise BenchmarkError(f"{a[0].label}, {b[0].label}: a scores.{task}.tsv lacks a metric that its result.json has")
    return compare_values(task, shared, values_a, values_b, columns, swapped=is_swapped(*files))


def compare_values(
    task: str, measures: Sequence[str], a: Float64, b: Float64, higher_is_better: Mapping[str, bool | None],
    *, swapped: bool,
) -> list[MetricComparison]:  # fmt: skip
    """Compare values [seeds, queries, measures] of the same queries; `swapped` as in `difference_limits`."""
    of_queries = [values.mean(axis=0) for values in (a, b)]  # [queries, measures]
    differences = of_queries[0] - of_queries[1]
    p_values = sign_flip_tests(differences)
    ((low, high),) = difference_limits(measures, a, [b], [swapped])
    units = f"{len(differences):,} {'users' if task == 'recommendation' else 'queries'}"
    mean_a, mean_b = (values.mean(axis=0) for values in of_queries)
    compared = _comparisons(task, measures, mean_a, mean_b, low, high, p_values, units, higher_is_better)
    signs = np.where(np.abs(differences) > ROUNDING, np.sign(differences), 0)
    counts = zip((signs > 0).sum(axis=0).tolist(), (signs < 0).sum(axis=0).tolist(), strict=True)
    return [replace(one, wins=wins, losses=losses) for one, (wins, losses) in zip(compared, counts, strict=True)]


def _over_seeds(
    a: Seeds, b: Seeds, task: str, measures: Sequence[str], columns: dict[str, bool | None]
) -> list[MetricComparison]:
    common = sorted({result.seed for result in a} & {result.seed for result in b})
    units = f"{len(common)} seeds"
    paired = len(common) > 1  # then means, interval and test are all of the seeds that both have
    sides = [sorted((r for r in s if r.seed in common or not paired), key=lambda r: r.seed) for s in (a, b)]
    values = [np.array([[r.metrics[task][m] for m in measures] for r in side]) for side in sides]
    means = [table.mean(axis=0) for table in values]
    if not paired:
        return _comparisons(task, measures, means[0], means[1], None, None, None, units, columns)
    differences = values[0] - values[1]
    half = np.array([mean_interval(column.tolist()).half_width for column in differences.T], np.float64)
    middle = differences.mean(axis=0)
    p_values = sign_flip_tests(differences)
    return _comparisons(task, measures, means[0], means[1], middle - half, middle + half, p_values, units, columns)


def _comparisons(
    task: str, measures: Sequence[str], a: Float64, b: Float64, low: Float64 | None, high: Float64 | None,
    p_values: Float64 | None, units: str, columns: Mapping[str, bool | None],
) -> list[MetricComparison]:  # fmt: skip
    corrected = None if p_values is None else holm(p_values.tolist())
    return [
        MetricComparison(
            task, measure, float(a[i]), float(b[i]), float(a[i] - b[i]),
            None if low is None else float(low[i]), None if high is None else float(high[i]),
            None if p_values is None else float(p_values[i]), None if corrected is None else corrected[i],
            units, columns[measure],
        )
        for i, measure in enumerate(measures)
    ]  # fmt: skip


def sentence(a: str, b: str, compared: Sequence[MetricComparison]) -> str:
    """Say in plain words what the comparisons of one task show."""
    task, units = compared[0].task, compared[0].units
    if compared[0].p_holm is None:
        of_queries = task in ("recommendation", "search")
        why = "values per query are missing or were changed" if of_queries else "these metrics have no values per query"
        return (
            f"{task}: no significance test is possible: {why}, and {a} and {b} share "
            f"fewer than two seeds. Run both with at least {_fewest_seeds(len(compared))} seeds."
        )
    fewest = _fewest_seeds(len(compared))
    if units.endswith("seeds") and int(units.split()[0]) < fewest:
        of_metrics = f" for {len(compared)} metrics" if len(compared) > 1 else ""
        clear = [c.measure for c in compared if c.low is not None and c.high is not None and c.low * c.high > 0]
        return f"{task}: no significance test is possible with {units}: it takes at least {fewest}{of_metrics}." + (
            f" The t intervals of {_and(clear)} exclude 0." if clear else ""
        )
    parts = []
    for side, better, worse in (("A", a, b), ("B", b, a)):
        won = [c.measure for c in compared if c.winner == side]
        if won:
            parts.append(f"{better} is better than {worse} in {_and(won)}")
    of_seeds = [c.measure for c in compared if c.may_be_of_the_seeds]
    if of_seeds:
        of_units = units.split()[-1]
        parts.append(
            f"in {_and(of_seeds)} the means of these seeds differ, but the 95% interval over seeds and {of_units} "
            "includes 0"
        )
    differ = [c.measure for c in compared if c.differs and not c.may_be_of_the_seeds and not c.winner]
    if differ:
        parts.append(f"they differ in {_and(differ)}, where neither direction is better")
    rest = [c.measure for c in compared if not c.differs]
    if rest:
        parts.append(f"in {_and(rest) if parts else 'every metric'} the results do not tell {a} and {b} apart")
    return f"{task}: {'; '.join(parts)} (level {LEVEL} after Holm, over {units})."


def _fewest_seeds(metrics: int) -> int:
    """Return from how many seeds on the smallest p of a sign-flip test, 2 ** (1 - seeds), is significant after Holm."""
    return next(seeds for seeds in count(2) if metrics * 2.0 ** (1 - seeds) < LEVEL)


def _and(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
