"""IDs made unique in their own codes: items that share all codes move to other codes of the last position.

    nearest    of the items with one ID the one closest to its code keeps it; each of the others, closest first, takes
               the nearest code that no item behind the same prefix has
    sinkhorn   all items behind a prefix on which any collide are placed together, each code at most once, at a small
               sum of distances: entropic optimal transport, then rounded to one code per item

`nearest` is greedy, and moves as few items as it can. `sinkhorn` follows the uniform mapping of LC-Rec (Zheng et al.,
Adapting Large Language Models by Integrating Collaborative Semantics for Recommendation, ICDE 2024, section III-B):
its last codebook is shared out evenly by the Sinkhorn-Knopp algorithm (Cuturi, Sinkhorn Distances, NeurIPS 2013).
There every code must be used equally; here, behind one prefix, items are fewer than codes, so a slack row takes what
the items leave, and a code is used at most once. The plan is rounded by the assignment problem (Kuhn, 1955).

Behind a prefix with more items than the last position has codes nothing moves. Whatever still collides is told apart by
the dedup counter, which every ID gets in any case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmark.types.arrays import Float32, Int32, Int64
from benchmark.types.codes import Codes

COUNTER = "counter"
EPSILON = 0.01  # strength of the entropy, relative to the spread of a prefix's distances
ITERATIONS = 200

Distances = Callable[[Int64], Float32]  # rows -> distances to the codes of the last position [len(rows), size]


@dataclass(frozen=True)
class Unique:
    """Codes after the repair, how many items moved, and how many stay behind prefixes that are too full."""

    codes: Codes
    moved: int
    crowded: int


def make_unique(codes: Codes, by: str, distances: Distances) -> Unique:
    """Return the codes with the last position repaired by "nearest" or "sinkhorn"; by "counter" as they are.

    `distances` is asked once, for the items that may move. An item whose ID has no last position stays.
    """
    groups = list(_colliding(codes.values)) if by != COUNTER else []
    fitting = [rows for rows in groups if len(rows) <= codes.sizes[-1]]
    crowded = sum(map(len, groups)) - sum(map(len, fitting))
    if not fitting:
        return Unique(codes, 0, crowded)
    every = np.concatenate(fitting)
    found = _finite(distances(every))
    values, start = codes.values.copy(), 0
    for rows in fitting:
        costs, start = found[start : start + len(rows)], start + len(rows)
        values[rows, -1] = _nearest(costs, values[rows, -1]) if by == "nearest" else assigned(costs)
    moved = int((values != codes.values).any(axis=1).sum())
    return Unique(Codes(values, codes.sizes), moved, crowded)


def place_new(codes: Codes, new: Codes, distances: Distances) -> Codes:
    """Return the codes of new items, in row order each moved to the nearest code that is free behind its prefix.

    `codes` are those of the known items, which stay; `distances` are of the new ones. A new item keeps its codes where
    nobody has them, and where no code is free: the counter tells it apart then.
    """
    taken = set(map(tuple, codes.values.tolist()))
    values, found = new.values.copy(), _finite(distances(np.arange(len(new)))) if len(new) else None
    for row in range(len(new)):
        prefix, own = tuple(values[row, :-1].tolist()), tuple(values[row].tolist())
        if own in taken and own[-1] >= 0 and found is not None:
            order = np.argsort(found[row], kind="stable").tolist()
            values[row, -1] = next((code for code in order if (*prefix, code) not in taken), own[-1])
        taken.add(tuple(values[row].tolist()))
    return Codes(values, new.sizes)


def assigned(costs: Float32) -> Int32:
    """Return a code of its own for each item [n], for distances [n, n_codes] with n <= n_codes: Sinkhorn, rounded."""
    from scipy.optimize import linear_sum_assignment

    plan = transport(costs.astype(np.float64))
    codes: Int32 = linear_sum_assignment(plan, maximize=True)[1].astype(np.int32)
    return codes


def transport(costs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the logarithm of the plan [n, n_codes]: each item gives mass 1, each code takes 1, a slack row the rest.

    The plan maximises its entropy minus the transport's cost, which is scaled to a spread of 1 / EPSILON.
    """
    n, n_codes = costs.shape
    spread = float(np.ptp(costs))
    scores = -costs / (EPSILON * spread) if spread > 0 else np.zeros_like(costs)
    scores, mass = np.vstack([scores, np.full(n_codes, scores.mean())]), np.append(np.ones(n), n_codes - n)
    if n == n_codes:  # no slack
        scores, mass = scores[:-1], mass[:-1]
    of_rows = np.zeros((len(mass), 1))
    for _ in range(ITERATIONS):
        of_codes = -_log_sum(scores + of_rows, axis=0)
        before, of_rows = of_rows, np.log(mass)[:, None] - _log_sum(scores + of_codes, axis=1)
        if np.abs(of_rows - before).max() < 1e-3:
            break
    plan: NDArray[np.float64] = (scores + of_rows + of_codes)[:n]
    return plan


def _log_sum(values: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    largest = values.max(axis=axis, keepdims=True)
    sums: NDArray[np.float64] = largest + np.log(np.exp(values - largest).sum(axis=axis, keepdims=True))
    return sums


def _colliding(values: Int32) -> Iterator[Int64]:
    """Yield the rows behind each prefix of all codes but the last one behind which any two items have equal codes."""
    whole = np.flatnonzero(values[:, -1] >= 0)
    if not len(whole):
        return
    prefix = np.unique(values[whole, :-1], axis=0, return_inverse=True)[1].reshape(-1)
    order = np.lexsort((values[whole, -1], prefix))
    prefix, last, rows = prefix[order], values[whole, -1][order], whole[order]
    starts = np.r_[0, np.flatnonzero(np.diff(prefix)) + 1]
    repeats = np.r_[False, (np.diff(prefix) == 0) & (np.diff(last) == 0)]
    for own, again in zip(np.split(rows, starts[1:]), np.split(repeats, starts[1:]), strict=True):
        if again.any():
            yield np.sort(own)


def _nearest(costs: Float32, codes: Int32) -> Int32:
    """Return the codes of the items behind one prefix [n] after the greedy repair, for distances [n, n_codes]."""
    to_own = costs[np.arange(len(codes)), codes]
    found, free = codes.copy(), np.ones(costs.shape[1], bool)
    free[codes] = False
    kept: set[int] = set()
    for row in np.argsort(to_own, kind="stable").tolist():
        if (code := int(codes[row])) not in kept:
            kept.add(code)
            continue
        found[row] = np.where(free, costs[row], np.inf).argmin()
        free[found[row]] = False
    return found


def _finite(distances: Float32) -> Float32:
    """Return distances with infinite ones beyond all others, so that such codes are taken last."""
    there = np.isfinite(distances)
    beyond = float(distances[there].max(initial=0)) + float(np.ptp(distances[there]) if there.any() else 0) + 1
    return np.where(there, distances, np.float32(beyond))
