"""What tables say of how histories were split and read, and of the order of item ids that tells next items."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

from benchmark.results.result_files import Result

BEYOND_CHANCE = 3.29  # standard errors above one half from which a warning is given: 1 in 2,000 by chance


def histories_in_words(result: Result) -> str:
    """Return 'split at 2014-03-05, time:0.9, ties shuffled'; '' where both are the papers'.

    A split that withholds items says how many.
    """
    own = result.config.get("protocol") or {}
    cut, withheld, said = own.get("cut"), own.get("withheld"), result.history_protocol
    if withheld is not None:
        return f"{said} ({withheld:,} items withheld from learning)"
    return said.replace("split time", f"split at {cut}, time", 1) if cut else said


def warning_on_order(results: Sequence[Result]) -> list[str]:
    """Return a sentence where next items have a greater id than the item before them too often to be chance."""
    counts = next((of for r in results if "targets_compared" in (of := r.counts.get("recommendation", {}))), None)
    if not counts or not counts["targets_compared"]:
        return []
    greater, compared = counts["targets_with_greater_id"], counts["targets_compared"]
    if greater - compared / 2 < BEYOND_CHANCE * sqrt(compared) / 2:
        return []
    return [
        f"Order of ids: {greater / compared:.1%} of the {compared:,} next items have a greater item id than the item "
        "before them (chance 50%). Where the events of one time stamp stand in the order of their ids, as in Amazon's "
        "5-core files, a method that learns this order gains by an accident of the file; the control row alphabet uses "
        "nothing else, besides popularity. --ties shuffled is the other reading, for data with time stamps."
    ]
