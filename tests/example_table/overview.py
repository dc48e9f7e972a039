"""An example table: quality and use of the IDs, in a few columns of the suite's and one of its own."""

from benchmark.reports.tables.columns import columns
from benchmark.reports.tables.layout import Column
from benchmark.reports.tables.table import Table

OVERVIEW = Table(
    "id-overview", "IDs at a glance", "id-quality",
    (
        *columns("id-quality", "AMI", "unique", "dead_codes"),
        Column("length", "Codes per item", digits=1, higher_is_better=None),
    ),
    footnotes=("One row per method, before the dedup counter.",),
)  # fmt: skip
