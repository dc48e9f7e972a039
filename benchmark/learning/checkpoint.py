"""The state of a training, and its checkpoint: one file that holds all that a resumed training needs.

It is sealed for the stage and the training that it is of: one that is damaged, or comes from elsewhere, is not used.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from benchmark.files import digest
from benchmark.sealing import file_damage, note_damage, sealed_file


@dataclass
class State:
    """Where a training is, apart from the weights, the optimiser and the random numbers."""

    step: int = 0  # optimiser steps done
    log: list[dict[str, float]] = field(default_factory=list)
    sums: dict[str, float] = field(default_factory=dict)  # of the next record of the log, since the last one
    best: dict[str, Tensor] = field(default_factory=dict)  # weights of the best score; {} before the first

    def record(self) -> None:
        """Log the mean of the sums over the steps since the last such record."""
        last = next((int(record["step"]) for record in reversed(self.log) if "loss" in record), 0)
        self.log.append({"step": self.step, **{key: value / (self.step - last) for key, value in self.sums.items()}})
        self.sums.clear()


def learned(model: nn.Module) -> dict[str, Tensor]:
    """Return what a training may change: buffers, and parameters with a gradient. The others stay as they are."""
    fixed = {name for name, value in model.named_parameters(remove_duplicate=False) if not value.requires_grad}
    return {name: value for name, value in model.state_dict().items() if name not in fixed}


def save(path: Path, of: str, state: State, model: nn.Module, optimizer: Any) -> None:
    """Write a checkpoint atomically; a finished training has no optimiser any more (None)."""
    content = {
        "step": state.step,
        "model": learned(model),
        "best": state.best,
        "optimizer": None if optimizer is None else optimizer.state_dict(),
        "random": torch.get_rng_state(),
        "cuda_random": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        "log": json.dumps([state.log, state.sums]),
    }
    with sealed_file(path, of=of) as part, part.open("wb") as file:  # ours: a full disk is told as such
        torch.save(content, file)


def resume(path: Path, of: str, model: nn.Module, optimizer: Any, device: torch.device) -> State:
    """Put weights, optimiser and random state of the checkpoint back and return its state; a new one without a file."""
    if not path.is_file():
        return State()
    if problem := file_damage(path, of=of):
        note_damage(path, problem)
        return State()
    content = torch.load(path, map_location=device, weights_only=True)
    model.load_state_dict(content["model"], strict=False)  # the parameters without a gradient are not in the file
    if content["optimizer"] is not None:
        optimizer.load_state_dict(content["optimizer"])
    torch.set_rng_state(content["random"].cpu())
    if content["cuda_random"]:
        torch.cuda.set_rng_state_all([state.cpu() for state in content["cuda_random"]])
    log, sums = json.loads(content["log"])
    return State(int(content["step"]), log, sums, content["best"])


def identity(path: Path, training: Mapping[str, Any], model: nn.Module) -> str:
    """Return what a checkpoint is of: its folder, named by a stage's key, the training, and the model's shape."""
    shapes = {name: list(value.shape) for name, value in learned(model).items()}
    return f"{path.parent.name}/{path.name} {digest({**training, 'shapes': shapes})}"
