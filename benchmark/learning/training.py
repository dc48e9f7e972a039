"""The suite's training loop: every torch method trains here, the dual encoder alone excepted.

(The dual encoder is the baseline that users of sentence-transformers get, so it goes through that library's trainer,
whose batches are texts and whose in-batch negatives come from all devices: `methods/dual_encoder/training.py`.)

It runs through Hugging Face Accelerate, so `accelerate launch` or `torchrun` scales it. `batch_size` counts the
examples of one optimiser step over all processes and accumulation steps: the number of devices never changes what
is learned from, only how fast. (Every process and accumulation step has an equal share of the examples, and the mean
of a share counts as much as any other's, as in other trainers: where a loss is a mean over tokens or positions, an
example's weight then varies a little with the lengths of those in its share.) On CPU the same seed gives the same
weights, bit for bit, also after a kill: a checkpoint holds weights, optimiser, random state and log, and the batch
order is a function of seed and step.

A `Validation` scores the model now and then, ends the training when nothing gets better, and keeps the best weights.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from benchmark.config import TrainingConfig
from benchmark.errors import BenchmarkError
from benchmark.learning import checkpoint
from benchmark.learning.batches import batches, rate_share
from benchmark.learning.precision import mixed_precision
from benchmark.types.arrays import Int64
from benchmark.types.method import Context

Loss = Callable[[nn.Module, Tensor], Tensor | dict[str, Tensor]]
AfterStep = Callable[[int, nn.Module], dict[str, float] | None]


@dataclass(frozen=True)
class Validation:
    """Early stopping on a score that a finished training is to have as high as possible.

    `score(model)` is called in eval mode, without gradients, and must draw no random numbers; it stands in the log
    under `name`. Of equal scores the first counts.
    """

    name: str
    score: Callable[[nn.Module], float]
    every: int  # steps between two scores; the last step is scored too
    patience: int  # scores in a row that are no better than the best, after which training ends


def train(
    model: nn.Module,
    n_examples: int,
    loss: Loss,
    config: TrainingConfig,
    context: Context,
    *,
    name: str = "train",
    after_step: AfterStep | None = None,
    rates: Mapping[str, float] | None = None,
    validation: Validation | None = None,
) -> list[dict[str, float]]:
    """Train the model in place and return its log, one record per 1% of the steps (also in work/NAME.log.jsonl).

    `loss(model, indices)` gets a batch of example indices, int64 [batch], and returns a scalar or a dict with the
    scalar under 'loss' and further values to log. `after_step(step, model)` may change the model (restart dead
    codes, say) and return measurements for the log; what it draws must come from torch's global generator. `rates`
    scale the learning rate of the parameters whose names begin so; parameters without gradient stay as they are.
    With a `validation` the model ends with the weights of its best score, and the schedule still counts all steps.
    All state must live in the model's parameters and buffers. A finished training is kept in `work` too, so a stage
    of several trainings (each with its own `name`) resumes where it was killed.
    Raises BenchmarkError when there is nothing to learn from or the loss is not finite.
    """
    if n_examples == 0:
        raise BenchmarkError(f"{name}: there are no training examples")
    config = config.with_steps(n_examples)
    settings = config.model_dump(mode="json", exclude={"checkpoint_seconds"})
    of = {"name": name, "examples": n_examples, "seed": context.seed, "training": settings}
    trainer = Trainer(model, loss, config, context, of=of, rates=rates or {}, validation=validation)
    try:
        return trainer.run(n_examples, after_step or (lambda step, model: None))
    finally:
        trainer.curve.finish()


class Trainer:
    """One training: `step` learns from a batch, `validate` scores the model, `record` logs, `run` is the loop."""

    def __init__(
        self,
        model: nn.Module,
        loss: Loss,
        config: TrainingConfig,
        context: Context,
        *,
        of: Mapping[str, Any],
        rates: Mapping[str, float],
        validation: Validation | None,
    ) -> None:
        """Start from the seed, or from the checkpoint of a training that was interrupted."""
        self.model, self.loss, self.config, self.context = model, loss, config, context
        self.name, self.validation = of["name"], validation
        self.accelerator = _accelerator(context.device, mixed_precision(config.precision, context))
        torch.manual_seed(context.seed)
        model.to(self.accelerator.device)
        model.zero_grad()  # what an earlier training left must not count when gradients are clipped
        groups = _groups(model, rates)
        optimizer = torch.optim.AdamW(groups, lr=config.learning_rate, weight_decay=config.weight_decay)
        self.prepared, self.optimizer = self.accelerator.prepare(model, optimizer)
        self.checkpoint = Path(context.work) / f"{self.name}.checkpoint.pt"
        self.of = checkpoint.identity(self.checkpoint, of, model)
        self.state = checkpoint.resume(self.checkpoint, self.of, model, self.optimizer, self.accelerator.device)
        self.pending: list[dict[str, Tensor]] = []  # values of micro-batches, still on the device
        self.saved = time.monotonic()
        self.curve, self.shown = context.curve(self.name), len(self.state.log)

    def run(self, n_examples: int, after_step: AfterStep) -> list[dict[str, float]]:
        """Take all steps that are left, then return the log."""
        state, config, accelerator = self.state, self.config, self.accelerator
        self.prepared.train()
        steps = batches(
            n_examples, config, self.context.seed, state.step, accelerator.process_index, accelerator.num_processes
        )
        title = f"{self.name}, step" if self.validation is None else f"{self.name} (may stop early), step"
        for micro_batches in self.context.progress(steps, title, total=config.steps - state.step):
            self.step(micro_batches)
            measured = after_step(state.step, self.model)
            state.step += 1
            finished = self.validate() or state.step == config.steps
            keep = accelerator.is_main_process and (finished or self.checkpoint_due())
            self.record(measured or {}, finished=finished, keep=keep)
            self.show()
            if finished:
                self.model.load_state_dict(state.best, strict=False)
                state.step, state.best = config.steps, {}  # so that a resumed training takes no further step
            if keep:
                checkpoint.save(self.checkpoint, self.of, state, self.model, None if finished else self.optimizer)
                self.saved = time.monotonic()
            if finished:
                break
        self.close()
        return state.log

    def step(self, micro_batches: list[Int64]) -> None:
        """Take one step of the optimiser along the mean gradient of the micro-batches."""
        accelerator, config = self.accelerator, self.config
        for group in self.optimizer.param_groups:
            group["lr"] = config.learning_rate * group["rate"] * rate_share(config, self.state.step)
        self.optimizer.zero_grad()
        for number, indices in enumerate(micro_batches, 1):
            last = number == len(micro_batches)
            together = nullcontext() if last else accelerator.no_sync(self.prepared)
            with _same_bytes(accelerator.device), together, accelerator.autocast():
                values = self.loss(self.prepared, torch.from_numpy(indices).to(accelerator.device))
                values = values if isinstance(values, dict) else {"loss": values}
                accelerator.backward(values["loss"] / len(micro_batches))
            self.pending.append({key: value.detach() / len(micro_batches) for key, value in values.items()})
        accelerator.clip_grad_norm_(self.prepared.parameters(), config.clip_norm)
        self.optimizer.step()

    def validate(self) -> bool:
        """Score the model where a score is due, keep the weights of the best, and return whether patience ran out."""
        from accelerate.utils import broadcast_object_list

        validation, state = self.validation, self.state
        if validation is None or (state.step % validation.every and state.step != self.config.steps):
            return False
        self.model.eval()
        with torch.no_grad():
            score = float(broadcast_object_list([validation.score(self.model)])[0])  # all processes stop, or none
        self.model.train()
        scores = [record[validation.name] for record in state.log if validation.name in record]
        if not scores or score > max(scores):
            state.best.update({key: value.clone() for key, value in checkpoint.learned(self.model).items()})
        state.log.append({"step": state.step, validation.name: score})
        scores.append(score)
        return len(scores) - 1 - scores.index(max(scores)) >= validation.patience

    def record(self, measured: dict[str, float], *, finished: bool, keep: bool) -> None:
        """Log the mean loss every 1% of the steps, and what was measured; before a checkpoint, sum up what is pending.

        Raises BenchmarkError when the loss is not finite.
        """
        state = self.state
        due = finished or state.step % max(1, self.config.steps // 100) == 0
        if due or keep:
            for values in self.pending:
                for key, value in values.items():
                    state.sums[key] = state.sums.get(key, 0.0) + float(value)
            self.pending.clear()
            if not math.isfinite(state.sums["loss"]):
                raise BenchmarkError(
                    f"{self.name}: the loss is not finite at step {state.step}; "
                    "try a smaller learning rate or precision 'no'"
                )
        if due:
            state.record()
        if measured:
            state.log.append({"step": state.step, **measured})

    def show(self) -> None:
        """Show the new records of the log to who watches."""
        for record in self.state.log[self.shown :]:
            values = {f"{self.name}/{key}": value for key, value in record.items() if key != "step"}
            self.curve.log(values, int(record["step"]))
        self.shown = len(self.state.log)

    def checkpoint_due(self) -> bool:
        """Whether the last checkpoint is old enough."""
        return time.monotonic() - self.saved >= self.config.checkpoint_seconds

    def close(self) -> None:
        """Leave the model as the training found it (its own precision, eval mode), and the log in the work folder."""
        self.accelerator.wait_for_everyone()
        self.accelerator.unwrap_model(self.prepared, keep_fp32_wrapper=False)
        if self.accelerator.is_main_process:
            lines = [json.dumps({"stage": self.name, **record}) + "\n" for record in self.state.log]
            (Path(self.context.work) / f"{self.name}.log.jsonl").write_text("".join(lines), "utf-8")
        self.model.eval()


def _groups(model: nn.Module, rates: Mapping[str, float]) -> list[dict[str, Any]]:
    """Return the optimiser's parameter groups, one per rate."""
    groups: dict[float, list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            rate = next((rate for prefix, rate in rates.items() if name.startswith(prefix)), 1.0)
            groups.setdefault(rate, []).append(parameter)
    return [{"params": parameters, "rate": rate} for rate, parameters in groups.items()]


def _accelerator(device: str, precision: str) -> Any:
    from accelerate import Accelerator
    from accelerate.state import AcceleratorState

    AcceleratorState._reset_state()  # each training may have a precision of its own
    return Accelerator(mixed_precision=precision, cpu=device == "cpu")


@contextmanager
def _same_bytes(device: torch.device) -> Iterator[None]:
    """Let sums on CPU have one order: with several threads the gradient of `table[rows]` has none by itself."""
    before = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    filling: Any = torch.utils.deterministic
    fills = filling.fill_uninitialized_memory
    if device.type == "cpu" and not before[0]:
        torch.use_deterministic_algorithms(True, warn_only=True)
        filling.fill_uninitialized_memory = False  # costs time; nobody reads that memory
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before[0], warn_only=before[1])
        filling.fill_uninitialized_memory = fills
