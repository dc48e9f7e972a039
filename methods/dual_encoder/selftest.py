"""The self-test of the dual encoder: the in-batch loss of the default encoder, with the gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from benchmark.config import EncoderConfig
from benchmark.learning.encoders import load
from benchmark.learning.selftest import Part, training_step
from benchmark.methods.dual_encoder.judged import Judged
from benchmark.methods.dual_encoder.loss import InBatchLoss

PAIRS = 16


def parts() -> list[Part]:
    """Return one step."""
    return [Part("dual-encoder, step", training_step(_network, _loss), PAIRS, "pairs")]


def _network() -> nn.Module:
    queries = [f"lamp for room {row}" for row in range(PAIRS)]
    documents = [f"a {'small' if row % 2 else 'large'} lamp for room number {row}" for row in range(PAIRS)]
    own = np.arange(PAIRS)
    judged = Judged(queries, documents, own, own, own, own)
    return InBatchLoss(load(EncoderConfig(), "cpu"), judged, temperature=0.05, normalize=True)


def _loss(network: nn.Module, device: str) -> Tensor:
    assert isinstance(network, InBatchLoss)
    texts = [f"lamp for room {row}" for row in range(PAIRS)], [f"a large lamp, number {row}" for row in range(PAIRS)]
    encoder: Any = network.model
    inputs = [encoder.preprocess(part) for part in texts]
    columns = [{key: value.to(device) for key, value in part.items() if isinstance(value, Tensor)} for part in inputs]
    labels = torch.arange(PAIRS, device=device)[:, None].expand(-1, 2)
    loss: Tensor = network(columns, labels)
    return loss
