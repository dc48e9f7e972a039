"""The suite's own tables: ID quality, ID structure, recommendation, search, costs; `build` fills any from results."""

from __future__ import annotations

from benchmark.metrics import ranking
from benchmark.metrics.collisions import READINGS
from benchmark.metrics.declared import COSTS
from benchmark.reports.tables.columns import columns
from benchmark.reports.tables.filling import build
from benchmark.reports.tables.layout import Cell, Column, FilledTable, Row, cell_text
from benchmark.reports.tables.table import Table

__all__ = [
    "COST", "ID_QUALITY", "ID_STRUCTURE", "ID_USE", "RECOMMENDATION", "SEARCH", "Cell", "Column", "FilledTable", "Row",
    "Table", "build", "cell_text",
]  # fmt: skip

BEFORE_COUNTER = "All values are taken before the dedup counter."
GROUPED = tuple(f"R@10 ({reading})" for reading in READINGS)
ID_QUALITY = Table(
    "id-quality", "ID quality", "id-quality",
    columns(
        "id-quality", "AMI", "AMI@depth2", "AMI@depth3", "AMI@level2", "NMI", "NMI (chance)", "co_purchase_lift@1",
        "co_purchase_lift@2", "stability@1",
    ),
    (BEFORE_COUNTER,),
    with_plugins=True, headline=columns("id-quality", "AMI", "co_purchase_lift@1", "unique"),
)  # fmt: skip
ID_STRUCTURE = Table(
    "id-structure", "ID structure", "id-quality",
    columns(
        "id-quality", "unique", "collision_rate", "largest_group", "codes_used@1", "dead_codes", "fan_out@2",
        "fan_out@3", "perplexity@1", "perplexity@2", "perplexity@3", "length",
    ),
    (BEFORE_COUNTER,), headline=(),
)  # fmt: skip
ID_USE = Table(
    "id-use", "ID use: how evenly codes are given out, and what they foretell", "id-quality",
    columns(
        "id-quality", "gini@1", "gini@1 (events)", "perplexity@1", "perplexity@1 (events)", "distinct (head)",
        "distinct (tail)", "next_entropy@1", "next_entropy@2", "next_AMI@1", "co_purchase_lift@1",
    ),
    (BEFORE_COUNTER,), group="details",
)  # fmt: skip
RECOMMENDATION = Table(
    "recommendation", "Next-item recommendation", "recommendation",
    columns("recommendation", *ranking.RECOMMENDATION, *GROUPED),
    ("All items are ranked; a user whose next item is not found counts 0.",),
    with_plugins=True, headline=columns("recommendation", "R@10", "nDCG@10"),
)  # fmt: skip
SEARCH = Table(
    "search", "Search", "search", columns("search", *ranking.SEARCH, *GROUPED), with_plugins=True,
    headline=columns("search", "nDCG@10", "R@10"),
)  # fmt: skip
COST = Table(
    "cost", "Cost", "", columns("", *(metric.name for metric in COSTS)),
    (
        "Times and memory are those of the run that computed each stage; shared stages count for every method.",
    ),
    headline=(),
)  # fmt: skip
