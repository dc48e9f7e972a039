"""The training loop: the same bytes with and without a kill, every example once per epoch, schedules by hand."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from benchmark.config import TrainingConfig, build_config
from benchmark.errors import BenchmarkError, ConfigError
from benchmark.learning import precision
from benchmark.learning.batches import batches, rate_share
from benchmark.learning.training import Validation, train
from benchmark.types.method import Context

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


@pytest.mark.parametrize("frozen", [["1.weight", "1.bias"], ["0.weight"]])
def test_a_checkpoint_holds_what_training_may_change(tmp_path: Path, frozen: list[str]) -> None:
    """Parameters without a gradient are not in it, buffers are; resumed, a part frozen later is as it was learned."""

    def run(work: Path, kill_at: int | None = None) -> dict[str, Tensor]:
        work.mkdir(exist_ok=True)
        torch.manual_seed(7)
        model = nn.Sequential(nn.Linear(8, 16), nn.Linear(16, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))

        def after_step(step: int, _: nn.Module) -> None:
            if step == kill_at:
                raise Killed

        config = TrainingConfig(steps=9, batch_size=16, checkpoint_seconds=0)
        train(model, len(INPUTS), _loss, config, Context(seed=3, work=work), name="all")
        for name, parameter in model.named_parameters():
            parameter.requires_grad_(name not in frozen)
        context = Context(seed=3, work=work)
        train(model, len(INPUTS), _loss, config, context, name="part", after_step=after_step)
        return model.state_dict()

    whole = run(tmp_path / "whole")
    with pytest.raises(Killed):
        run(tmp_path / "killed", kill_at=5)
    kept = torch.load(tmp_path / "killed" / "part.checkpoint.pt", weights_only=True)["model"]
    assert kept.keys() == whole.keys() - set(frozen) and "2.running_mean" in kept
    resumed = run(tmp_path / "killed")
    assert all(torch.equal(whole[key], resumed[key]) for key in whole)


DAMAGES = {
    "truncated": lambda raw, other: raw[: len(raw) // 2],
    "empty": lambda raw, other: b"",
    "garbage": lambda raw, other: raw[:900] + bytes(64) + raw[964:],
    "of another training": lambda raw, other: other,
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Tensor], str]:
    """The weights and the log of a whole training, and the folder of two that were killed: `killed` and `other`."""
    folder = tmp_path_factory.mktemp("trained")
    for name in ("whole", "killed", "other"):
        (folder / name).mkdir()
    weights, log = _train(folder / "whole")
    for name, rate in (("killed", 1e-3), ("other", 1e-2)):
        with pytest.raises(Killed):
            _train(folder / name, 9, learning_rate=rate)
    return folder, weights, log


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("file", ["train.checkpoint.pt", ".train.checkpoint.pt.seal.json"])
def test_a_damaged_checkpoint_is_named_and_not_used(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, trained: tuple[Path, dict[str, Tensor], str], file: str,
    damage: str,
) -> None:  # fmt: skip
    folder, weights, log = trained
    work = shutil.copytree(folder / "killed", tmp_path / "killed")
    (work / file).write_bytes(DAMAGES[damage]((work / file).read_bytes(), (folder / "other" / file).read_bytes()))
    with caplog.at_level("WARNING", "benchmark"):
        resumed, resumed_log = _train(work)
    assert all(torch.equal(weights[key], resumed[key]) for key in weights) and log == resumed_log
    assert [str(work / "train.checkpoint.pt") in message for message in caplog.messages] == [True]


def test_a_whole_checkpoint_of_another_training_is_not_used(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, trained: tuple[Path, dict[str, Tensor], str]
) -> None:
    """The other's file and seal in the place of its own."""
    folder, weights, _ = trained
    work = shutil.copytree(folder / "other", tmp_path / "killed")
    with caplog.at_level("WARNING", "benchmark"):
        found, _ = _train(work)
    assert all(torch.equal(weights[key], found[key]) for key in weights) and len(caplog.messages) == 1


def test_training_lowers_the_loss(tmp_path: Path) -> None:
    _, log = _train(tmp_path, learning_rate=1e-2)
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


