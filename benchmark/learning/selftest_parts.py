"""The parts of the self-test that methods share: the training loop, the ranking, k-means, faiss and the encoder."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from benchmark.config import EncoderConfig, TrainingConfig
from benchmark.learning.dense import DenseIndex, IndexConfig
from benchmark.learning.encoders import encode, load
from benchmark.learning.kmeans import kmeans
from benchmark.learning.selftest import Outcome, Part
from benchmark.learning.topk import top_k
from benchmark.learning.training import train
from benchmark.types.method import Context

ITEMS, DIMENSIONS, QUERIES, TEXTS, STEPS = 5_000, 64, 64, 32, 20


def parts() -> list[Part]:
    """Return them, cheapest first."""
    return [
        Part("ranking with ties", _top_k, QUERIES, "queries", 0.0),
        Part("k-means (faiss, on the CPU)", _kmeans, ITEMS, "points", 0.0),
        Part("dense search (faiss)", _dense, QUERIES, "queries", 0.0),
        Part("training loop, float32", _loop("no"), STEPS, "steps", 1e-2),
        Part("training loop, its own precision", _loop("auto"), STEPS, "steps", 0.2),
        Part("text encoder", _encoder, TEXTS, "texts"),
    ]


def _vectors(rows: int, seed: int = 0) -> np.ndarray:  # type: ignore[type-arg]
    return np.random.default_rng(seed).normal(size=(rows, DIMENSIONS)).astype(np.float32)


def _top_k(device: str) -> Callable[[], Outcome]:
    tied = torch.from_numpy(np.random.default_rng(0).integers(0, 50, (QUERIES, ITEMS)).astype(np.float32)).to(device)
    ranks = torch.from_numpy(np.random.default_rng(1).permutation(ITEMS)).to(device)
    return lambda: {"items": top_k(tied, ranks, 20)[1].cpu()}


def _kmeans(device: str) -> Callable[[], Outcome]:
    points = _vectors(ITEMS)
    return lambda: {"codes": torch.from_numpy(kmeans(points, 64, seed=0, max_iter=10)[1])}


def _dense(device: str) -> Callable[[], Outcome]:
    vectors, queries = _vectors(ITEMS), _vectors(QUERIES, seed=1)
    index = DenseIndex(
        vectors, [f"{row:05}" for row in range(ITEMS)], IndexConfig(), sample=queries, seed=0, gpu=device != "cpu"
    )
    return lambda: {"items": torch.tensor(index.search(queries, 20).items)}


def _loop(precision: str) -> Callable[[str], Callable[[], Outcome]]:
    inputs, classes = torch.from_numpy(_vectors(512)), torch.arange(512) % 8

    def loss(model: nn.Module, rows: Tensor) -> Tensor:
        at = rows.cpu()
        return nn.functional.cross_entropy(model(inputs[at].to(rows.device)), classes[at].to(rows.device))

    def prepare(device: str) -> Callable[[], Outcome]:
        kind = "no" if device == "cpu" else precision
        config = TrainingConfig.model_validate({"steps": STEPS, "batch_size": 64, "precision": kind})

        def step() -> Outcome:
            torch.manual_seed(0)
            model = nn.Sequential(nn.Linear(DIMENSIONS, 128), nn.GELU(), nn.Linear(128, 8))
            with tempfile.TemporaryDirectory() as work:
                train(model, len(inputs), loss, config, Context(work=Path(work), device=device))
            return {"weights": torch.cat([weight.detach().flatten().float().cpu() for weight in model.parameters()])}

        return step

    return prepare


def _encoder(device: str) -> Callable[[], Outcome]:
    config = EncoderConfig()
    model = load(config, device)
    texts = [f"a {size} lamp number {row}" for row, size in zip(range(TEXTS), ("small", "large") * TEXTS, strict=False)]
    return lambda: {"vectors": torch.from_numpy(encode(model, texts, normalize=config.normalize))}
