"""Checks human-evaluation.json: accuracies, intervals and agreement from the judgments in it, groups from the IDs."""

from __future__ import annotations

import math
from collections import Counter
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.verification.digests import check_own_digest
from benchmark.verification.files import read_ids, read_json
from benchmark.verification.findings import MISSING, NO_DIGESTS, WRONG, Absent, Findings, Flaw

FILE = "human-evaluation.json"
WITHOUT_DIGEST = {"format", "rows", "alpha", "judges", "dataset", "page", "prefix", "results", "questions"}  # until 0.1


def check_judgments(runs: Path, findings: Findings) -> None:
    """Check the file in a folder of runs; without one there is nothing to check."""
    if not (runs / FILE).is_file():
        return
    try:
        content = read_json(runs / FILE)
        _check_rows(content, findings)
        _check_groups(content, runs, findings)
        if content.keys() == WITHOUT_DIGEST:
            findings.add(NO_DIGESTS, FILE, FILE, "an older version wrote it")
        else:
            check_own_digest(runs / FILE, FILE, findings)
    except Flaw as error:
        findings.add(WRONG, FILE, "the file", str(error))
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        findings.add(WRONG, FILE, "the file", f"is not of the suite's format: {error!r}")


def _check_rows(content: dict[str, Any], findings: Findings) -> None:
    said = [[a for a in question["answers"].values() if a in ("yes", "no")] for question in content["questions"]]
    for label, row in content["rows"].items():
        own = [a for question, a in zip(content["questions"], said, strict=True) if label in question["labels"] and a]
        share = (
            float(np.mean([np.mean([answer == "yes" for answer in answers]) for answers in own])) if own else math.nan
        )
        low, high = _wilson(share, len(own)) if own else (math.nan, math.nan)
        due = {"accuracy": share, "low": low, "high": high, "groups": len(own), "judgments": sum(map(len, own))}
        for name, value in due.items():
            findings.compare(FILE, f"{label}, {name}", row[name], value, "the judgments")
    alpha = _alpha(said)
    if (alpha is None) != (content["alpha"] is None):
        findings.add(WRONG, FILE, "alpha", f"says {content['alpha']!r}, the judgments give {alpha!r}")
    elif alpha is not None:
        findings.compare(FILE, "alpha", content["alpha"], alpha, "the judgments")
    judges = {judge for question in content["questions"] for judge in question["answers"]}
    if not judges <= {str(number) for number in range(1, content["judges"] + 1)}:
        findings.add(WRONG, FILE, "judges", f"says {content['judges']!r}, there are answers of {len(judges)}")


def _check_groups(content: dict[str, Any], runs: Path, findings: Findings) -> None:
    prefix = content["prefix"]
    for label, place in content["results"].items():
        try:
            ids = read_ids(runs / place / "ids.tsv")
        except Absent:
            findings.add(MISSING, FILE, label, f"{place}/ids.tsv, from which its groups were drawn, is not there")
            continue
        for number, question in enumerate(content["questions"], 1):
            if label not in question["labels"]:
                continue
            findings.checked += 1
            if len({ids.get(item, (item,))[:prefix] for item in question["items"]}) != 1:
                findings.add(WRONG, FILE, f"question {number}", f"{label} does not put these items together")


def _wilson(share: float, n: int) -> tuple[float, float]:
    """The two shares whose distance to ours is 1.96 of their own standard errors: roots of a quadratic."""
    z2 = 1.959963984540054**2
    low, high = sorted(np.roots([1 + z2 / n, -2 * share - z2 / n, share**2]).real.tolist())
    return max(0.0, low), min(1.0, high)


def _alpha(units: list[list[str]]) -> float | None:
    """1 - disagreement within units / disagreement of all values, over pairs."""
    paired = [values for values in units if len(values) > 1]
    counts = Counter(value for values in paired for value in values)
    if len(counts) < 2:
        return None
    within = sum(2 * sum(a != b for a, b in combinations(values, 2)) / (len(values) - 1) for values in paired)
    n = counts.total()
    across = sum(counts[a] * (n - counts[a]) for a in counts)
    return 1 - (n - 1) * within / across
