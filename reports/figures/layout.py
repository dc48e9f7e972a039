"""What a figure is: its declaration (`Figure`) and its drawn form (`Drawn`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import matplotlib.figure

    from benchmark.results.result_files import Result


@dataclass(frozen=True)
class Options:
    """What the command line lets people choose."""

    level: int | None = None  # of the category path, 1 is the most general; None: chosen from the data
    first_codes: tuple[int, ...] = ()  # whose second codes are shown; none: the largest


@dataclass(frozen=True)
class Drawn:
    """One drawn figure; `parts` tell the figures of one declaration apart and become part of the file's name."""

    title: str
    caption: str  # what the numbers are: data set, protocol, seeds, how to read it
    figure: matplotlib.figure.Figure
    parts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Figure:
    """A figure's declaration.

    `draw` returns one figure per protocol (and method, where each has its own) or none without data; `needs` says
    then what is missing. It is called with matplotlib's settings of `style.styled`.
    """

    name: str
    title: str
    needs: str
    draw: Callable[[Sequence[Result], Options], list[Drawn]]
