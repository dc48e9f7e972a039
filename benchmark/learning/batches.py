"""What a step of a training is made of: its batch and its learning rate, each a function of the seed and the step."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from benchmark.config import TrainingConfig
from benchmark.errors import BenchmarkError
from benchmark.types.arrays import Int64


def batches(
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


def rate_share(config: TrainingConfig, step: int) -> float:
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
