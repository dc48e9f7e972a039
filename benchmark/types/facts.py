"""What a method or a stage reports of itself beside its results: sizes, speed, training, notes. All names are declared.

They stand in cost.json below `facts`, by stage; notes go into result.json and below every table that shows the row.
A plugin declares a fact of its own where it is imported:

    declare_fact("trees", "trees of the index")
    ...
    context.facts["trees"] = 10
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Any

from benchmark.errors import UsageError, did_you_mean

NESTED_SECONDS = "nested_seconds"

_DECLARED = {
    # the model and what it learned from
    "parameters": "weights of the network that was trained, or that ranks",
    "examples": "training examples of one pass",
    "training_pairs": "(source, item) pairs of one pass",
    "targets": "items that are learned from in one pass",
    "vocabulary": "tokens of the T5 before those of the codes",
    "start": "what the training started from: fresh weights, the backbone, or what the indexer has learned",
    "epochs": "passes over the examples that were made",
    "best_epoch": "the pass whose weights were kept, those with the best validation score",
    "valid_ndcg10": "that score: nDCG@10 of the validation items or development queries",
    "features": "distinct features of all items",
    "features_per_item": "features of an item, on average",
    "dim": "dimensions of the embeddings",
    # ranking
    "fit_seconds": "seconds of a retriever's or recommender's fit",
    "rank_seconds": "seconds of ranking all users or queries in batches",
    "queries_per_second": "users or queries ranked per second in batches",
    "latency_p50": "milliseconds for one user or query at a time, median",
    "latency_p95": "the same, 95th percentile",
    "latency_p99": "the same, 99th percentile",
    "latency_calls": "users or queries that the latency was measured on",
    "index_bytes": "size of the index in memory",
    "index_recall": "share of the exact best k that the approximate index finds: index_recall@k",
    "index_effort": "search effort of the approximate index that reaches this recall (cells or candidates visited)",
    "beam_missing": "how many of the exact ten best items the beam search misses, on average",
    # of the run
    NESTED_SECONDS: "seconds spent in stages that were built inside this one, where they count; not written",
    "notes": "sentences that stand below every table that shows the result",
}


def declare_fact(name: str, description: str) -> None:
    """Let methods report a fact of this name. Raises UsageError where the name means something else already."""
    if _DECLARED.setdefault(name, description) != description:
        raise UsageError(f"the fact '{name}' is declared already: {_DECLARED[name]}")


def declared_facts() -> dict[str, str]:
    """Return name -> description of every declared fact."""
    return dict(_DECLARED)


class Facts(MutableMapping[str, Any]):
    """A dictionary of facts that refuses undeclared names. What follows an '@' is a cutoff: `index_recall@100`."""

    def __init__(self, *values: Any, **named: Any) -> None:
        self._values: dict[str, Any] = {}
        self.update(*values, **named)

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __setitem__(self, name: str, value: Any) -> None:
        if name.partition("@")[0] not in _DECLARED:
            hint = did_you_mean(name, _DECLARED)
            raise UsageError(f"undeclared fact '{name}'.{hint} A new one: benchmark.types.facts.declare_fact(name, ..)")
        self._values[name] = value

    def __delitem__(self, name: str) -> None:
        del self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Facts({self._values})"
