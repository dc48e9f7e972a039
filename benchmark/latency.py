"""Latency: what a user of a search box waits for, one query at a time, beside the throughput of large batches."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

QUERIES = 200
SECONDS = 10.0  # slow methods are measured on fewer queries
PERCENTILES = (50, 95, 99)


def latency(answer: Callable[[int], object], n: int) -> dict[str, float]:
    """Return facts `latency_p50`, `latency_p95`, `latency_p99` in milliseconds, empty when n is 0.

    `answer(row)` answers one of n queries. Up to QUERIES rows, drawn with a fixed seed, are asked one after the other
    until SECONDS are over; one call before them warms up and is not counted.
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
    values = np.percentile(took, PERCENTILES) * 1000
    return {f"latency_p{p}": round(float(value), 3) for p, value in zip(PERCENTILES, values, strict=True)}
