"""A plan whose rankings are scored with more metrics than the suite's own: those of `--metrics`."""

from __future__ import annotations

from dataclasses import dataclass

from benchmark.running.cells import Plan


@dataclass(frozen=True)
class ScoredPlan(Plan):
    """A plan with the names of further metrics, as ir-measures spells them; they are part of its cells' keys."""

    metrics: tuple[str, ...] = ()


def further_metrics(plan: Plan) -> tuple[str, ...]:
    """Return the names of the metrics that a plan's rankings are scored with besides the suite's own."""
    return plan.metrics if isinstance(plan, ScoredPlan) else ()
