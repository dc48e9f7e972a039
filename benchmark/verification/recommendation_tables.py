"""The numbers of the tables beyond-accuracy and recommendation-by-history, by counting items and levels one by one.

Definitions are those of `benchmark.metrics.beyond_accuracy` and of the tables' notes.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import combinations
from statistics import fmean

from benchmark.verification.files import lines, read_histories, read_qrels, read_run
from benchmark.verification.findings import Absent
from benchmark.verification.ranking import Rankings
from benchmark.verification.stored import Stored

TASK = "recommendation"
GROUPS = ("short", "medium", "long")
Numbers = Mapping[str, float | Mapping[str, float]]  # measure or header -> a number of a run, or one of each user


def beyond_accuracy(result: Stored) -> Numbers:
    """Return the numbers of a run, by measure."""
    items = result.items
    if items is None:
        raise Absent("the items file is not there")
    users = read_qrels(result.folder / f"qrels.{TASK}.txt")
    ranked = read_run(result.folder / f"run.{TASK}.trec")
    first = {user: ranked[user][:10] for user in users if user in ranked}
    taken = Counter(item for history in read_histories(result.of_split("histories")) for item in history)
    shown = Counter(item for top in first.values() for item in top)
    times = sorted(shown.get(item, 0) for item in items)
    rank_sum = sum(rank * n for rank, n in enumerate(times, 1))
    share = _shares_below(Counter(taken.get(item, 0) for item in items))
    bits = {item: -math.log2(max(taken.get(item, 0), 1) / taken.total()) for item in shown} if taken else {}
    return {
        "coverage@10": len(shown) / len(items),
        "item_gini@10": 2 * rank_sum / (len(times) * sum(times)) - (len(times) + 1) / len(times) if shown else 0.0,
        "novelty@10": {user: fmean(bits[item] for item in top) for user, top in first.items() if bits},
        "popularity@10": {user: fmean(share[taken.get(item, 0)] for item in top) for user, top in first.items()},
        "diversity@10": {
            user: 1 - fmean(pairs) for user, top in first.items() if (pairs := _similarities([items[i] for i in top]))
        },
    }


def _shares_below(items_with: Counter[int]) -> dict[int, float]:
    """Return events -> share of the items with fewer, and half of those with as many."""
    n = items_with.total()
    return {e: (sum(m for f, m in items_with.items() if f < e) + items_with[e] / 2) / n for e in items_with}


def _similarities(paths: Iterable[tuple[str, ...]]) -> list[float]:
    found = []
    for a, b in combinations([path for path in paths if path], 2):
        common = 0
        while common < min(len(a), len(b)) and a[common] == b[common]:
            common += 1
        found.append(common / max(len(a), len(b)))
    return found


def by_history(result: Stored) -> Numbers:
    """Return the metrics of the users of each group, by header."""
    grades = read_qrels(result.folder / f"qrels.{TASK}.txt")
    rankings = Rankings(grades, read_run(result.folder / f"run.{TASK}.trec"), None, 10)
    events = {words[0]: len(words) - 1 for _, line in lines(result.of_split("histories")) if (words := line.split())}
    length = {user: events.get(user, 0) for user in grades}
    ends = [_nearest(length.values(), len(grades) * part / 3) for part in (1, 2)]
    found: dict[str, dict[str, float]] = {}
    for measure in ("R@10", "nDCG@10"):
        values = dict(zip(grades, rankings.values(measure).tolist(), strict=True))
        for group, name in enumerate(GROUPS):
            users = [user for user in grades if sum(length[user] > end for end in ends) == group]
            if users:
                low, high = min(length[user] for user in users), max(length[user] for user in users)
                span = f"{low}" if low == high else f"{low} to {high}"
                header = f"{measure}, {name}: {span} event{'s' if high != 1 else ''} (n = {len(users):,})"
                found[header] = {user: values[user] for user in users}
    return found


def _nearest(lengths: Iterable[int], wanted: float) -> int:
    """Return the length up to which the number of users is nearest to the one that is wanted, of two the shorter."""
    counts = Counter(lengths)
    return min(sorted(counts), key=lambda end: abs(sum(n for length, n in counts.items() if length <= end) - wanted))
