"""What a cell asks a cluster for, and how executors are named."""

from types import SimpleNamespace
from typing import Any

import pytest

from benchmark.errors import UsageError
from benchmark.running.estimates import GIB, estimate_cell
from benchmark.running.executors import cluster
from benchmark.running.executors.cluster import Executor, needs_of, parse_executor


def plan(preset: str = "small", items: int = 200) -> Any:
    dataset = SimpleNamespace(name="shop", n_items=items)
    variant = SimpleNamespace(method="rqvae", label="rqvae")
    cell = SimpleNamespace(variant=variant, task="search", seed=0)
    return SimpleNamespace(cells=(cell,), dataset=dataset, protocol=SimpleNamespace(preset=preset))


def earlier(name: str, items: int, seconds: float, memory: int) -> Any:
    """A result of an earlier run: 10 s for the IDs, the rest for the task."""
    stages = {
        "ids": {"seconds": 10.0, "peak_memory": {"cpu": 1}},
        "rank.search": {"seconds": seconds, "peak_memory": {"cpu": memory}},
        "rank.recommendation": {"seconds": 9999.0},
    }
    return SimpleNamespace(
        method="rqvae", preset="small", metrics={"search": {}}, dataset={"name": name, "counts": {"items": items}},
        cost={"device": "abacus", "stages": stages},
    )  # fmt: skip


def test_a_cell_asks_for_what_earlier_ones_took_with_a_margin() -> None:
    results = [earlier("other", 100, 1.0, 1), earlier("shop", 200, 190.0, 8 * GIB), earlier("shop", 200, 90.0, 4 * GIB)]
    needs = needs_of(plan(), 0, results, threads=3, device="cuda:0")
    assert (needs.cpus, needs.gpus, needs.memory) == (3, 1, int(cluster.HEADROOM * 8 * GIB))
    assert needs.seconds == cluster.START + cluster.MARGIN * 150  # (200 + 100) / 2, those on this data set alone


def test_where_only_smaller_data_were_used_time_and_memory_grow_with_the_items() -> None:
    found = estimate_cell(plan().cells[0], plan(items=400), [earlier("other", 100, 90.0, GIB)], with_ids=False)
    assert found is not None and (found.seconds, found.memory) == (360.0, 4 * GIB)


def test_without_earlier_runs_the_preset_says_it() -> None:
    tiny, base = (needs_of(plan(preset), 0, [], threads=1, device="cpu") for preset in ("tiny", "base"))
    assert (tiny.gpus, base.gpus) == (0, 0) and tiny.seconds < base.seconds and tiny.memory < base.memory
    assert tiny.memory >= cluster.LEAST


def test_an_executor_is_a_name_with_options() -> None:
    assert parse_executor("local") == Executor()
    assert parse_executor("slurm:partition=gpu, account=lab") == Executor(
        "slurm", {"partition": "gpu", "account": "lab"}
    )
    assert parse_executor("ray:address=ray://head:10001").options == {"address": "ray://head:10001"}


@pytest.mark.parametrize(
    ("text", "says"),
    [("slrum", "slurm"), ("", "local"), ("local:a=1", "no options"), ("slurm:gpu", "KEY=VALUE"), ("ray:=1", "KEY=")],
)  # fmt: skip
def test_a_wrong_executor_is_refused(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        parse_executor(text)
