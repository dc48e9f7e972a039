"""Is the best row of a column significantly the best? A paired randomisation test over queries (or users).

Per-query values are averaged over seeds first; the row with the best mean is tested against every other row and the
p-values are Holm-corrected within the column.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmark.metrics.significance import FLIPS, MAX_QUERIES, holm, sign_flip_tests
from benchmark.reports.tables.scores import align, query_values

LEVEL = 0.05
BOLD = (
    "Bold: better than every other row (of its group, where rows have groups) by a paired "
    f"randomisation test over queries or users ({FLIPS:,} sign flips, beyond {MAX_QUERIES:,} their normal limit; "
    f"values averaged over seeds, taken as fixed; Holm-corrected over the rows of a column, p < {LEVEL})."
)
STAR = f"A star: better than every other row of its group (paired randomisation test, Holm-corrected, p < {LEVEL})."


@dataclass(frozen=True)
class Verdict:
    """Column -> the row that wins it; column -> (rows that cannot be told apart, largest p); rows without values."""

    winners: dict[int, int]
    undecided: dict[int, tuple[list[int], float]]
    lacking: list[int]


def significantly_best(
    files: Sequence[Sequence[Path]], measures: Sequence[str], means: Sequence[Sequence[float | None]],
    lower: Collection[int] = (),
) -> Verdict:  # fmt: skip
    """Test the best row of each column; files [rows][seeds] hold per-query values, means [rows][columns] choose it.

    In the columns `lower` the best row is the one with the lowest mean.
    """
    tables = [query_values(paths, measures) for paths in files]
    queries = _of_most_rows([table[0] for table in tables if table])
    aligned = [align((table[0], table[1].mean(axis=0)), queries) if table else None for table in tables]
    shown = [[column for column, mean in enumerate(row) if mean is not None] for row in means]
    lacking = [row for row, table in enumerate(aligned) if table is None or not np.isfinite(table[:, shown[row]]).all()]
    if lacking:
        return Verdict({}, {}, lacking)
    values = [table for table in aligned if table is not None]
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
    return Verdict(winners, undecided, [])


def _of_most_rows(lists: Sequence[list[str]]) -> list[str]:
    """Return the query ids that most rows have, so that the rows which differ are named and not the others."""
    if not lists:
        return []
    return max(lists, key=lambda ids: sum(len(ids) == len(other) and set(ids) == set(other) for other in lists))
