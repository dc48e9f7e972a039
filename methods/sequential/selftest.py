"""The self-test of the sequential networks: the loss behind each user's last item, with the gradients."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from benchmark.generative.bench_generative import made_up
from benchmark.learning.selftest import BFLOAT16, Part, training_step
from benchmark.learning.windows import padded, recent_windows
from benchmark.methods.sequential.losses import full_softmax, sampled_softmax
from benchmark.methods.sequential.network_recommender import NetworkRecommender
from benchmark.methods.sequential.networks import SequenceNetwork
from benchmark.registry import load
from benchmark.types.method import Context

METHODS = ("sasrec", "bert4rec", "gru4rec", "hgn", "fdsa")
ITEMS, USERS, LENGTH, NEGATIVES = 2_000, 128, 20, 256


def parts() -> list[Part]:
    """Return one step of each network, and SASRec's with sampled negatives and in bfloat16."""
    steps = {name: partial(_network, name) for name in METHODS}
    return [
        *(Part(f"{name}, step", training_step(build, _loss), USERS, "histories") for name, build in steps.items()),
        Part("sasrec, sampled loss", training_step(steps["sasrec"], _sampled_loss), USERS, "histories"),
        Part("sasrec, bfloat16", training_step(steps["sasrec"], _loss, precision="bf16"), USERS, "histories", BFLOAT16),
    ]


def _network(name: str) -> SequenceNetwork:
    import pyarrow as pa

    data, method = made_up(ITEMS, USERS, LENGTH, seed=0), load("method", name)
    config = method.Config(max_length=LENGTH)
    recommender: NetworkRecommender[object] = method(config)  # type: ignore[type-var]
    brands = pa.array([f"brand{row % 50}" for row in range(ITEMS)])  # fdsa reads them
    corpus = replace(data.corpus, table=data.corpus.table.append_column("brand", brands))
    return recommender.network(corpus, data.histories, Context())


def _states(network: nn.Module, device: str) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    assert isinstance(network, SequenceNetwork)
    histories = made_up(ITEMS, USERS, LENGTH, seed=0).histories
    items = torch.from_numpy(padded(histories, recent_windows(histories, LENGTH), ITEMS)).to(device)
    states = network.last_states(items, torch.arange(USERS, device=device))
    targets = torch.from_numpy(np.random.default_rng(1).integers(0, ITEMS, USERS)).to(device)
    return (states, *network.table(), targets)


def _loss(network: nn.Module, device: str) -> Tensor:
    return full_softmax(*_states(network, device))


def _sampled_loss(network: nn.Module, device: str) -> Tensor:
    drawn = torch.from_numpy(np.random.default_rng(2).integers(0, ITEMS, NEGATIVES)).to(device)
    expected = torch.full((NEGATIVES,), NEGATIVES / ITEMS, device=device)
    return sampled_softmax(*_states(network, device), drawn, expected)
