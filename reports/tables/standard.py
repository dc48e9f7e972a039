"""The suite's own tables: ID quality, ID structure, recommendation, search, costs; `build` fills any from results."""

from __future__ import annotations

from benchmark.reports.tables.filling import build
from benchmark.reports.tables.layout import Cell, Column, FilledTable, Row, cell_text
from benchmark.reports.tables.table import Table

__all__ = [
    "COST", "ID_QUALITY", "ID_STRUCTURE", "RECOMMENDATION", "SEARCH", "Cell", "Column", "FilledTable", "Row", "Table",
    "build", "cell_text",
]  # fmt: skip

MEGA = 1e-6
BEAM_NOTE = (
    "Beam misses: how many of the ten items that exact scoring of the whole catalogue ranks highest the beam search "
    "did not rank among its ten, on average over a sample of users or queries."
)
TRIALS_NOTE = (
    "Trials: settings that were tried before the row's were chosen, as its preset says; – where no preset says it or "
    "`--set` changed the preset."
)
CHANCE_NOTE = "(chance): NMI's mean over all shufflings of the codes; AMI is NMI corrected by it."
LIFT_NOTE = (
    "Co-purchase lift: how many times more often neighbours in the training histories share their first code (or two) "
    "than random pairs of items with the same frequencies do; 1 is chance."
)
STABILITY_NOTE = (
    "Stability: adjusted Rand index of the groups of items that share their first code, mean over pairs of seeds."
)
USE_NOTE = (
    "Unique: share of items that have their ID alone (1 - aliasing). Dead codes: share of all codebooks' codes that no "
    "item has. Fan-out@t: mean number of codes that follow a prefix of t - 1 codes."
)
BEFORE_COUNTER = "All values are taken before the dedup counter."
GROUP_NOTE = (
    "(strict, expected, optimistic): rankings of IDs, where the items that share an ID before the dedup counter come "
    "with the relevant ones last, in random order, or first. The value without a reading is of the items as they were "
    "ranked, and may lie outside."
)


def _metrics(*names: str) -> tuple[Column, ...]:
    return tuple(Column(name, name) for name in names)


def _collision_aware(*names: str) -> tuple[Column, ...]:
    """The three readings of each metric; only the expected one is ranked, the others are its bounds."""
    readings = (("strict", None), ("expected", True), ("optimistic", None))
    return tuple(
        Column(f"{name} ({reading})", f"{name} ({reading})", higher_is_better=higher, note=GROUP_NOTE)
        for name in names
        for reading, higher in readings
    )


PARAMETERS_NOTE = (
    "ID parameters: of the network that learns the IDs, with its text encoder where that learns too. Parameters: of "
    "the model that ranks."
)
COST_NOTES = {"beam_missing": BEAM_NOTE, "parameters": PARAMETERS_NOTE, "trials": TRIALS_NOTE}
ID_QUALITY = Table(
    "id-quality", "ID quality", "id-quality",
    (
        *_metrics("AMI", "AMI@depth2", "AMI@depth3", "AMI@level2", "NMI"),
        Column("NMI (chance)", "NMI (chance)", higher_is_better=None, note=CHANCE_NOTE),
        Column("co_purchase_lift@1", "Lift@1", 2, note=LIFT_NOTE), Column("co_purchase_lift@2", "Lift@2", 2),
        Column("stability@1", "Stability@1", 3, None, source="seeds", note=STABILITY_NOTE),
    ),
    (f"AMI: first code against the whole category path. {BEFORE_COUNTER}",),
)  # fmt: skip
ID_STRUCTURE = Table(
    "id-structure", "ID structure", "id-quality",
    (
        Column("unique", "Unique", note=USE_NOTE),
        Column("collision_rate", "Collisions", higher_is_better=False),
        Column("largest_group", "Largest group", 0, False), Column("codes_used@1", "Codes@1", 0, None),
        Column("dead_codes", "Dead codes", higher_is_better=False), Column("fan_out@2", "Fan-out@2", 2, None),
        Column("fan_out@3", "Fan-out@3", 2, None), Column("perplexity@1", "Perplexity@1", 1, None),
        Column("perplexity@2", "Perplexity@2", 1, None),
        Column("perplexity@3", "Perplexity@3", 1, None), Column("length", "Length", 2, None),
    ),
    (BEFORE_COUNTER,),
)  # fmt: skip
RECOMMENDATION = Table(
    "recommendation", "Next-item recommendation", "recommendation",
    (*_metrics("R@5", "R@10", "nDCG@5", "nDCG@10", "RR@20"), *_collision_aware("R@10")),
    ("All items are ranked; a user whose next item is not found counts 0.",),
)  # fmt: skip
SEARCH = Table(
    "search", "Search", "search",
    (
        *_metrics("nDCG@5", "AP@5", "R@1", "R@10", "nDCG@10", "RR@10", "nDCG@5 (published)", "AP@5 (published)"),
        *_collision_aware("R@10"),
    ),
    ("(published): LMIndexer's reading; the ideal ranking holds retrieved items alone, AP divides by the hits found.",),
)  # fmt: skip
COST = Table(
    "cost", "Cost", "",
    tuple(
        Column(key, header, digits, higher_is_better, "cost", scale, COST_NOTES.get(key.partition(".")[0], ""))
        for key, header, digits, higher_is_better, scale in (
            ("seconds", "Total s", 1, False, 1.0), ("seconds.encode", "Encode s", 1, False, 1.0),
            ("seconds.ids", "IDs s", 1, False, 1.0), ("seconds.train", "Train s", 1, False, 1.0),
            ("seconds.rank", "Rank s", 1, False, 1.0), ("peak_memory", "Peak MB", 0, False, MEGA),
            ("peak_memory.gpu", "GPU MB", 0, False, MEGA), ("parameters.ids", "ID parameters M", 2, None, MEGA),
            ("parameters", "Parameters M", 2, None, MEGA),
            ("index_bytes", "Index MB", 2, False, MEGA),
            ("trials", "Trials", 0, None, 1.0),
            ("queries_per_second.recommendation", "Users/s", 1, True, 1.0),
            ("queries_per_second.search", "Queries/s", 1, True, 1.0),
            ("latency_p50.recommendation", "p50 ms, rec.", 1, False, 1.0),
            ("latency_p99.recommendation", "p99 ms, rec.", 1, False, 1.0),
            ("latency_p50.search", "p50 ms, search", 1, False, 1.0),
            ("latency_p99.search", "p99 ms, search", 1, False, 1.0),
            ("beam_missing.recommendation", "Beam misses, rec.", 2, False, 1.0),
            ("beam_missing.search", "Beam misses, search", 2, False, 1.0),
        )
    ),
    (
        "Seconds and memory are of the run that computed each stage; a stage that methods share counts in each. Total "
        "s is all of it, the suite's own measuring (latency, beam misses) too; Train s includes a retriever's index; "
        "Rank s is the ranking of all users and queries in batches.",
        "p50, p99: latency of one user or query at a time (p99 from 100 calls on); Users/s, Queries/s: in batches.",
    ),
)  # fmt: skip
