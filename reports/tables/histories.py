"""What tables say of how histories were split and read, and of the order of item ids that tells next items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt

from benchmark.results.result_files import Result

RULES = {"keep": "ranked like any other", "zero": "the score is set to 0", "exclude": "left out of the ranking"}
BEYOND_CHANCE = 3.29  # standard errors from one half, from which on a warning is given: 1 in 1,000 by chance


def histories_in_words(result: Result) -> str:
    """Return 'split time:0.9 (from 2014-03-05 on), ties shuffled'; '' where both are the papers'.

    A split that withholds items says how many.
    """
    own, chosen = result.config.get("protocol") or {}, result.of_histories
    cut, withheld = own.get("cut"), own.get("withheld")
    if withheld is not None:
        chosen["split"] = f"{chosen['split']} ({withheld:,} items withheld from learning)"
    elif cut and not chosen.get("split", "").endswith(cut):
        chosen["split"] = f"{chosen['split']} (from {cut} on)"
    return ", ".join(f"{name} {value}" for name, value in chosen.items())


def as_in_papers(result: Result) -> bool:
    """Return whether histories were split and read as the papers do, and every user and query ranked."""
    return not (result.history_protocol or result.first_look)


def history_rule(result: Result) -> str | None:
    """Return what becomes of items that a user already has; generative rows keep them unless they say otherwise."""
    generative = result.config.get("generative")
    rule = (result.config.get("method") or {}).get("history") or (generative and generative.get("history", "keep"))
    return str(rule) if rule else None


def history_rules(labels: Sequence[str], groups: Sequence[Sequence[Result]]) -> list[str]:
    """Return a sentence on what becomes of items that a user already has, naming rows where they do not all agree."""
    of_rule: dict[str, list[str]] = {}
    for label, seeds in zip(labels, groups, strict=True):
        if rule := history_rule(seeds[0]):
            of_rule.setdefault(rule, []).append(label)
    if not of_rule:
        return []
    parts = [
        f"{RULES.get(rule, rule)} (history={rule})" + (f" in {', '.join(rows)}" if len(of_rule) > 1 else "")
        for rule, rows in of_rule.items()
    ]  # fmt: skip
    return [f"Items that a user already has: {'; '.join(parts)}."]


def share_of_order(results: Sequence[Result]) -> str:
    """Return '71.2% of the next items have a greater id than the item before them'; '' where no result counted them."""
    counts = _counts([result for result in results if not result.history_protocol])
    if not counts or not counts["targets_compared"]:
        return ""
    share = counts["targets_with_greater_id"] / counts["targets_compared"]
    return f"{share:.1%} of the next items have a greater item id than the item before them{_tied(counts)}"


def _counts(results: Sequence[Result]) -> Mapping[str, int] | None:
    counted = (result.counts.get("recommendation", {}) for result in results)
    return next((counts for counts in counted if "targets_compared" in counts), None)


def _tied(counts: Mapping[str, int]) -> str:
    """Say how many next items share their time stamp with another event of their user."""
    if "targets_tied" not in counts:
        return "; the data set has no time stamps"
    share = counts["targets_tied"] / max(counts["users"], 1)
    return f"; {share:.1%} of all next items share their time stamp with an event beside them"


def warning_on_order(results: Sequence[Result]) -> list[str]:
    """Return a sentence where ties in the order of the file may tell the next item by its id.

    That is: its id is greater than the one before it, or smaller, too often to be chance, and there are ties, or there
    may be some.
    """
    counts = _counts([result for result in results if "ties" not in result.of_histories])
    if not counts or not counts["targets_compared"] or not counts.get("targets_tied", 1):
        return []
    greater, compared = counts["targets_with_greater_id"], counts["targets_compared"]
    if abs(greater - compared / 2) < BEYOND_CHANCE * sqrt(compared) / 2:
        return []
    return [
        f"Order of ids: {greater / compared:.1%} of the {compared:,} next items have a greater item id than the item "
        f"before them (about 50% where ids say nothing){_tied(counts)}. Where the events of one time stamp stand in "
        "the order of their ids, as in Amazon's 5-core files, methods gain or lose by an accident of the file; the "
        "control row alphabet uses nothing else, besides popularity. --ties shuffled puts them in a random order, for "
        "data with time stamps."
    ]
