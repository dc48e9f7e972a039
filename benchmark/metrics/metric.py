"""What a metric is: its declaration, and for a plugin's also the function that computes it.

A plugin declares an `IdMetric` or a `QueryMetric` and registers it in its own pyproject.toml:

    [project.entry-points."benchmark.metrics"]
    hit5 = "my_package:HIT5"
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from typing import TYPE_CHECKING, Self

from benchmark.errors import BenchmarkError

if TYPE_CHECKING:
    from benchmark.types.codes import Codes
    from benchmark.types.data import Corpus, Histories

BETTER = {True: "higher is better", False: "lower is better", None: "neither high nor low is better"}
RANKED = ("recommendation", "search")  # the tasks that have rankings
PLACE = re.compile(r"<(\w)>")  # where a family's names have a number


@dataclass(frozen=True)
class Metric:
    """A number that result files hold, or a family of numbers whose names differ in a depth or cutoff: 'R@<k>'.

    Description, header and footnote of a family may hold the same `<k>`; a footnote may hold `{description}`.
    """

    name: str
    description: str  # one line, without a full stop
    _: KW_ONLY
    tasks: tuple[str, ...] = ()  # () for costs
    unit: str = ""  # "" for a number without one
    higher_is_better: bool | None = True  # None: neither
    range: tuple[float, float] = (0.0, 1.0)
    digits: int = 4
    header: str = ""  # of its column; "" for the name
    footnote: str = ""  # of the tables that show it
    source: str = "metrics"  # result.json; or "cost" (cost.json), "seeds" (IDs of all seeds), "files" (of the run)
    scale: float = 1.0  # from the stored number to the unit

    def __post_init__(self) -> None:
        for what, text in (("name", self.name), ("description", self.description)):
            if not text.strip() or not text.isprintable():
                raise BenchmarkError(f"the metric {self.name!r}: its {what} must be one line of text")
        if not self.range[0] < self.range[1]:
            raise BenchmarkError(f"the metric '{self.name}': its range {self.range} is empty")

    def named(self, name: str) -> Self | None:
        """Return the metric of this name where it is this one or one of this family, else None."""
        return self._of_family(self.name, name)

    def titled(self, header: str) -> Self | None:
        """Return the metric whose column has this header where it is this one or one of this family, else None."""
        return self._of_family(self.title, header)

    def _of_family(self, pattern: str, text: str) -> Self | None:
        if text == pattern:
            return self
        parts = enumerate(PLACE.split(pattern))
        match = re.fullmatch("".join(rf"(?P<{part}>[1-9]\d*)" if i % 2 else re.escape(part) for i, part in parts), text)
        if match is None:
            return None
        name, description, header = (
            PLACE.sub(lambda place: match[place[1]], text) for text in (self.name, self.description, self.header)
        )
        return replace(self, name=name, description=description, header=header, footnote=self.note)

    @property
    def title(self) -> str:
        """The header of its column."""
        return self.header or self.name

    @property
    def note(self) -> str:
        """The footnote in full; one for all of a family."""
        return PLACE.sub(r"\1", self.footnote.replace("{description}", self.description))

    @property
    def range_text(self) -> str:
        """The range in words: '0 to 1', 'from 0'."""
        low, high = self.range
        return f"from {low:g}" if math.isinf(high) else f"{low:g} to {high:g}"


@dataclass(frozen=True, kw_only=True)
class IdMetric(Metric):
    """A plugin's metric of semantic IDs: one number for the codes of all items, before the dedup counter.

    `compute(codes, corpus, histories)` gets the training histories where the data set has any; it returns None where
    the number is undefined.
    """

    tasks: tuple[str, ...] = ("id-quality",)
    compute: Callable[[Codes, Corpus, Histories | None], float | None]

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.tasks != ("id-quality",):
            raise BenchmarkError(f"the metric '{self.name}': an IdMetric is of the task id-quality, not {self.tasks}")


@dataclass(frozen=True, kw_only=True)
class QueryMetric(Metric):
    """A plugin's metric of rankings: one number per user or query, so that it has intervals and tests.

    `compute(ranked, grades)` gets the ranked item ids, best first (none: nothing was found), and the judged items with
    their grades, of one user or query.
    """

    tasks: tuple[str, ...] = RANKED
    compute: Callable[[Sequence[str], Mapping[str, int]], float]

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.tasks or any(task not in RANKED for task in self.tasks):
            raise BenchmarkError(f"the metric '{self.name}': its tasks must be of {RANKED}, not {self.tasks}")
