"""The training loop: the same bytes with and without a kill, every example once per epoch, schedules by hand."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from benchmark.config import TrainingConfig
from benchmark.contracts import Context
from benchmark.errors import BenchmarkError
from benchmark.training import _batches, _schedule, train

INPUTS = torch.randn(50, 8, generator=torch.Generator().manual_seed(1))
STEPS = 120


class Killed(Exception):
    pass


def _loss(model: nn.Module, indices: Tensor) -> dict[str, Tensor]:
    return {"loss": (model(INPUTS[indices]) - INPUTS[indices].sum(1, keepdim=True)).square().mean()}


def _train(work: Path, kill_at: int | None = None, **settings: object) -> tuple[dict[str, Tensor], str]:
    torch.manual_seed(7)
    model = nn.Sequential(nn.Linear(8, 16), nn.Dropout(0.3), nn.Linear(16, 1))

    def after_step(step: int, _: nn.Module) -> None:
        if step == kill_at:
            raise Killed

    config = TrainingConfig(steps=STEPS, batch_size=16, checkpoint_seconds=0, **settings)
    train(model, len(INPUTS), _loss, config, Context(seed=3, work=work), after_step=after_step)
    return model.state_dict(), (work / "train.log.jsonl").read_text()


@pytest.mark.parametrize("kill_at", [0, 1, 59, STEPS - 1])
def test_a_killed_training_ends_with_the_same_weights_and_log(tmp_path: Path, kill_at: int) -> None:
    (tmp_path / "whole").mkdir()
    (tmp_path / "killed").mkdir()
    weights, log = _train(tmp_path / "whole")
    with pytest.raises(Killed):
        _train(tmp_path / "killed", kill_at)
    resumed, resumed_log = _train(tmp_path / "killed")
    assert all(torch.equal(weights[key], resumed[key]) for key in weights)
    assert log == resumed_log


def test_training_lowers_the_loss(tmp_path: Path) -> None:
    _, log = _train(tmp_path, learning_rate=1e-2)
    import json

    losses = [json.loads(line)["loss"] for line in log.splitlines()]
    assert np.mean(losses[-10:]) < 0.3 * losses[0]


def test_accumulation_changes_nothing_but_rounding(tmp_path: Path) -> None:
    """Without dropout, two half batches give the gradient of the whole one."""
    results = []
    for accumulation in (1, 2):
        torch.manual_seed(0)
        model = nn.Linear(8, 1)
        work = tmp_path / str(accumulation)
        work.mkdir()
        config = TrainingConfig(steps=30, batch_size=10, accumulation=accumulation)
        train(model, len(INPUTS), _loss, config, Context(seed=0, work=work))
        results.append(model.weight.detach())
    torch.testing.assert_close(*results)


def test_every_epoch_sees_every_example_once() -> None:
    config = TrainingConfig(steps=35, batch_size=10)
    drawn = np.concatenate([batch for micro in _batches(50, config, 0, 0, 0, 1) for batch in micro])
    for epoch in range(7):
        assert sorted(drawn[epoch * 50 : (epoch + 1) * 50]) == list(range(50))


def test_processes_share_one_batch() -> None:
    """The slices of two processes make up the batch of one."""
    config = TrainingConfig(steps=9, batch_size=6)
    whole = [np.concatenate(micro) for micro in _batches(20, config, 5, 0, 0, 1)]
    halves = [[np.concatenate(micro) for micro in _batches(20, config, 5, 0, rank, 2)] for rank in (0, 1)]
    for batch, left, right in zip(whole, *halves, strict=True):
        assert sorted(batch) == sorted([*left, *right])


@pytest.mark.parametrize(
    ("schedule", "step", "share"),
    [("linear", 0, 0.1), ("linear", 9, 1.0), ("linear", 10, 1.0), ("linear", 55, 0.5), ("cosine", 55, 0.5),
     ("constant", 99, 1.0)],
)  # fmt: skip
def test_schedules_follow_their_formula(schedule: str, step: int, share: float) -> None:
    config = TrainingConfig(steps=100, warmup_ratio=0.1, schedule=schedule)  # type: ignore[arg-type]
    assert _schedule(config, step) == pytest.approx(share)


def test_a_loss_that_is_not_finite_stops_with_a_message(tmp_path: Path) -> None:
    def broken(model: nn.Module, indices: Tensor) -> Tensor:
        return _loss(model, indices)["loss"] * float("nan")

    config = TrainingConfig(steps=5, batch_size=4)
    with pytest.raises(BenchmarkError, match="not finite at step 1"):
        train(nn.Linear(8, 1), len(INPUTS), broken, config, Context(seed=0, work=tmp_path))


def test_nothing_to_learn_from_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match="no training examples"):
        train(nn.Linear(8, 1), 0, _loss, TrainingConfig(steps=5), Context(seed=0, work=tmp_path))
