"""Training a generator: the suite's training loop over a reader's examples, and the weights that rank best."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor, nn

from benchmark.generative.config import TaskConfig
from benchmark.generative.generator import Generator
from benchmark.generative.reading import Examples
from benchmark.learning.training import Validation, train
from benchmark.learning.validation import DEPTH, SCORE, Judged, facts
from benchmark.types.arrays import Int32, Int64
from benchmark.types.method import Context


def learn(
    generator: Generator, examples: Examples, config: TaskConfig, context: Context, stopping: Validation | None,
    rates: Mapping[str, float] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Train the generator in place and return facts about it; `rates` as in `benchmark.training.train`."""

    def loss(model: nn.Module, indices: Tensor) -> Tensor:
        batch = examples.batch(indices.cpu().numpy(), indices.device)
        value: Tensor = model(batch, config.label_smoothing)
        return value

    log = train(generator, len(examples), loss, config, context, rates=rates, validation=stopping)
    return {
        "parameters": generator.parameters_count,
        "examples": len(examples),
        **facts(log, config, len(examples)),
    }


def stopping(
    judged: Judged, rank: Callable[[Int64, int], Int32], config: TaskConfig, n_examples: int
) -> Validation | None:
    """Return the early stopping of a training, or None where the settings or the data ask for none.

    `rank(rows, k)` returns the best items [n, k] by the model as it is.
    """
    if not config.evaluations or not len(judged.rows):
        return None
    every = max(1, -(-config.with_steps(n_examples).steps // config.evaluations))
    return Validation(SCORE, lambda _: judged.ndcg(rank(judged.rows, DEPTH)), every, config.patience)
