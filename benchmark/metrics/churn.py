"""Do later events need IDs that no earlier event has? For splits by time: what a generator has never written before.

Over the events after the cut (each test user's next item), against the training events, all of which are before it:

    new_item             share of events whose item no training event has
    new_prefix@d         share of events whose first d codes no training event has; at most new_item
    code_drift@1         total variation distance of the first codes of training events and of later ones:
                         1/2 sum_c |p_c - q_c|, 0 where people take the codes as often as before, 1 where none twice

IDs of new items that stand under old prefixes let a generator reach them: new_prefix@d is then far below new_item.
SIDInspector (arXiv 2606.10375) names temporal churn among its checks of IDs; these definitions are ours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

DEPTHS = (1, 2, 3)


def churn(ids: Mapping[str, tuple[int, ...]], earlier: Sequence[str], later: Sequence[str]) -> dict[str, float]:
    """Return the metrics from item -> codes before the dedup counter and the items of both periods' events.

    Returns {} where one of them has no event. Raises KeyError for an item without codes.
    """
    if not earlier or not later:
        return {}
    known, n = set(earlier), len(later)
    metrics = {"new_item": sum(item not in known for item in later) / n}
    for depth in DEPTHS[: max(map(len, ids.values()))]:
        prefixes = {ids[item][:depth] for item in known}
        metrics[f"new_prefix@{depth}"] = sum(ids[item][:depth] not in prefixes for item in later) / n
    before, after = (Counter(ids[item][0] for item in events) for events in (earlier, later))
    codes = before.keys() | after.keys()
    metrics["code_drift@1"] = sum(abs(before[c] / len(earlier) - after[c] / n) for c in codes) / 2
    return metrics
