"""Which items moved between two sets of IDs, and at which position.

Two fits may give the same groups other numbers, so the codes of B get the names of A first: at each position the
one-to-one matching under which most items agree (`benchmark.metrics.id_growth`). An item moved at the first position at
which it has another code then. Beside that stands the adjusted Rand index of the groups with equal first codes, which
needs no names: codes that mean something else behind each prefix, as those of `hc`, can only be compared by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmark.errors import UsageError
from benchmark.ids.id_set import IdSet
from benchmark.metrics.id_growth import renamed_codes
from benchmark.metrics.stability import adjusted_rand, group_numbers
from benchmark.terminal import table_lines
from benchmark.types.arrays import Int32, Int64
from benchmark.types.codes import padded


@dataclass(frozen=True)
class Depth:
    """One position: items that moved here first, those that have not moved so far, agreement of the groups."""

    position: int
    moved: int
    stable: int
    rand: float


@dataclass(frozen=True)
class Difference:
    """Two sets of IDs, item by item."""

    items: tuple[str, ...]  # that both have
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]
    a: Int32  # codes [n_items, length], -1 pads
    b: Int32
    renamed: Int64  # b under the names of a; -2 for a code without a match
    position: Int64  # [n_items] where each item moved, from 1 on; 0: nowhere

    @property
    def depths(self) -> list[Depth]:
        """The stability at each position."""
        found, stable = [], len(self.items)
        for position in range(1, self.a.shape[1] + 1):
            moved = int((self.position == position).sum())
            stable -= moved
            groups = [group_numbers(list(map(tuple, codes[:, :position].tolist()))) for codes in (self.a, self.b)]
            rand = adjusted_rand(groups[0], groups[1]) if len(self.items) > 1 else 1.0
            found.append(Depth(position, moved, stable, rand))
        return found

    def moved(self) -> list[dict[str, Any]]:
        """Return the items that moved, those of the first positions first."""
        rows = [row for row in np.argsort(self.position, kind="stable").tolist() if self.position[row]]
        return [
            {"id": self.items[row], "position": int(self.position[row]),
             "a": _id(self.a[row]), "b": _id(self.b[row]), "b renamed": _id(self.renamed[row])}
            for row in rows
        ]  # fmt: skip

    def lines(self, a: str, b: str, most: int) -> list[str]:
        """Return the table of stability, and the first items that moved, as lines of text."""
        n, moved = len(self.items), self.moved()
        lines = [f"{n:,} items in both; {len(self.only_a):,} only in {a}, {len(self.only_b):,} only in {b}", ""]
        lines += table_lines(
            [[str(depth.position), f"{depth.moved:,}", f"{depth.moved / n:.1%}", f"{depth.stable:,}",
              f"{depth.stable / n:.1%}", f"{depth.rand:.3f}"] for depth in self.depths],
            header=("Position", "Moved here", "", "Not moved so far", "", "Adjusted Rand"), numbers=True, rule=True,
        )  # fmt: skip
        if moved and most:
            lines += ["", f"items that moved ({b}'s codes under the names of {a}; -2: a code that has none)"]
            names = ("a", "b renamed")
            shown = [["  " + one["id"], str(one["position"]), *("-".join(map(str, one[of])) for of in names)]
                     for one in moved[:most]]  # fmt: skip
            lines += table_lines(shown, header=("  Item", "Position", a, b))
            lines += [f"  and {len(moved) - most:,} more; --json has all"] if len(moved) > most else []
        return lines

    def as_json(self) -> dict[str, Any]:
        """Return everything as JSON values."""
        depths = [vars(depth) for depth in self.depths]
        alone = {"only in a": self.only_a, "only in b": self.only_b}
        return {"items": len(self.items), **alone, "positions": depths, "moved": self.moved()}


def difference(a: IdSet, b: IdSet) -> Difference:
    """Return how the IDs of the items of `a` and `b` differ. Raises UsageError where they share no item."""
    items = tuple(item for item in a.items if item in b.row_of)
    if not items:
        raise UsageError(f"{a.name} and {b.name} have no item in common (e.g. '{a.items[0]}' and '{b.items[0]}')")
    length = max(a.codes.length, b.codes.length)
    left, right = (padded([ids.id_of(ids.row_of[item]) for item in items], length) for ids in (a, b))
    renamed = renamed_codes(left, right)
    differ = renamed != left
    position = np.where(differ.any(axis=1), differ.argmax(axis=1) + 1, 0)
    only_a, only_b = (tuple(i for i in one.items if i not in other.row_of) for one, other in ((a, b), (b, a)))
    return Difference(items, only_a, only_b, left, right, renamed, position)


def _id(codes: Any) -> list[int]:
    """Return codes without padding; a code without a name in the other set stays -2."""
    return [code for code in codes.tolist() if code != -1]
