"""From result files to the paper's tables: ours and the published value in every cell, missing cells counted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from benchmark.reports.paper.settings import in_few_words
from benchmark.reports.paper.spec import PAPER, READINGS, Spec, name_in_paper
from benchmark.reports.paper.variants import Variant, arrange, fills, usual_presets
from benchmark.reports.paper.verdict import TOLERANCE, marked, other_data, published, reasons_against, unknown_settings
from benchmark.reports.tables.captions import data_set, protocol, remarks_of_runs, representative_result, run_conditions
from benchmark.reports.tables.cells import Seeds, best_cells, fewer_seeds, interval_notes, metric_cells
from benchmark.reports.tables.changes import words_on_changes
from benchmark.reports.tables.labels import scratch_notes
from benchmark.reports.tables.layout import Cell, Column, Declaration, FilledTable, Row
from benchmark.results.result_files import Result, group_seeds_by_task

MISSING = "missing"
VERDICTS = (
    "paper: the published value, and how much larger ours is. ok: within "
    f"{TOLERANCE:.0%} of it; off: not within; n/c: not comparable; uncertain: of settings that are partly unknown"
)


def fill(table: Declaration, spec: Spec, results: Iterable[Result]) -> list[FilledTable]:
    """Return the table for each protocol with runs on the paper's data sets (or empty), then for other data sets."""
    tasks = {(column.task, c.measure) for column in spec.columns for c in (column, *spec.columns_of("published"))}
    learned_all = [result for result in results if not result.problem and result.withheld_file is None]
    of_table = [r for r in learned_all if any(measure in r.metrics.get(task, {}) for task, measure in tasks)]
    groups = group_seeds_by_task(of_table, sorted({task for task, _ in tasks}))
    if spec.ablation:
        groups = [seeds for seeds in groups if seeds[0].method in {row.method for row in spec.rows}]
    of_paper: list[FilledTable] = []
    of_others: list[FilledTable] = []

    def shared(seeds: Seeds) -> tuple[str, ...]:
        return _protocol(spec, seeds[0])

    for _, same in groupby(sorted(groups, key=shared), shared):
        sets: dict[tuple[str, str], list[Seeds]] = {}
        for seeds in same:
            sets.setdefault((name_in_paper(seeds[0]), seeds[0].dataset["fingerprint"]), []).append(seeds)
        chosen = _data_of_paper(spec, sets)
        for reading in spec.readings:
            of_paper += [
                _fill(table, spec, reading, [seeds for key in keys for seeds in sets[key]]) for keys in chosen
            ]  # fmt: skip
            of_others += [
                _fill_other(table, spec, reading, sets[key]) for key in sorted(sets)
                if not any(key in keys for keys in chosen) and _takes(spec, sets[key])
            ]  # fmt: skip
    return [*(of_paper or [_fill(table, spec, reading, []) for reading in spec.readings]), *of_others]


def _protocol(spec: Spec, result: Result) -> tuple[str, ...]:
    queries = str(result.query_protocol) if any(column.task == "search" for column in spec.columns) else ""
    return queries, result.history_protocol, *result.text_fields


def _data_of_paper(spec: Spec, sets: dict[tuple[str, str], list[Seeds]]) -> list[list[tuple[str, str]]]:
    """Return for each table of the paper's data sets the version of each: that with the published counts, then others.

    A version with other counts is taken only where there is none with these: the one with most results.
    """
    tables: list[list[tuple[str, str]]] = []
    for name in spec.data_sets:
        column = next(column for column in spec.columns if column.dataset == name)
        keys = sorted((key for key in sets if key[0] == name), key=lambda key: (len(sets[key]), key), reverse=True)
        same = [key for key in keys if any(not other_data(column, seeds[0]) for seeds in sets[key])]
        for number, key in enumerate(same or keys[:1]):
            tables += [[]] if number == len(tables) else []
            tables[number].append(key)
    return tables


def _takes(spec: Spec, groups: Sequence[Seeds]) -> bool:
    """Does a data set that is not of the paper get this table? Products have users or category paths."""
    counts = groups[0][0].dataset.get("counts") or {}
    products = bool(counts.get("users") or counts.get("labelled items"))
    enough = not spec.ablation or len(_filled_rows(spec, groups)) > 1
    return enough and spec.others in ("", "products" if products else "documents")


def _filled_rows(spec: Spec, groups: Sequence[Seeds]) -> list[int]:
    """Return which of the paper's rows have runs."""
    return [number for number, row in enumerate(spec.rows) if any(fills(row, seeds[0]) for seeds in groups)]


def _fill(table: Declaration, spec: Spec, reading: str, groups: Sequence[Seeds]) -> FilledTable:
    """Fill the table of the paper itself: every row and column of it, whether there are runs or not."""
    columns = spec.columns_of(reading)
    variants = arrange(spec.rows, groups, columns)
    cells, labels, remarks = _measured(variants, columns)
    reasons: dict[str, str] = {}  # reason -> its letter
    filled: dict[tuple[int, int], bool] = {}  # the paper's cells; several rows of ours may fill one row of it
    for line, variant in zip(cells, variants, strict=True):
        for i, column in enumerate(columns):
            value = variant.row.published[i] if variant.row else None
            if variant.row is None or value is None:
                continue
            cell = (spec.rows.index(variant.row), i)
            filled[cell] = filled.get(cell, False) or line[i].mean is not None
            seeds = variant.group(column)
            against = reasons_against(spec, variant.row, column, reading, seeds[0]) if seeds else []
            compared = published(value, line[i].mean, against, unknown_settings(variant.row, column))
            line[i] = replace(line[i], published=marked(compared, reasons), gap=MISSING)
    shown = {letter: in_few_words(reason) for reason, letter in reasons.items()}
    because = "; ".join(f"({letter}) {words}" for letter, words in shown.items())
    notes = [*spec.footnotes, f"{VERDICTS}{', because: ' + because if because else ''}."]
    if set(shown.values()) - set(reasons):
        notes.append("The table's JSON form names all settings that differ.")
    if missing := list(filled.values()).count(False):
        notes.append(
            f"Missing: {missing} of {len(filled)} cells have no run here. 'benchmark reproduce {table.name} "
            "--preset PRESET --dataset NAME' computes them."
        )
    if any(variant.row is None for variant in variants):
        notes.append("Rows without a value of the paper are the suite's further methods and its control rows.")
    caption = f"{PAPER}, {spec.source}. Ours: {_ours(spec, groups)}."
    notes += _changes(spec, groups)
    return _filled(table, reading, "", columns, variants, labels, cells, caption, [*notes, *remarks])