def test_two_threads_give_the_same_bytes(tmp_path: Path) -> None:
    """PyTorch sums the gradient of `table[rows]` in whatever order its threads come; one sum has 10,000 terms here."""
    rows = torch.randint(4, (40_000,), generator=torch.Generator().manual_seed(0))
    wanted = torch.randn(40_000, 16, generator=torch.Generator().manual_seed(1))

    class Table(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table = nn.Parameter(torch.zeros(4, 16))

    def loss(model: nn.Module, indices: Tensor) -> Tensor:
        gathered: Tensor = model.table[rows]  # type: ignore[index]
        return ((gathered - wanted) ** 2).sum()

    def trained(work: Path) -> bytes:
        work.mkdir()
        model = Table()
        train(model, 20, loss, TrainingConfig(steps=5, batch_size=4), Context(seed=0, work=work))
        return model.table.detach().numpy().tobytes()

    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        assert len({trained(tmp_path / str(i)) for i in range(5)}) == 1
    finally:
        torch.set_num_threads(threads)
    assert not torch.are_deterministic_algorithms_enabled()


def test_every_epoch_sees_every_example_once() -> None:
    config = TrainingConfig(steps=35, batch_size=10)
    drawn = np.concatenate([batch for micro in batches(50, config, 0, 0, 0, 1) for batch in micro])
    for epoch in range(7):
        assert sorted(drawn[epoch * 50 : (epoch + 1) * 50]) == list(range(50))


def test_processes_share_one_batch() -> None:
    """The slices of two processes make up the batch of one."""
    config = TrainingConfig(steps=9, batch_size=6)
    whole = [np.concatenate(micro) for micro in batches(20, config, 5, 0, 0, 1)]
    halves = [[np.concatenate(micro) for micro in batches(20, config, 5, 0, rank, 2)] for rank in (0, 1)]
    for batch, left, right in zip(whole, *halves, strict=True):
        assert sorted(batch) == sorted([*left, *right])


@pytest.mark.parametrize(
    ("schedule", "step", "share"),
    [("linear", 0, 0.1), ("linear", 9, 1.0), ("linear", 10, 1.0), ("linear", 55, 0.5), ("cosine", 55, 0.5),
     ("inverse-sqrt", 4, 0.5), ("inverse-sqrt", 9, 1.0), ("inverse-sqrt", 39, 0.5), ("constant", 99, 1.0)],
)  # fmt: skip
def test_schedules_follow_their_formula(schedule: str, step: int, share: float) -> None:
    config = TrainingConfig(steps=100, warmup_ratio=0.1, schedule=schedule)  # type: ignore[arg-type]
    assert rate_share(config, step) == pytest.approx(share)


def test_an_inverse_square_root_needs_a_warmup() -> None:
    with pytest.raises(ConfigError, match="warmup_ratio: schedule=inverse-sqrt needs one above 0"):
        build_config(TrainingConfig, preset={"schedule": "inverse-sqrt"})


def test_a_loss_that_is_not_finite_stops_with_a_message(tmp_path: Path) -> None:
    def broken(model: nn.Module, indices: Tensor) -> Tensor:
        return _loss(model, indices)["loss"] * float("nan")

    config = TrainingConfig(steps=5, batch_size=4)
    with pytest.raises(BenchmarkError, match="not finite at step 1"):
        train(nn.Linear(8, 1), len(INPUTS), broken, config, Context(seed=0, work=tmp_path))


def test_nothing_to_learn_from_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match="no training examples"):
        train(nn.Linear(8, 1), 0, _loss, TrainingConfig(steps=5), Context(seed=0, work=tmp_path))


def _one_step(work: Path, model: nn.Module, loss: object = _loss, **more: object) -> dict[str, Tensor]:
    """Return how far one step of AdamW without decay moved each parameter, in learning rates."""
    before = {name: value.detach().clone() for name, value in model.named_parameters()}
    config = TrainingConfig(steps=1, batch_size=20, learning_rate=0.01, warmup_ratio=0, schedule="constant")
    train(model, len(INPUTS), loss, config, Context(seed=0, work=work), **more)  # type: ignore[arg-type]
    return {name: (value.detach() - before[name]).abs() / 0.01 for name, value in model.named_parameters()}


