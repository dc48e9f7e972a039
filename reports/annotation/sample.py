"""Draws the groups of items that judges see: items whose IDs share their first codes, from several methods, shuffled.

A group is an item drawn evenly from all that have company, with others drawn evenly from the items that share its first
`prefix` codes; no method shows the same items twice. Items that two methods both put together are one question that
counts for both. Neither the codes' values nor the methods' names decide anything, so the page cannot give them away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmark.errors import UsageError

Codes = tuple[int, ...]


@dataclass(frozen=True)
class Question:
    """Items that are shown together, in the order shown, and the methods whose IDs put them together."""

    items: tuple[str, ...]
    labels: tuple[str, ...]


def draw(
    methods: Mapping[str, Mapping[str, Codes]], shown: Sequence[str], *, groups: int, size: int, prefix: int, seed: int
) -> list[Question]:
    """Return the questions in the order of the page.

    `methods` has the IDs of each method's items by label, `shown` the items that can be judged, in row order. Raises
    UsageError for a method with shorter IDs than `prefix`, or with too few groups.
    """
    labels: dict[frozenset[str], list[str]] = {}
    for number, (label, ids) in enumerate(methods.items()):
        rng = np.random.default_rng([seed, number])
        for items in _groups(label, ids, shown, groups, size, prefix, rng):
            labels.setdefault(items, []).append(label)
    rng = np.random.default_rng([seed, len(methods)])
    row_of = {item: row for row, item in enumerate(shown)}
    together = sorted(labels, key=lambda items: sorted(row_of[item] for item in items))
    questions = []
    for i in rng.permutation(len(together)).tolist():
        by_row = sorted(together[i], key=row_of.__getitem__)
        order = rng.permutation(size).tolist()
        questions.append(Question(tuple(by_row[place] for place in order), tuple(labels[together[i]])))
    return questions


def _groups(
    label: str, ids: Mapping[str, Codes], shown: Sequence[str], groups: int, size: int, prefix: int,
    rng: np.random.Generator,
) -> list[frozenset[str]]:  # fmt: skip
    members: dict[Codes, list[str]] = {}
    for item in shown:
        if len(ids[item]) >= prefix:
            members.setdefault(ids[item][:prefix], []).append(item)
    if not members:
        raise UsageError(f"--prefix {prefix}: the IDs of '{label}' have fewer codes")
    company = [item for item in shown if len(members.get(ids[item][:prefix], ())) >= size]
    found: dict[frozenset[str], None] = {}
    for row in rng.permutation(len(company)).tolist():
        if len(found) == groups:
            break
        others = [item for item in members[ids[company[row]][:prefix]] if item != company[row]]
        chosen = rng.choice(len(others), size - 1, replace=False).tolist()
        found.setdefault(frozenset((company[row], *(others[i] for i in chosen))))
    if len(found) < groups:
        raise UsageError(
            f"'{label}' has only {len(found)} groups of {size} items that share their first {prefix} codes, not "
            f"{groups}; lower --groups, --items or --prefix"
        )
    return list(found)
