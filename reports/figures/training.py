"""The training study: reconstruction macro-F1, perplexity of the codes and diff ratio over a training's stages.

The paper's figure shows what becomes of them without the reconstructor's warm-up, the warm-up without codes, and the
contrastive loss; here a line is a label, so that every part that a run left out has a line of its own:

    benchmark run --methods lmindexer,plain=lmindexer --set plain.no_code_warmup=false ...

Stages follow each other on the x axis, each one unit long whatever its number of steps, so that labels which leave
out a stage still meet in the others.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from benchmark.reports.figures import style
from benchmark.reports.figures.categories import file_parts, labels_of_ids
from benchmark.reports.figures.layout import Drawn, Figure, Options
from benchmark.reports.figures.reading import read_log
from benchmark.reports.figures.style import draw_line, legend_below, new_figure, shown
from benchmark.reports.tables.captions import data_set, protocol
from benchmark.reports.tables.cells import T_SEEDS, mean_cell
from benchmark.reports.tables.layout import Cell
from benchmark.results.result_files import Result, group_seeds

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MEASURES = {"macro_f1": "macro-F1", "perplexity": "perplexity", "diff_ratio": "diff ratio"}
LAST = "full"  # the stage of a position that comes behind its others

BESIDE = 0.3  # of a stage: lines that meet at one place stand side by side there, so that none hides another

Place = tuple[str, float]  # a stage and the share of its steps that are done


@dataclass(frozen=True)
class Study:
    """The measurements of one row: seed -> measure -> place -> value."""

    seeds: tuple[Result, ...]
    measured: dict[int, dict[str, dict[Place, float]]]  # by seed

    def curve(self, measure: str) -> dict[Place, Cell]:
        """Return the measure's mean over the seeds at every place where one of them measured it."""
        values: dict[Place, list[float]] = {}
        for of_seed in self.measured.values():
            for place, value in of_seed.get(measure, {}).items():
                values.setdefault(place, []).append(value)
        return {place: mean_cell(found) for place, found in values.items()}

    def holds(self, other: Study) -> bool:
        """True if the other's measurements are all among these: the same training, of which more was made later."""
        same = self.seeds[0].label == other.seeds[0].label
        return same and all(self.measured.get(seed) == found for seed, found in other.measured.items())


def draw(results: Sequence[Result], options: Options) -> list[Drawn]:
    """Return one figure per protocol whose logs hold measurements, one line per row label."""
    protocols: dict[Any, list[Study]] = {}
    for seeds in sorted(group_seeds(results), key=len, reverse=True):
        study = Study(seeds, {result.seed: found for result in seeds if (found := _measured(result))})
        others = protocols.setdefault(seeds[0].protocol[:-1], [])
        if study.measured and not any(other.holds(study) for other in others):
            others.append(study)
    return [_draw(studies) for _, studies in sorted(protocols.items(), key=lambda pair: str(pair[0])) if studies]


def _measured(result: Result) -> dict[str, dict[Place, float]]:
    log = read_log(result)
    steps: dict[str, int] = {}
    for record in log:
        steps[record["stage"]] = max(record["step"], steps.get(record["stage"], 1))
    found: dict[str, dict[Place, float]] = {}
    for record in log:
        for measure in MEASURES.keys() & record.keys():
            place = (record["stage"], record["step"] / steps[record["stage"]])
            found.setdefault(measure, {})[place] = float(record[measure])
    return found


def _draw(studies: Sequence[Study]) -> Drawn:
    rows = sorted(zip(labels_of_ids([study.seeds[0] for study in studies]), studies, strict=True), key=itemgetter(0))
    curves = {measure: [study.curve(measure) for _, study in rows] for measure in MEASURES}
    measures = [measure for measure in MEASURES if any(curves[measure])]
    places = {place for measure in measures for curve in curves[measure] for place in curve}
    stages = sorted({stage for stage, _ in places}, key=stage_order)
    figure = new_figure(0.45 + 0.95 * len(measures))
    panels = figure.subplots(len(measures), 1, sharex=True, squeeze=False)[:, 0]
    for axes, measure in zip(panels, measures, strict=True):
        for number, curve in enumerate(curves[measure]):
            aside = BESIDE * ((number + 0.5) / len(rows) - 0.5)
            points = [(stages.index(stage) + done + aside, cell) for (stage, done), cell in curve.items()]
            draw_line(axes, number, sorted(points, key=itemgetter(0)))
        axes.set_ylabel(MEASURES[measure])
        axes.margins(y=0.12)
        axes.grid(axis="y")
        for boundary in range(1, len(stages)):
            axes.axvline(boundary, color="#BBBBBB", linewidth=0.5, linestyle=(0, (2, 2)), zorder=0)
    _name_stages(panels[-1], stages)
    panels[-1].set_xlim(0, len(stages) + BESIDE)
    for axes in panels:
        axes.tick_params(axis="x", length=0)
    legend_below(figure, [draw_line(None, number, []) for number in range(len(rows))], [name for name, _ in rows])
    return Drawn("Training study", _caption(rows), figure, file_parts(studies[0].seeds[0]))


def _name_stages(axes: Axes, stages: Sequence[str]) -> None:
    """Write the stages under the axis; where they do not fit, what comes before the last dot, once for all it has."""
    prefixes = {re.split(r"\d", stage, maxsplit=1)[0] for stage in stages}
    common = prefixes.pop() if len(prefixes) == 1 else ""  # position1.full -> position
    names = [stage.removeprefix(common) or stage for stage in stages]
    width = 0.8 * style.COLUMN * style.POINTS
    parts = [name.split(".") for name in names]
    if max(style.text_width(part) for words in parts for part in words) > width / len(stages):
        parts = [[name.rpartition(".")[0] or name] for name in names]
    groups = [(w, [at for at, _ in same]) for w, same in groupby(enumerate(parts), key=itemgetter(1))]
    texts = ["\n".join(shown(words, width / len(groups))) for words, _ in groups]
    axes.set_xticks([(places[0] + places[-1] + 1) / 2 for _, places in groups], texts)
    axes.set_xlabel(shown([f"{common} and stage" if common else "stage"], width)[0])


def stage_order(stage: str) -> tuple[Any, ...]:
    """Sort stages as they are trained: position by position, the full training behind its warm-up."""
    numbers = [int(number) for number in re.findall(r"\d+", stage)]
    return numbers, stage.rpartition(".")[2] == LAST, stage


def _caption(rows: Sequence[tuple[str, Study]]) -> str:
    results = [result for _, study in rows for result in study.seeds]
    parts = [data_set(results[0]), *protocol(results[0], search=False)]
    seeds = sorted({result.seed for result in results})
    parts.append(f"seed{'s' * (len(seeds) > 1)} {', '.join(map(str, seeds))}")
    bars = " Bars are 95% t intervals over seeds." if any(len(study.seeds) >= T_SEEDS for _, study in rows) else ""
    return (
        f"{'; '.join(parts)}. Measured at the end of every epoch, perplexity on all training items, the others on a "
        "sample of them; the stages of the training follow "
        "each other, each one unit long; lines stand a little side by side. Diff ratio: different codes among an item "
        f"and items with the same prefix, divided by their number.{bars}"
    )


TRAINING = Figure(
    "training", "Training study",
    "log.jsonl files with macro_f1, perplexity or diff_ratio: benchmark run --methods lmindexer --dataset demo", draw,
)  # fmt: skip