def test_a_rate_scales_the_steps_of_the_parameters_it_names(tmp_path: Path) -> None:
    """Adam's first step is the learning rate times the gradient's sign; the first prefix that fits decides."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 4), nn.Linear(4, 3), nn.Linear(3, 1))
    moved = _one_step(tmp_path, model, rates={"0.bias": 2.0, "0.": 0.25, "1": 0.5})
    for name, rate in {"0.bias": 2.0, "0.weight": 0.25, "1.bias": 0.5, "1.weight": 0.5, "2.weight": 1.0}.items():
        torch.testing.assert_close(moved[name], torch.full_like(moved[name], rate), atol=1e-3, rtol=0)


def test_a_rate_holds_through_the_schedule_and_a_resumed_training(tmp_path: Path) -> None:
    """The gradient is 1 and Adam has no memory of another, so that the path is the sum of the schedule's shares."""
    rates, config = {"fast": 3.0}, TrainingConfig(steps=10, batch_size=5, learning_rate=0.01, checkpoint_seconds=0)

    class Drift(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fast, self.slow = nn.Parameter(torch.zeros(())), nn.Parameter(torch.zeros(()))

    def loss(model: nn.Module, indices: Tensor) -> Tensor:
        return -(model.fast + model.slow)

    def die(step: int, _: nn.Module) -> None:
        if step == 4:
            raise Killed

    with pytest.raises(Killed):
        train(Drift(), 50, loss, config, Context(seed=0, work=tmp_path), rates=rates, after_step=die)
    model = Drift()
    train(model, 50, loss, config, Context(seed=0, work=tmp_path), rates=rates)
    path = 0.01 * sum(rate_share(config, step) for step in range(10))
    assert model.slow.item() == pytest.approx(path, rel=1e-4)
    assert model.fast.item() == pytest.approx(3 * path, rel=1e-4)


def test_parameters_without_gradient_stay_as_they_are(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 4), nn.Linear(4, 1))
    model[0].requires_grad_(False)
    frozen = model[0].weight.clone()
    config = TrainingConfig(steps=5, batch_size=20, weight_decay=0.5)
    train(model, len(INPUTS), _loss, config, Context(seed=0, work=tmp_path))
    assert torch.equal(model[0].weight, frozen) and model[0].weight.grad is None


def test_gradients_of_an_earlier_training_change_nothing(tmp_path: Path) -> None:
    """A parameter that is frozen now must not take part in the clipping with what is left in its gradient."""
    results = []
    for left in (None, 100.0):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(8, 4), nn.Linear(4, 1))
        model[0].requires_grad_(False)
        if left is not None:
            model[0].weight.grad = torch.full_like(model[0].weight, left)
        work = tmp_path / str(left)
        work.mkdir()
        config = TrainingConfig(steps=5, batch_size=20, clip_norm=0.1)
        train(model, len(INPUTS), _loss, config, Context(seed=0, work=work))
        results.append(model[1].weight.detach().clone())
    assert torch.equal(*results)


class Watched(nn.Linear):
    def __init__(self) -> None:
        super().__init__(8, 1)
        self.seen: list[torch.dtype] = []

    def forward(self, x: Tensor) -> Tensor:
        y = super().forward(x)
        self.seen.append(y.dtype)
        return y


