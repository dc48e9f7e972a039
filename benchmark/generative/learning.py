"""Training a generator: the suite's one training loop over a reader's examples, and the weights that rank best."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from benchmark.contracts import Context
from benchmark.generative import validation
from benchmark.generative.config import TaskConfig
from benchmark.generative.generator import Generator
from benchmark.generative.reading import Examples
from benchmark.training import Validation, train


def learn(
    generator: Generator, examples: Examples, config: TaskConfig, context: Context, stopping: Validation | None
) -> dict[str, Any]:
    """Train the generator in place and return facts about it."""

    def loss(model: nn.Module, indices: Tensor) -> Tensor:
        batch = examples.batch(indices.cpu().numpy(), indices.device)
        value: Tensor = model(batch, config.label_smoothing)
        return value

    log = train(generator, len(examples), loss, config, context, validation=stopping)
    return {
        "parameters": generator.parameters_count,
        "examples": len(examples),
        **validation.facts(log, config, len(examples)),
    }
