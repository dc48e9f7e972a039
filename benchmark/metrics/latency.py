"""Latency: what a user of a search box waits for, one query at a time, beside the throughput of large batches."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

QUERIES = 200
SECONDS = 10.0  # slow methods are measured on fewer queries
CALLS = {50: 1, 95: 20, 99: 100}  # percentile -> calls that it takes at least


def throughput(n: int, seconds: float) -> dict[str, float]:
    """Return the facts of ranking n users or queries in batches: `rank_seconds` and `queries_per_second`."""
    return {"rank_seconds": round(seconds, 3), "queries_per_second": round(n / max(seconds, 1e-9), 1)}


def latency(answer: Callable[[int], object], n: int) -> dict[str, float]:
    """Return facts `latency_p50`, `latency_p95`, `latency_p99` in milliseconds and `latency_calls`; {} when n is 0.

    `answer(row)` answers one of n queries. Up to QUERIES rows, drawn with a fixed seed, are asked one after the other
    until SECONDS are over; one call before them warms up and is not counted. A percentile that needs more calls is
    left out: of ten calls the 99th is the slowest one.
    """
    if not n:
        return {}
    rows = np.random.default_rng(0).permutation(n)[:QUERIES].tolist()
    answer(rows[0])
    took: list[float] = []
    for row in rows:
        started = time.perf_counter()
        answer(row)
        took.append(time.perf_counter() - started)
        if sum(took) > SECONDS:
            break
    shown = [p for p, calls in CALLS.items() if len(took) >= calls]
    values = np.percentile(took, shown) * 1000
    facts = {f"latency_p{p}": round(float(value), 3) for p, value in zip(shown, values, strict=True)}
    return {**facts, "latency_calls": len(took)}