def test_the_precision_of_one_training_does_not_outlive_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model trained in bfloat16 computes in float32 afterwards, and in a training of its own precision."""
    monkeypatch.setattr(precision, "has_bfloat16", lambda device: True)
    model = Watched()
    for asked in ("bf16", "no"):
        config = TrainingConfig(steps=1, batch_size=20, precision=asked)  # type: ignore[arg-type]
        train(model, len(INPUTS), _loss, config, Context(seed=0, work=tmp_path), name=asked)
        model(INPUTS)
    assert model.seen == [torch.bfloat16, torch.float32, torch.float32, torch.float32]


def test_a_device_without_bfloat16_trains_in_float32_and_a_note_says_so_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precision, "has_bfloat16", lambda device: False)
    model, context = Watched(), Context(seed=0, work=tmp_path)
    context.facts["notes"] = ["before"]
    for name in ("first", "second"):
        config = TrainingConfig(steps=1, batch_size=20, precision="bf16")
        train(model, len(INPUTS), _loss, config, context, name=name)
    assert model.seen == [torch.float32, torch.float32]
    before, note = context.facts["notes"]
    assert before == "before" and "Trained in float32" in note and "CPU" in note


@pytest.mark.parametrize(
    ("asked", "device", "has", "computed"),
    [
        ("auto", "cpu", True, "no"), ("auto", "cuda:1", True, "bf16"), ("auto", "cuda:1", False, "no"),
        ("bf16", "cpu", True, "bf16"), ("bf16", "cuda", False, "no"), ("fp16", "cuda", False, "fp16"),
        ("no", "cuda", True, "no"),
    ],
)  # fmt: skip
def test_what_is_computed_of_what_is_asked(
    asked: str, device: str, has: bool, computed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precision, "has_bfloat16", lambda device: has)
    context = Context(device=device)
    assert precision.mixed_precision(asked, context) == computed
    assert bool(context.facts.get("notes")) == (asked == "bf16" and not has)


@pytest.mark.parametrize(("epochs", "steps"), [(2.0, 7), (0.5, 2), (0.01, 1), (0.0, 3)])
def test_epochs_are_passes_over_the_examples(tmp_path: Path, epochs: float, steps: int) -> None:
    """With 50 examples in batches of 16; the last batch of the last pass is a full one."""
    seen: list[int] = []

    def loss(model: nn.Module, indices: Tensor) -> dict[str, Tensor]:
        seen.extend(indices.tolist())
        return _loss(model, indices)

    config = TrainingConfig(steps=3, epochs=epochs, batch_size=16)
    log = train(nn.Linear(8, 1), len(INPUTS), loss, config, Context(seed=0, work=tmp_path))
    assert log[-1]["step"] == steps and len(seen) == 16 * steps
    assert np.bincount(seen, minlength=50).min() >= int(epochs)


def test_a_finished_training_is_not_repeated(tmp_path: Path) -> None:
    """Called again it gives the same weights, log and random state, without one step; another name does train."""
    calls = 0

    def loss(model: nn.Module, indices: Tensor) -> dict[str, Tensor]:
        nonlocal calls
        calls += 1
        return _loss(model, indices)

    def run(name: str) -> tuple[list[dict[str, float]], Tensor, Tensor]:
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(8, 4), nn.Dropout(0.5), nn.Linear(4, 1))
        config = TrainingConfig(steps=6, batch_size=20)  # too quick for a checkpoint on the way
        log = train(model, len(INPUTS), loss, config, Context(seed=3, work=tmp_path), name=name)
        assert not model.training
        return log, torch.get_rng_state(), model[0].weight.detach().clone()

    first = run("a")
    assert calls == 6
    file = (tmp_path / "a.log.jsonl").read_text()
    torch.manual_seed(99)
    again = run("a")
    assert calls == 6 and (tmp_path / "a.log.jsonl").read_text() == file
    assert again[0] == first[0] and torch.equal(again[1], first[1]) and torch.equal(again[2], first[2])
    run("b")
    assert calls == 12


@pytest.mark.parametrize("kill_at", [None, 155])
def test_measurements_are_records_of_their_own(tmp_path: Path, kill_at: int | None) -> None:
    """The log without them is that of a training which is not measured, also where it was killed behind one."""

    def run(work: Path, measured: bool, kill_at: int | None = None) -> list[dict[str, float]]:
        work.mkdir(exist_ok=True)
        torch.manual_seed(7)
        model = nn.Sequential(nn.Linear(8, 16), nn.Dropout(0.3), nn.Linear(16, 1))

        def after_step(step: int, _: nn.Module) -> dict[str, float] | None:
            if step == kill_at:
                raise Killed
            return {"half": step / 2} if measured and step % 11 == 0 else None

        config = TrainingConfig(steps=230, batch_size=16, checkpoint_seconds=60 if kill_at is None else 0)
        return train(model, len(INPUTS), _loss, config, Context(seed=3, work=work), after_step=after_step)

    plain = run(tmp_path / "plain", measured=False)
    if kill_at is not None:
        with pytest.raises(Killed):
            run(tmp_path / "measured", measured=True, kill_at=kill_at)
    log = run(tmp_path / "measured", measured=True)
    assert [record for record in log if "loss" in record] == plain
    assert [record for record in log if "loss" not in record] == [
        {"step": step + 1, "half": step / 2} for step in range(0, 230, 11)
    ]
    assert [record["step"] for record in log] == sorted(record["step"] for record in log)
    lines = (tmp_path / "measured" / "train.log.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [{"stage": "train", **record} for record in log]


SCORES = [0.1, 0.4, 0.3, 0.4, 0.2, 0.9]  # with patience 3 the last one is never seen
EVERY = 7


def _train_with_early_stopping(
    work: Path, kill_at: int | None = None, checkpoint_seconds: float = 0, patience: int = 3
) -> tuple[dict[str, Tensor], str, list[dict[str, Tensor]]]:
    """Train against a table of scores; return the weights, the log and the weights at each score."""
    work.mkdir(exist_ok=True)
    torch.manual_seed(7)
    model = nn.Sequential(nn.Linear(8, 16), nn.Dropout(0.3), nn.Linear(16, 1))
    step_now, seen = [0], []

    def after_step(step: int, _: nn.Module) -> None:
        step_now[0] = step
        if step == kill_at:
            raise Killed

    def score(model: nn.Module) -> float:
        assert not model.training and not torch.is_grad_enabled()
        seen.append({key: value.clone() for key, value in model.state_dict().items()})
        return SCORES[(step_now[0] + 1) // EVERY - 1]

    config = TrainingConfig(steps=EVERY * len(SCORES), batch_size=16, checkpoint_seconds=checkpoint_seconds)
    validation = Validation("score", score, EVERY, patience)
    context = Context(seed=3, work=work)
    log = train(model, len(INPUTS), _loss, config, context, after_step=after_step, validation=validation)
    assert not model.training
    return model.state_dict(), json.dumps(log), seen


def _equal(left: dict[str, Tensor], right: dict[str, Tensor]) -> bool:
    return all(torch.equal(left[key], right[key]) for key in left)


def test_early_stopping_ends_after_its_patience_with_the_weights_of_the_best_score(tmp_path: Path) -> None:
    """The best of the first five scores is the second one; the fourth equals it and comes later."""
    weights, log, seen = _train_with_early_stopping(tmp_path)
    assert len(seen) == 5 and _equal(weights, seen[1]) and not _equal(weights, seen[3])
    records = json.loads(log)
    assert [record["score"] for record in records if "score" in record] == SCORES[:5]
    assert records[-1]["step"] == 5 * EVERY and "loss" in records[-1]


def test_without_running_out_of_patience_the_best_weights_are_those_of_the_last_score(tmp_path: Path) -> None:
    weights, log, seen = _train_with_early_stopping(tmp_path, patience=4)
    assert len(seen) == len(SCORES) and _equal(weights, seen[-1]) and json.loads(log)[-1]["step"] == EVERY * len(SCORES)


@pytest.mark.parametrize("kill_at", [5, 6, 7, 20, 34])
def test_early_stopping_ends_the_same_after_a_kill(tmp_path: Path, kill_at: int) -> None:
    """Killed before the first score, at a score, behind the best one, and in the last step of all."""
    weights, log, _ = _train_with_early_stopping(tmp_path / "whole")
    with pytest.raises(Killed):
        _train_with_early_stopping(tmp_path / "killed", kill_at)
    resumed, resumed_log, _ = _train_with_early_stopping(tmp_path / "killed")
    assert _equal(weights, resumed) and log == resumed_log


def test_a_training_that_stopped_early_is_not_taken_up_again(tmp_path: Path) -> None:
    weights, log, _ = _train_with_early_stopping(tmp_path, checkpoint_seconds=60)
    again, same_log, seen = _train_with_early_stopping(tmp_path, checkpoint_seconds=60)
    assert _equal(weights, again) and log == same_log and not seen
