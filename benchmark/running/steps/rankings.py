"""What the stages `rank.<task>` leave behind: the ranked items of every test user or query as rankings.npz."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmark.running.material import Material
from benchmark.running.steps.logs import keep_logs
from benchmark.types.facts import Facts
from benchmark.types.method import Context
from benchmark.types.rankings import Rankings, check_rankings, single_precision, without

FILE = "rankings.npz"


def keep_rankings(
    folder: Path, task: str, rankings: Rankings, material: Material, depth: int, context: Context
) -> Facts:
    """Check and write rankings; return what was said of their making.

    Where queries are themselves items, one result more than `depth` is asked for (`results_to_ask`), and the query's
    own item is left out here.
    """
    check_rankings(rankings, material.asked(task), len(material.corpus), results_to_ask(task, material, depth))
    rankings, left_out = single_precision(rankings), material.left_out(task)
    if left_out is not None:
        rankings = without(rankings, left_out, depth)
        context.log(f"  note: {int((left_out >= 0).sum())} queries are items: each is left out of its own ranking")
    np.savez(folder / FILE, items=rankings.items, scores=rankings.scores)
    keep_logs(context.work, folder)
    return context.facts


def results_to_ask(task: str, material: Material, depth: int) -> int:
    """Return how many results a method is asked for, so that `depth` are there when a query's own item is left out."""
    return depth + (material.left_out(task) is not None)


def read_rankings(folder: Path) -> Rankings:
    """Return the rankings of a finished stage."""
    saved = np.load(folder / FILE)
    return Rankings(saved["items"], saved["scores"])
