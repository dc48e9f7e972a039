"""The one training loop: every torch method of the suite trains here.

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

import numpy as np
import torch
from torch import Tensor, nn

from benchmark.config import TrainingConfig
from benchmark.errors import BenchmarkError
from benchmark.files import whole
from benchmark.types.arrays import Int64
from benchmark.types.method import Context

Loss = Callable[[nn.Module, Tensor], Tensor | dict[str, Tensor]]


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
    after_step: Callable[[int, nn.Module], dict[str, float] | None] | None = None,
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
    accelerator = _accelerator(context.device, config.precision)
    config = config.with_steps(n_examples)
    torch.manual_seed(context.seed)
    model.to(accelerator.device)
    model.zero_grad()  # what an earlier training left must not count when gradients are clipped
    groups = _groups(model, rates or {})
    optimizer = torch.optim.AdamW(groups, lr=config.learning_rate, weight_decay=config.weight_decay)
    prepared, optimizer = accelerator.prepare(model, optimizer)
    checkpoint = Path(context.work) / f"{name}.checkpoint.pt"
    first, log, sums, best = _resume(checkpoint, model, optimizer, accelerator.device)
    every = max(1, config.steps // 100)
    pending: list[dict[str, Tensor]] = []
    saved = time.monotonic()
    prepared.train()
    batches = _batches(n_examples, config, context.seed, first, accelerator.process_index, accelerator.num_processes)
    for step, micro_batches in enumerate(
        context.progress(batches, name, total=config.steps - first), start=first
    ):
        for group in optimizer.param_groups:
            group["lr"] = config.learning_rate * group["rate"] * _schedule(config, step)
        optimizer.zero_grad()
        for i, indices in enumerate(micro_batches):
            last = i == len(micro_batches) - 1
            with _same_bytes(accelerator.device), _maybe_no_sync(accelerator, prepared, last), accelerator.autocast():
                values = loss(prepared, torch.from_numpy(indices).to(accelerator.device))
                values = values if isinstance(values, dict) else {"loss": values}
                accelerator.backward(values["loss"] / len(micro_batches))
            pending.append({key: value.detach() / len(micro_batches) for key, value in values.items()})
        accelerator.clip_grad_norm_(prepared.parameters(), config.clip_norm)
        optimizer.step()
        measured = after_step(step, model) if after_step is not None else None
        done = step + 1
        finished = done == config.steps
        if validation is not None and (done % validation.every == 0 or finished):
            finished |= _validate(validation, model, done, log, best)
        due = done % every == 0 or finished
        checkpoint_due = accelerator.is_main_process and time.monotonic() - saved >= config.checkpoint_seconds
        if due or checkpoint_due:
            _collect(pending, sums)
            if not math.isfinite(sums["loss"]):
                raise BenchmarkError(
                    f"{name}: the loss is not finite at step {done}; try a smaller learning rate or precision 'no'"
                )
        if due:
            steps_since = done - next((int(record["step"]) for record in reversed(log) if "loss" in record), 0)
            log.append({"step": done, **{key: value / steps_since for key, value in sums.items()}})
            sums.clear()
        if measured:
            log.append({"step": done, **measured})
        if finished:
            model.load_state_dict(best or model.state_dict())
            done, best = config.steps, {}  # which is where a finished training is taken up again
        if accelerator.is_main_process and (checkpoint_due or finished):
            _save(checkpoint, done, model, None if finished else optimizer, log, sums, best)
            saved = time.monotonic()
        if finished:
            break
    accelerator.wait_for_everyone()
    accelerator.unwrap_model(prepared, keep_fp32_wrapper=False)  # or the model would go on in this precision
    if accelerator.is_main_process:
        lines = [json.dumps({"stage": name, **record}) + "\n" for record in log]
        (Path(context.work) / f"{name}.log.jsonl").write_text("".join(lines), "utf-8")
    model.eval()
    return log


def _validate(
    validation: Validation, model: nn.Module, step: int, log: list[dict[str, float]], best: dict[str, Tensor]
) -> bool:
    """Score the model, copy its weights to `best` if there are none better, and return whether training is over."""
    from accelerate.utils import broadcast_object_list

    model.eval()
    with torch.no_grad():
        score = float(broadcast_object_list([validation.score(model)])[0])  # all processes stop, or none
    model.train()
    scores = [record[validation.name] for record in log if validation.name in record]
    if not scores or score > max(scores):
        best.update({key: value.clone() for key, value in model.state_dict().items()})
    log.append({"step": step, validation.name: score})
    scores.append(score)
    return len(scores) - 1 - scores.index(max(scores)) >= validation.patience


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

    if precision == "auto":
        precision = "bf16" if device.startswith("cuda") and torch.cuda.is_bf16_supported() else "no"
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


def _maybe_no_sync(accelerator: Any, model: nn.Module, last: bool) -> Any:
    return nullcontext() if last else accelerator.no_sync(model)


def _schedule(config: TrainingConfig, step: int) -> float:
    """Share of the learning rate at a step (0-based): linear warm-up, then the schedule.

    Linear and cosine end at 0; the inverse square root is that of the steps done over those of the warm-up (T5).
    """
    warmup = int(config.steps * config.warmup_ratio)
    if step < warmup:
        return (step + 1) / warmup
    progress = (step - warmup) / max(1, config.steps - warmup)
    match config.schedule:
        case "linear":
            return 1.0 - progress
        case "cosine":
            return 0.5 * (1.0 + math.cos(math.pi * progress))
        case "inverse-sqrt":
            return math.sqrt(max(warmup, 1) / (step + 1))
        case _:
            return 1.0


def _batches(
    n_examples: int, config: TrainingConfig, seed: int, first: int, rank: int, world: int
) -> Iterator[list[Int64]]:
    """Yield this process's micro-batches of each step: slices of an endless chain of seeded permutations."""
    epoch, order = -1, np.empty(0, np.int64)
    for step in range(first, config.steps):
        positions = np.arange(step * config.batch_size, (step + 1) * config.batch_size)
        batch = np.empty(config.batch_size, np.int64)
        for part in np.unique(positions // n_examples):
            if part != epoch:
                epoch = int(part)
                order = np.random.default_rng([seed, epoch]).permutation(n_examples)
            inside = positions // n_examples == part
            batch[inside] = order[positions[inside] % n_examples]
        mine = batch[rank::world]
        if not len(mine):
            raise BenchmarkError(f"batch_size {config.batch_size} is smaller than the {world} processes")
        yield [chunk for chunk in np.array_split(mine, config.accumulation) if len(chunk)]


def _collect(pending: list[dict[str, Tensor]], sums: dict[str, float]) -> None:
    for values in pending:
        for key, value in values.items():
            sums[key] = sums.get(key, 0.0) + float(value)
    pending.clear()


def _save(
    path: Path, step: int, model: nn.Module, optimizer: Any, log: list[Any], sums: dict[str, float],
    best: dict[str, Tensor],
) -> None:  # fmt: skip
    state = {
        "step": step,
        "model": model.state_dict(),
        "best": best,
        "optimizer": None if optimizer is None else optimizer.state_dict(),
        "random": torch.get_rng_state(),
        "cuda_random": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        "log": json.dumps([log, sums]),
    }
    with whole(path) as part, part.open("wb") as file:  # a file of ours, so that a full disk is told as such
        torch.save(state, file)


def _resume(
    path: Path, model: nn.Module, optimizer: Any, device: torch.device
) -> tuple[int, list[dict[str, float]], dict[str, float], dict[str, Tensor]]:
    """Return (next step, log, sums of the log record under way, best weights) and put the saved state back."""
    if not path.is_file():
        return 0, [], {}, {}
    state = torch.load(path, map_location=device, weights_only=True)
    model.load_state_dict(state["model"])
    if state["optimizer"] is not None:
        optimizer.load_state_dict(state["optimizer"])
    torch.set_rng_state(state["random"].cpu())
    if state["cuda_random"]:
        torch.cuda.set_rng_state_all([s.cpu() for s in state["cuda_random"]])
    log, sums = json.loads(state["log"])
    return int(state["step"]), log, sums, state["best"]
