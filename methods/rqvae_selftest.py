"""The self-test of the RQ-VAE: its losses and gradients, and the codes that it gives."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from benchmark.learning.selftest import Outcome, Part, training_step
from benchmark.methods.rqvae_network import ResidualQuantizer, RQVAENetwork

ITEMS, DIMENSIONS, LATENT = 512, 64, 16
NEAR = 0.01  # share of the codes where a near tie may fall the other way


def parts() -> list[Part]:
    """Return a step, then the codes of all items."""
    return [
        Part("rqvae, step", training_step(_network, _loss), ITEMS, "items"),
        Part("rqvae, codes", _codes, ITEMS, "items", NEAR),
    ]


def _network() -> RQVAENetwork:
    return RQVAENetwork(DIMENSIONS, (64, 32), ResidualQuantizer(3, 32, LATENT, decay=None), beta=0.25)


def _inputs(device: str) -> Tensor:
    return torch.from_numpy(np.random.default_rng(0).normal(size=(ITEMS, DIMENSIONS)).astype(np.float32)).to(device)


def _loss(network: nn.Module, device: str) -> Tensor:
    value: Tensor = network(_inputs(device))["loss"]
    return value


def _codes(device: str) -> Callable[[], Outcome]:
    torch.manual_seed(0)
    network, inputs = _network().eval().to(device), _inputs(device)
    return lambda: {"codes": network.codes(inputs).cpu()}
