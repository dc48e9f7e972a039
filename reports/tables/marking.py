"""Is the best row of a column significantly the best? A paired randomisation test over queries (or users).

Per-query values are averaged over seeds first; the row with the best mean is tested against every other row and the
p-values are Holm-corrected within the column. The test takes the seeds as they are, so where rows have several the 95%
interval of the difference over seeds and queries must exclude 0 too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmark.metrics.significance import FLIPS, MAX_QUERIES, holm, sign_flip_tests
from benchmark.reports.tables.scores import Values, align_seeds, difference_limits, is_swapped, query_values

LEVEL = 0.05
BOLD = (
    "Bold: better than every other row with a value (of its group, where rows have groups) by a paired "
    f"randomisation test over queries or users ({FLIPS:,} sign flips, beyond {MAX_QUERIES:,} their normal limit; "
    f"values averaged over seeds; Holm-corrected over the rows of a column, p < {LEVEL}); with several seeds the 95% "
    "interval of the difference over seeds and queries excludes 0 too. Of a row with one seed, what other seeds would "
    "give is not counted."
)
STAR = f"A star: better than every other row of its group (paired randomisation test, Holm-corrected, p < {LEVEL})."


@dataclass(frozen=True)
class Verdict:
    """Which rows are the best, by column; a list of rows begins with the best one."""

    winners: dict[int, int]
    undecided: dict[int, tuple[list[int], float]]  # rows that the test cannot tell apart, largest p
    of_seeds: dict[int, list[int]]  # rows that it can, but that other seeds may put in another order
    lacking: list[int]  # rows without values per query, or of other queries


def significantly_best(
    files: Sequence[Sequence[Path]], measures: Sequence[str], means: Sequence[Sequence[float | None]],
    lower: Collection[int] = (),
) -> Verdict:  # fmt: skip
    """Test the best row of each column; files [rows][seeds] hold per-query values, means [rows][columns] choose it.

    In the columns `lower` the best row is the one with the lowest mean.
    """
    tables = [query_values(paths, measures) for paths in files]
    queries = _of_most_rows([table[0] for table in tables if table])
    aligned = [align_seeds(table, queries) if table else None for table in tables]
    shown = [[column for column, mean in enumerate(row) if mean is not None] for row in means]
    lacking = [r for r, table in enumerate(aligned) if table is None or not np.isfinite(table[:, :, shown[r]]).all()]
    if lacking:
        return Verdict({}, {}, {}, lacking)
    of_seeds = [table for table in aligned if table is not None]  # [rows][seeds, queries, columns]
    values = [table.mean(axis=0) for table in of_seeds]
    pairs, differences = [], []
    best_row: dict[int, int] = {}
    for column in range(len(measures)):
        present = [row for row in range(len(means)) if means[row][column] is not None]
        if len(present) < 2:
            continue
        sign = -1.0 if column in lower else 1.0
        best = best_row[column] = max(present, key=lambda row: sign * (means[row][column] or 0.0))
        for row in present:
            if row != best:
                pairs.append((column, row))
                differences.append(values[best][:, column] - values[row][:, column])
    p_values = sign_flip_tests(np.column_stack(differences)) if pairs else np.empty(0)
    winners: dict[int, int] = {}
    undecided: dict[int, tuple[list[int], float]] = {}
    for column, best in best_row.items():
        others = [index for index, (tested, _) in enumerate(pairs) if tested == column]
        corrected = holm([float(p_values[index]) for index in others])
        close = [pairs[index][1] for index, p in zip(others, corrected, strict=True) if p >= LEVEL]
        if close:
            undecided[column] = ([best, *close], max(corrected))
        else:
            winners[column] = best
    unsure = _unsure_over_seeds(winners, files, of_seeds, measures, shown, lower)
    return Verdict({c: best for c, best in winners.items() if c not in unsure}, undecided, unsure, [])


def _unsure_over_seeds(
    winners: Mapping[int, int], files: Sequence[Sequence[Path]], values: Sequence[Values], measures: Sequence[str],
    shown: Sequence[Sequence[int]], lower: Collection[int],
) -> dict[int, list[int]]:  # fmt: skip
    """Return column -> its best row and the rows whose difference to it has an interval that includes 0."""
    found: dict[int, list[int]] = {}
    if all(len(table) == 1 for table in values):
        return found
    for best in dict.fromkeys(winners.values()):
        columns = [column for column, winner in winners.items() if winner == best]
        names, others = [measures[column] for column in columns], [row for row in range(len(values)) if row != best]
        tables = [np.nan_to_num(values[row][:, :, columns]) for row in (best, *others)]
        swapped = [is_swapped(files[best], files[row]) for row in others]
        for row, (low, high) in zip(others, difference_limits(names, tables[0], tables[1:], swapped), strict=True):
            if len(values[best]) == len(values[row]) == 1:
                continue
            for i, column in enumerate(columns):
                least = -high[i] if column in lower else low[i]
                if column in shown[row] and least <= 0:
                    found.setdefault(column, [best]).append(row)
    return found


def _of_most_rows(lists: Sequence[list[str]]) -> list[str]:
    """Return the query ids that most rows have, so that the rows which differ are named and not the others."""
    if not lists:
        return []
    kinds = [(len(ids), frozenset(ids)) for ids in lists]
    rows = Counter(kinds)
    return max(zip(lists, kinds, strict=True), key=lambda pair: rows[pair[1]])[0]
