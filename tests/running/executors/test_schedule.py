"""No two cells that lack the same stage run at once, every cell runs once, shared stages come first."""

import random
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as some

from benchmark.running.executors.job import Outcome
from benchmark.running.executors.schedule import Schedule, compute_all


class FakeStage:
    """A stage that is done once its cell has ended."""

    def __init__(self, name: str) -> None:
        self.final, self.done = Path(name), False


class FakeEngine:
    """Ends a random running cell at a time, which then has built its stages."""

    def __init__(self, workers: int, stages: dict[int, list[FakeStage]], seed: int) -> None:
        self.workers, self.stages, self.random = workers, stages, random.Random(seed)
        self.running: list[int] = []
        self.begun: list[int] = []

    @property
    def free(self) -> int:
        return self.workers - len(self.running)

    def start(self, cells: list[int]) -> None:
        self.running += cells
        self.begun += cells
        lacking = [stage.final for cell in self.running for stage in self.stages[cell] if not stage.done]
        assert len(lacking) == len(set(lacking)) and len(self.running) <= self.workers

    def wait(self) -> list[tuple[int, Outcome]]:
        cell = self.running.pop(self.random.randrange(len(self.running)))
        for stage in self.stages[cell]:
            stage.done = True
        return [(cell, Outcome())]


plans = some.lists(some.sets(some.sampled_from("abcde"), max_size=3), min_size=1, max_size=9)


@given(plan=plans, workers=some.integers(1, 4), seed=some.integers(0, 99))
def test_every_cell_runs_once_and_no_stage_is_built_by_two(plan: list[set[str]], workers: int, seed: int) -> None:
    known = {name: FakeStage(name) for name in "abcde"}
    stages = {cell: [known[name] for name in sorted(names)] for cell, names in enumerate(plan)}
    engine, ended = FakeEngine(workers, stages, seed), []
    schedule = Schedule(stages)  # type: ignore[arg-type]
    compute_all(schedule, engine, lambda cell: None, lambda cell, outcome: ended.append(cell))
    assert sorted(engine.begun) == sorted(ended) == list(range(len(plan)))


def test_what_most_others_wait_for_comes_first_and_its_sharers_wait() -> None:
    encode, ids, alone = FakeStage("encode"), FakeStage("ids"), FakeStage("alone")
    schedule = Schedule({0: [alone], 1: [encode, ids], 2: [encode], 3: [ids]})  # type: ignore[arg-type]
    assert schedule.begin(4) == [1, 0]
    assert schedule.begin(4) == []
    encode.done = True  # the first is still learning its IDs
    assert schedule.begin(4) == [2]
    ids.done = True
    assert schedule.begin(4) == [3]


def test_a_stage_that_is_built_brings_nobody_forward() -> None:
    """Cells that shared it stand in the plan's order from then on, behind the cells of tasks before theirs."""
    shared, own, last = FakeStage("shared"), [FakeStage(name) for name in "abcd"], FakeStage("last")
    stages = {0: [own[0]], 1: [shared, own[1]], 2: [own[2]], 3: [shared, own[3]], 4: [shared, last], 5: [last]}
    schedule = Schedule(stages, {cell: int(cell > 3) for cell in stages})  # type: ignore[arg-type]
    assert schedule.begin(1) == [1]
    shared.done = own[1].done = True
    schedule.end(1)
    assert [schedule.begin(1) for _ in range(4)] == [[0], [2], [3], [4]]
    assert schedule.begin(1) == []  # 5 waits for what 4 computes


def test_a_stage_that_is_there_keeps_nobody_waiting() -> None:
    encode = FakeStage("encode")
    encode.done = True
    assert Schedule({0: [encode], 1: [encode]}).begin(2) == [0, 1]  # type: ignore[arg-type, list-item]