def _fill_other(table: Declaration, spec: Spec, reading: str, groups: Sequence[Seeds]) -> FilledTable:
    """Fill the table for a data set that the paper does not have: the same metrics, no published values."""
    dataset = groups[0][0].dataset
    columns = tuple({
        (column.task, column.measure): replace(
            column, key=f"{column.task}/{column.measure}", header=column.measure, dataset=name_in_paper(groups[0][0])
        )
        for column in spec.columns_of(reading)
    }.values())  # fmt: skip
    variants = arrange((), groups, columns)
    cells, labels, remarks = _measured(variants, columns)
    notes = [*spec.footnotes, "Not a data set of the paper: there are no published values.", *_changes(spec, groups)]
    caption = _ours(spec, groups) + "."
    where = f" on {dataset['title']}"
    return _filled(table, reading, where, columns, variants, labels, cells, caption, [*notes, *remarks])


def _measured(variants: Sequence[Variant], columns: Sequence[Column]) -> tuple[list[list[Cell]], list[str], list[str]]:
    """Return our cells [variants][columns], the variants' labels, and remarks on what is bold."""
    cells = [[Cell() for _ in columns] for _ in variants]
    labels, remarks = [variant.title for variant in variants], []
    blocks = dict.fromkeys((column.dataset, column.task) for column in columns)
    for dataset, task in blocks:
        block = [i for i, column in enumerate(columns) if (column.dataset, column.task) == (dataset, task)]
        of_block = [columns[i] for i in block]
        groups_of = [(row, v.group(of_block[0]) or ()) for row, v in enumerate(variants)]
        scored = [(row, tuple(r for r in seeds if task in r.metrics)) for row, seeds in groups_of]
        found = [(row, seeds) for row, seeds in scored if seeds]
        rows, groups = [row for row, _ in found], [seeds for _, seeds in found]
        measured = metric_cells(task, groups, of_block)
        bold, said = best_cells(task, groups, [labels[row] for row in rows], of_block, measured)
        where = "" if len(blocks) == 1 else f"{', '.join(column.header for column in of_block)}: "
        remarks += [f"{where}{remark}" for remark in said]
        for at, row in enumerate(rows):
            for place, cell in enumerate(measured[at]):
                cells[row][block[place]] = replace(cell, bold=(at, place) in bold)
    return cells, labels, list(dict.fromkeys(remarks))


def _filled(
    table: Declaration, reading: str, where: str, columns: tuple[Column, ...], variants: Sequence[Variant],
    labels: Sequence[str], cells: Sequence[Sequence[Cell]], caption: str, notes: Sequence[str],
) -> FilledTable:  # fmt: skip
    rows = []
    for label, variant, line in zip(labels, variants, cells, strict=True):
        results = tuple(dict.fromkeys(result.folder for cell in line for result in cell.results))
        by_folder: dict[Any, Result] = {result.folder: result for cell in line for result in cell.results}
        seeds = tuple(sorted({by_folder[folder].seed for folder in results}))
        rows.append(Row(label, seeds, tuple(line), variant.control, tuple(by_folder[folder] for folder in results)))
    with_runs = [row for row in rows if row.results]
    said = remarks_of_runs([row.label for row in with_runs], [row.results for row in with_runs])
    title = f"{table.title}{where}{f' ({READINGS[reading]})' if reading else ''}"
    intervals = interval_notes([(row.label, row.cells) for row in rows])
    seeds_notes = [*fewer_seeds(columns, rows), *scratch_notes(rows)]
    return FilledTable(
        replace(table, title=title), columns, tuple(rows), caption, (*notes, *intervals, *seeds_notes, *said)
    )


def _changes(spec: Spec, groups: Sequence[Seeds]) -> list[str]:
    """Return the notes on what rows changed in their preset, where the caption has not room for all."""
    return words_on_changes(groups, [column.task for column in spec.columns])[1]


def _ours(spec: Spec, groups: Sequence[Seeds]) -> str:
    if not groups:
        return "no run yet"
    results = [result for seeds in groups for result in seeds]
    tasks = list(dict.fromkeys(column.task for column in spec.columns))
    usual = usual_presets(groups)
    others = " (others are named in the rows)" if any(result.preset not in usual for result in results) else ""
    first = replace(representative_result(results), preset=" and ".join(sorted(usual)) + others)
    sets = list(dict.fromkeys(data_set(result) for result in results))
    changed, _ = words_on_changes(groups, tasks)
    return "; ".join(
        [*sets, *protocol(first, search="search" in tasks, changed=changed), *run_conditions(results, tasks)]
    )
