"""Figures from result files: category distributions of the codes, the training study, sweeps, scores with intervals.

A figure is declared like a table, `Figure(name, title, needs, draw)`, and registered under the entry point group
`benchmark.figures`; `drawing.py` writes the registered ones. matplotlib is imported where something is drawn.
"""

from benchmark.reports.figures.drawing import figures_svg
from benchmark.reports.figures.layout import Drawn, Figure, Options

__all__ = ["Drawn", "Figure", "Options", "figures_svg"]
