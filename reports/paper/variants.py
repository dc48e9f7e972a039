"""Which results stand in which row: the paper's rows by method and settings, every other method in rows of its own."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Container, Sequence
from dataclasses import dataclass

from benchmark.reports.paper.settings import expected_settings, holds, setting
from benchmark.reports.paper.spec import PaperRow, name_in_paper
from benchmark.reports.tables.cells import Seeds
from benchmark.reports.tables.conditions import meaning
from benchmark.reports.tables.labels import row_labels
from benchmark.reports.tables.layout import Column
from benchmark.results.result_files import Result


@dataclass(frozen=True)
class Variant:
    """One row of a filled table: a paper's row, results of one configuration on one or more data sets, or both."""

    row: PaperRow | None
    title: str
    groups: tuple[Seeds, ...] = ()

    def group(self, column: Column) -> Seeds | None:
        """Return the results that fill a column."""
        return next((seeds for seeds in self.groups if _serves(seeds, column.dataset, column.task)), None)

    @property
    def control(self) -> bool:
        return bool(self.groups) and self.groups[0][0].control


def arrange(rows: Sequence[PaperRow], groups: Sequence[Seeds], columns: Sequence[Column]) -> list[Variant]:
    """Return the paper's rows in order, one for each configuration that fills it, then the other methods."""
    buckets: dict[tuple[int, str], list[Seeds]] = {}
    for seeds in groups:
        at = next((number for number, row in enumerate(rows) if fills(row, seeds[0])), len(rows))
        buckets.setdefault((at, _configuration(seeds[0])), []).append(seeds)
    split = [(at, part) for (at, _), bucket in buckets.items() for part in _by_key(bucket, columns)]
    labels = row_labels([part[0][0] for _, part in split])
    usual = usual_presets(groups)
    variants = []
    for number, row in enumerate(rows):
        own = [(label, part) for label, (at, part) in zip(labels, split, strict=True) if at == number]
        variants += [Variant(row, _title(row, label, part, len(own), usual), part) for label, part in sorted(own)]
        if not own:
            variants.append(Variant(row, row.title))
    further = [
        Variant(None, _with_settings(label, _other_preset(label, part, usual)), part)
        for label, (at, part) in zip(labels, split, strict=True) if at == len(rows)
    ]  # fmt: skip
    return variants + sorted(further, key=lambda variant: (variant.control, variant.title))


def fills(row: PaperRow, result: Result) -> bool:
    """Does a result belong in a row of the paper, by its method and the settings that the row asks for?"""
    matching = all(holds(value, setting(result, key)) for key, value in row.match.items())
    return row.method == result.method and matching


def _configuration(result: Result) -> str:
    parts = [result.label, result.method, result.preset, result.config.get("method"), result.config.get("generative")]
    return json.dumps(parts, sort_keys=True, default=str)


def _by_key(bucket: list[Seeds], columns: Sequence[Column]) -> list[tuple[Seeds, ...]]:
    """One row for a configuration, unless two of its results claim one cell: then one row for each key."""
    cells = {(column.dataset, column.task) for column in columns}
    if all(sum(_serves(seeds, *cell) for seeds in bucket) <= 1 for cell in cells):
        return [tuple(bucket)]
    keys = dict.fromkeys(seeds[0].key for seeds in bucket)
    return [tuple(seeds for seeds in bucket if seeds[0].key == key) for key in keys]


def _serves(seeds: Seeds, dataset: str, task: str) -> bool:
    return name_in_paper(seeds[0]) == dataset and any(task in result.metrics for result in seeds)


def usual_presets(groups: Sequence[Seeds]) -> frozenset[str]:
    """Return the preset of most rows, and that of its meaning where a method calls it otherwise ('published')."""
    count = Counter(meaning(seeds[0].preset) for seeds in groups)
    usual = min(count, key=lambda preset: (-count[preset], preset), default="")
    return frozenset(seeds[0].preset for seeds in groups if meaning(seeds[0].preset) == usual)


def _other_preset(label: str, groups: Sequence[Seeds], usual: Container[str]) -> list[str]:
    """Return 'preset=tuned' for a row whose preset the caption does not name, unless its label says it."""
    preset = groups[0][0].preset
    return [] if preset in usual or "preset=" in label else [f"preset={preset}"]


def _with_settings(title: str, settings: Sequence[str]) -> str:
    return f"{title} [{', '.join(settings)}]" if settings else title


def _title(row: PaperRow, label: str, groups: Sequence[Seeds], count: int, usual: Container[str]) -> str:
    """The paper's name, with our label where that says more, and with encoder and preset where they are others."""
    title = row.title if count == 1 and label in (row.label, row.method) else f"{row.title}: {label}"
    result = groups[0][0]
    encoder = setting(result, "encoder.name")
    expected = expected_settings(row, name_in_paper(result)).get("encoder.name")
    other_encoder = [] if expected is None or holds(expected, encoder) else [f"encoder={encoder}"]
    return _with_settings(title, [*other_encoder, *_other_preset(title, groups, usual)])
