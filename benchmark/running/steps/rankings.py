"""What the stages `rank.<task>` leave behind: the ranked items of every test user or query as rankings.npz."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmark.running.material import Material
from benchmark.running.steps.logs import keep_logs
from benchmark.types.facts import Facts
from benchmark.types.method import Context
from benchmark.types.rankings import Rankings, check_rankings, single_precision

FILE = "rankings.npz"


def keep_rankings(
    folder: Path, task: str, rankings: Rankings, material: Material, depth: int, context: Context
) -> Facts:
    """Check and write rankings; return what was said of their making."""
    check_rankings(rankings, material.asked(task), len(material.corpus), depth)
    rankings = single_precision(rankings)
    np.savez(folder / FILE, items=rankings.items, scores=rankings.scores)
    keep_logs(context.work, folder)
    return context.facts


def read_rankings(folder: Path) -> Rankings:
    """Return the rankings of a finished stage."""
    saved = np.load(folder / FILE)
    return Rankings(saved["items"], saved["scores"])
