"""Do items keep their IDs when the catalogue grows and the indexer is fitted again?

    changed            share of the old items whose codes differ
    changed (renamed)  the same after renaming the codes of each position so that as many items as possible agree

A new fit may give the same groups other numbers. Renaming finds, for each position apart, the one-to-one matching of
old and new codes with the most items in common (Kuhn, The Hungarian method for the assignment problem, 1955). Codes
that mean something else behind each prefix, as branches of a tree do, cannot be matched by position.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from benchmark.types.arrays import Int32, Int64
from benchmark.types.codes import padded

Ids = Mapping[str, Sequence[int]]  # item -> codes


def id_changes(old: Ids, new: Ids) -> dict[str, float]:
    """Return `changed`, `first_changed`, and both `.renamed`, as shares of the items of `old`.

    Raises KeyError for an item that has no new ID.
    """
    length = max(max(map(len, old.values())), max(len(new[item]) for item in old))
    before, after = (padded([ids[item] for item in old], length) for ids in (old, new))
    renamed = renamed_codes(before, after)
    found = {}
    for name, codes in (("", after), (".renamed", renamed)):
        differ = codes != before
        found[f"changed{name}"] = float(differ.any(axis=1).mean())
        found[f"first_changed{name}"] = float(differ[:, 0].mean())
    return found


def renamed_codes(before: Int32, after: Int32) -> Int64:
    """Return the codes `after` [n, length] under the names of `before`, each position on its own.

    -1 stays, and a code without a match becomes -2.
    """
    return np.column_stack([_renamed(*columns) for columns in zip(before.T, after.T, strict=True)])


def _renamed(before: Int32, after: Int32) -> Int64:
    """Return the codes `after` [n] under the names of `before`; -1 stays, and a code without a match becomes -2."""
    from scipy.optimize import linear_sum_assignment

    names = [np.unique(codes[codes >= 0]) for codes in (before, after)]
    both = (before >= 0) & (after >= 0)
    common = np.zeros((len(names[0]), len(names[1])), np.int64)
    places = [np.searchsorted(own, codes[both]) for own, codes in zip(names, (before, after), strict=True)]
    np.add.at(common, tuple(places), 1)
    rows, columns = linear_sum_assignment(common, maximize=True)
    new_name = np.full(len(names[1]), -2, np.int64)
    new_name[columns] = names[0][rows]
    renamed = np.full(len(after), -1, np.int64)
    renamed[after >= 0] = new_name[np.searchsorted(names[1], after[after >= 0])]
    return renamed
