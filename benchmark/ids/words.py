"""Words that say what a group of items is about: those that it has more often than all others.

z-scores of log-odds with a Dirichlet prior, each word counted once per title (Monroe, Colaresi and Quinn, Fightin'
Words, Political Analysis 2008, equations 15 to 22), as the ID explorer of the HTML report shows them.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

WORD = re.compile(r"[^\W_](?:[^\W_]|[\u0300-\u036f])+")
PRIOR = 500  # words that the prior is worth, at most
SIGNIFICANT = 1.96


@dataclass(frozen=True)
class Distinctive:
    """A word, the titles of the group that have it, and its z-score."""

    word: str
    count: int
    z: float


class Words:
    """The words of all titles."""

    def __init__(self, titles: Sequence[str]) -> None:
        self.of = [frozenset(WORD.findall(title.lower())) for title in titles]
        self.counts = self._counted(range(len(titles)))
        self.total = self.counts.total()

    def distinctive(self, rows: Iterable[int], most: int) -> list[Distinctive]:
        """Return the words that these titles have significantly more often than the others, at least twice."""
        here = self._counted(rows)
        n, strength = here.total(), min(PRIOR, self.total)
        found = []
        for word, count in here.items():
            if count < 2:
                continue
            prior, rest = strength * self.counts[word] / self.total, self.counts[word] - count
            others = n + strength - count - prior, self.total - n + strength - rest - prior
            if min(others) <= 0:  # there is no other word to compare with
                continue
            own, other = math.log((count + prior) / others[0]), math.log((rest + prior) / others[1])
            z = (own - other) / math.sqrt(1 / (count + prior) + 1 / (rest + prior))
            if z > SIGNIFICANT:
                found.append(Distinctive(word, count, z))
        return sorted(found, key=lambda one: (-one.z, one.word))[:most]

    def _counted(self, rows: Iterable[int]) -> Counter[str]:
        return Counter(word for row in rows for word in self.of[row])
