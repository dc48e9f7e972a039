"""What a table is: its declaration (`Declaration`, `Column`) and its filled form (`FilledTable`, `Row`, `Cell`).

A renderer turns filled tables into text. Nothing here needs more than the standard library.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmark.results.result_files import Result

MISSING = "–"
SCRATCH = "scratch"  # the backbone without pretrained weights


@dataclass(frozen=True)
class Column:
    """One column: a metric of the table's task, a cost, or what several seeds have in common.

    Cost keys: `seconds` (all stages), `seconds.<stage>` (a stage and its parts), `peak_memory` and `peak_memory.gpu`
    (bytes, the largest of all stages), `<fact>` (the largest over tasks) and `<fact>.<task>`.
    """

    key: str
    header: str
    digits: int = 4
    higher_is_better: bool | None = True  # None: neither
    source: str = "metrics"  # or "cost", "seeds" (from the IDs of all seeds of a row), "files" (from run files), ..
    scale: float = 1.0
    note: str = ""  # a footnote for the tables that show this column
    task: str = ""  # where the table's columns are of several tasks
    dataset: str = ""  # where they are of several data sets
    metric: str = ""  # where the key is not the metric's own name
    description: str = ""  # what the numbers are, for tooltips

    @property
    def measure(self) -> str:
        """The metric's name in result files."""
        return self.metric or self.key


@dataclass(frozen=True)
class Declaration:
    """What a table shows; `task` names the metrics it reads ('' for a table of costs)."""

    name: str
    title: str
    task: str
    columns: tuple[Column, ...]
    footnotes: tuple[str, ...] = ()
    group: str = ""  # tables of a group are shown when the group or the table is asked for
    row_header: str = "Method"
    shows_seeds: bool = True
    with_plugins: bool = False  # metrics of plugins and of `--metrics` for the table's task become further columns
    headline: tuple[Column, ...] | None = None  # the columns of the overview; None: all, (): it is not in there

    @property
    def of_costs(self) -> bool:
        """Costs compare on one device only, so such a table is built per device."""
        return any(column.source == "cost" for column in self.columns)


@dataclass(frozen=True)
class Published:
    """A published value and how ours stands to it."""

    value: float
    verdict: str = ""  # ok, off or not comparable; '' where there is none of ours
    reasons: tuple[str, ...] = ()  # why not comparable, and what the source leaves unknown
    marks: str = ""  # the letters of these reasons in the footnotes


@dataclass(frozen=True)
class Cell:
    """Mean over n seeds, its 95% interval where there is one, and whether it is bold.

    Half the width is that of a symmetric interval; one that has `low` and `high` alone is shown by them.
    """

    mean: float | None = None
    half_width: float | None = None
    n: int = 0
    bold: bool = False
    low: float | None = None
    high: float | None = None
    interval: str = (
        ""  # over seeds: t; over seeds and queries or users: bootstrap, bounded, exact; over judged groups: judgments
    )
    published: Published | None = None
    results: tuple[Result, ...] = ()  # the result of each seed: provenance
    gap: str = ""  # what stands in place of a number that is not there

    @property
    def difference(self) -> float | None:
        """How much larger ours is than the published value, relative to that."""
        if self.published is None or self.mean is None or not self.published.value:
            return None
        return self.mean / self.published.value - 1


@dataclass(frozen=True)
class Row:
    """One method with one configuration."""

    label: str
    seeds: tuple[int, ...]
    cells: tuple[Cell, ...]
    control: bool = False
    results: tuple[Result, ...] = ()  # the result of each seed: provenance
    group: str = ""  # A, B, .. of rows that may be tested against each other; '' where all may

    @property
    def from_scratch(self) -> bool:
        """Does the method's own language model start from random weights?"""
        configs = [result.config.get("method") or {} for result in self.results]
        return any(config.get("backbone") == SCRATCH for config in configs)

    @property
    def title(self) -> str:
        """The label as tables show it."""
        said = [
            *([SCRATCH] if self.from_scratch else []), *(["control"] if self.control else []),
            *([f"group {self.group}"] if self.group else []),
        ]  # fmt: skip
        return f"{self.label} ({', '.join(said)})" if said else self.label


@dataclass(frozen=True)
class FilledTable:
    """A table for one protocol, ready for a renderer."""

    table: Declaration
    columns: tuple[Column, ...]  # those that have a value
    rows: tuple[Row, ...]
    caption: str
    footnotes: tuple[str, ...]


def parts_of_note(note: str) -> list[tuple[str, bool]]:
    """Return a note in parts, and of each whether it is what one types: what stands between backticks."""
    words = note.split("`")
    return [(word, i % 2 == 1) for i, word in enumerate(words) if word] if len(words) % 2 else [(note, False)]


def cell_text(column: Column, cell: Cell, plus_minus: str = " ± ") -> str:
    """Return a cell as text: the number, its interval and the published value, each where there is one."""
    own = own_text(column, cell, plus_minus)
    return f"{own} ({published_text(column, cell)})" if cell.published else own


def own_text(column: Column, cell: Cell, plus_minus: str = " ± ") -> str:
    """Return our number with its interval where there is one."""
    if cell.mean is None:
        return cell.gap or MISSING
    mean, half_width, low, high = (
        "" if value is None else f"{value:z,.{column.digits}f}"
        for value in (cell.mean, cell.half_width, cell.low, cell.high)
    )
    if half_width:
        return f"{mean}{plus_minus}{half_width}"
    return f"{mean} [{low}, {high}]" if low else mean


def published_text(column: Column, cell: Cell) -> str:
    """Return 'paper 0.3563, +25.9%, off', '.., off, uncertain a' or '.., n/c a,b'; '' without a published value."""
    published, difference = cell.published, cell.difference
    if published is None:
        return ""
    parts = [f"paper {published.value:,.{column.digits}f}"]
    if difference is not None:
        parts.append(f"{difference:+.1%}")
    if published.verdict:
        own = "n/c" if published.verdict == "not comparable" else published.verdict
        unknown = ", uncertain" if own != "n/c" and published.reasons else ""
        parts.append(f"{own}{unknown} {published.marks}".strip())
    return ", ".join(parts)
