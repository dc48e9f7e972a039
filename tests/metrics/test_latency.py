"""Latency of single queries."""

import itertools

import pytest

from benchmark.metrics import latency as module
from benchmark.metrics.latency import latency


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that the test moves by hand."""
    now = [0.0]
    monkeypatch.setattr(module, "QUERIES", 200)  # as it is outside of the tests
    monkeypatch.setattr(module.time, "perf_counter", lambda: now[0])
    return now


def test_percentiles_are_those_of_the_single_answers_without_the_first_call(clock: list[float]) -> None:
    """100 answers of 1 .. 100 ms, after one of 5 s that warms up: the percentiles by hand (linear interpolation)."""
    durations = itertools.chain([5.0], (ms / 1000 for ms in range(1, 101)))

    def answer(row: int) -> None:
        clock[0] += next(durations)

    expected = {"latency_p50": 50.5, "latency_p95": 95.05, "latency_p99": 99.01, "latency_calls": 100}
    assert latency(answer, 100) == pytest.approx(expected)


def test_each_query_is_asked_once_and_slow_ones_are_cut_short(clock: list[float]) -> None:
    asked: list[int] = []

    def answer(row: int) -> None:
        asked.append(row)
        clock[0] += 3.0

    assert latency(answer, 50) == {"latency_p50": 3000.0, "latency_calls": 4}, "no 95th or 99th of four"
    assert len(asked) == 5  # one to warm up, then four until ten seconds are over
    assert len(set(asked[1:])) == 4 and set(asked) <= set(range(50))


def test_without_queries_there_is_no_latency() -> None:
    assert latency(lambda row: pytest.fail("nothing to ask"), 0) == {}
