"""`benchmark bench decode`: what it compares is equal, and its ratios are those of the times that it prints."""

import re

import pytest
import torch

from benchmark.cli.main import main
from benchmark.generative import bench_decode as comparison

TINY = {"beams": 5, "batch": 2, "source_length": 8, "d_model": 16, "layers": 1, "vocabulary_size": 60, "rounds": 1}


def test_all_constrained_ways_return_the_same_valid_items_and_no_constraint_does_not() -> None:
    result = comparison.measure(items=200, **TINY)
    assert result["same_items"] == {"processor": 1.0, "full": 1.0}
    assert result["largest_score_difference"]["processor"] == 0.0
    assert result["largest_score_difference"]["full"] < 1e-4
    assert {way: share for way, share in result["valid"].items() if way != "free"} == dict.fromkeys(
        ("function", "processor", "full", "codes"), 1.0
    )
    assert result["valid"]["free"] < 0.5
    assert set(result["seconds"]) == set(comparison.NAMES)


def test_ratios_are_those_of_the_times(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a clock that ticks once per reading, every way takes one second, and the constraint alone one per step."""
    ticks = iter(range(10_000))
    monkeypatch.setattr(comparison, "clock", lambda: float(next(ticks)))
    result = comparison.measure(items=200, **TINY)
    assert set(result["seconds"].values()) == {1.0}
    assert set(result["times_as_fast"].values()) == set(result["times_of_free"].values()) == {1.0}
    assert result["constraint"] == {"function": 0.2, "processor": 0.2}  # three codes, the counter and the end: 5 steps


def test_a_block_per_catalogue_with_goals_where_there_are_any(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    measure, asked = comparison.measure, []

    def smaller(items: int, **sizes: int) -> object:
        asked.append((items, sizes))
        return measure(items=min(items, 300), **TINY) | {"setting": {"items": items}}

    monkeypatch.setattr(comparison, "measure", smaller)
    assert main(["bench", "decode", "--ids", "12000,500, 1000000"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert asked == [(12_000, {}), (500, {}), (1_000_000, {})]
    blocks = [[line for line in lines if line.startswith("the constraint alone")][block] for block in range(3)]
    assert "(goal 20 x)" in blocks[0] and "goal" not in blocks[1] and "(goal 100 x)" in blocks[2]
    for name in comparison.NAMES.values():
        assert sum(line.startswith(name) for line in lines) == 3
    shares = [line.split("valid")[-1] for line in lines if "TrieLogitsProcessor" in line]
    assert all(re.search(r" 1\.000 ", line) for line in shares)
    assert main(["bench", "decode", "--small"]) == 0
    assert asked[3][0] == 1_000 and asked[3][1]["rounds"] == 3
    assert main(["bench", "decode", "--batch", "4", "--rounds", "2"]) == 0
    assert asked[4] == (12_000, {"batch": 4, "rounds": 2})


@pytest.mark.parametrize("ids", ["0", "12000,x", "", "2000000"])
def test_sizes_that_cannot_be_are_refused(ids: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["bench", "decode", "--ids", ids])
    assert stopped.value.code == 2
    assert "a whole number from 1 to 1,000,000" in capsys.readouterr().err
    assert main(["bench", "kmeans", "--ids", "5"]) == 2


def test_with_one_thread_the_clock_is_the_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparison.time, "process_time", lambda: 1.0)
    monkeypatch.setattr(comparison.time, "perf_counter", lambda: 2.0)
    for threads, seconds in ((1, 1.0), (2, 2.0)):
        monkeypatch.setattr(torch, "get_num_threads", lambda n=threads: n)
        assert comparison.clock() == seconds
