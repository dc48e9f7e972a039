"""What tables say of how histories were split and read, and of the order of item ids that tells next items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt

from benchmark.results.result_files import Result

BEYOND_CHANCE = 3.29  # standard errors above one half from which a warning is given: 1 in 2,000 by chance


def histories_in_words(result: Result) -> str:
    """Return 'split time:0.9 (cut 2014-03-05), ties shuffled'; '' where both are the papers'."""
    cut = (result.config.get("protocol") or {}).get("cut")
    said = result.history_protocol
    return said.replace("split time", f"split at {cut}, time", 1) if cut else said


def share_of_order(results: Sequence[Result]) -> str:
    """Return '71.2% of the next items have a greater id than the item before them'; '' where no result counted them."""
    counts = _counts([result for result in results if not result.history_protocol])
    if not counts or not counts["targets_compared"]:
        return ""
    share = counts["targets_with_greater_id"] / counts["targets_compared"]
    return f"{share:.1%} of the next items have a greater item id than the item before them (chance 50%){_tied(counts)}"


def _counts(results: Sequence[Result]) -> Mapping[str, int] | None:
    counted = (result.counts.get("recommendation", {}) for result in results)
    return next((counts for counts in counted if "targets_compared" in counts), None)


def _tied(counts: Mapping[str, int]) -> str:
    """Say how many next items share the time stamp of the item before them."""
    if "targets_tied" not in counts:
        return "; the data set has no time stamps"
    return f"; {counts['targets_tied'] / max(counts['users'], 1):.1%} of them share its time stamp"


def warning_on_order(results: Sequence[Result]) -> list[str]:
    """Return a sentence where next items have a greater id than the item before them too often to be chance."""
    counts = _counts(results)
    if not counts or not counts["targets_compared"]:
        return []
    greater, compared = counts["targets_with_greater_id"], counts["targets_compared"]
    if greater - compared / 2 < BEYOND_CHANCE * sqrt(compared) / 2:
        return []
    return [
        f"Order of ids: {greater / compared:.1%} of the {compared:,} next items have a greater item id than the item "
        f"before them (chance 50%){_tied(counts)}. Where the events of one time stamp stand in the order of their ids, "
        "as in Amazon's 5-core files, a method that learns this order gains by an accident of the file; the control "
        "row alphabet uses nothing else, besides popularity. --ties shuffled is the other reading, for data with time "
        "stamps."
    ]
