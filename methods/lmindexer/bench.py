"""LMIndexer's training step against a plain T5 step: the same T5, documents and optimiser.

A plain step reads a text and predicts it (teacher forcing, the whole vocabulary), which is what one would train
without semantic IDs. LMIndexer's step adds to the encoder's pass a second one under another dropout mask, for the
contrastive loss, and replaces the decoder over the whole text by one hidden state, the codebook and the
reconstructor. All steps are timed in turn, round by round, forward, backward and optimiser; ratios are medians.
"""

from __future__ import annotations

import copy
import statistics
import time
from collections.abc import Callable, Iterator

import numpy as np
import torch

from benchmark.generative.t5 import ScratchConfig, load_seq2seq

GOAL = 2.5  # times a plain step, at most


def run(small: bool) -> Iterator[str]:
    """Yield one line per kind of step."""
    n, length, width, layers, rounds = (16, 32, 64, 2, 3) if small else (64, 64, 256, 4, 7)
    steps, vocabulary = _steps(n, length, width, layers)
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for round_ in range(rounds + 1):
        for name, step in steps.items():
            started = time.perf_counter()
            step()
            if round_:  # the first one warms up
                seconds[name].append(time.perf_counter() - started)
    plain = seconds["plain T5, text to text"]
    yield f"{n} documents of {length} tokens; vocabulary {vocabulary:,}, width {width}, {layers} + {layers} layers"
    for name, values in seconds.items():
        ratio = statistics.median(value / base for value, base in zip(values, plain, strict=True))
        yield f"{name:34} {n / statistics.median(values):9.1f} examples/s   {ratio:5.2f} x the plain step's time"
    yield f"goal: at most {GOAL} x the plain step that predicts text"


def _steps(n: int, length: int, width: int, layers: int) -> tuple[dict[str, Callable[[], None]], int]:
    """Return the steps by name, and the size of the vocabulary."""
    from benchmark.methods.lmindexer.backbones import T5Backbone
    from benchmark.methods.lmindexer.config import LMIndexerConfig
    from benchmark.methods.lmindexer.documents import Documents
    from benchmark.methods.lmindexer.network import LMIndexerNetwork, Stage

    random = np.random.default_rng(0)
    words = np.asarray([f"w{i}" for i in range(4000)])
    texts = [" ".join(random.choice(words, length)) for _ in range(8 * n)]
    config = LMIndexerConfig(backbone="scratch", max_length=length, output_tokens="all")
    scratch = ScratchConfig(d_model=width, layers=layers, heads=max(1, width // 64), d_ff=4 * width)
    torch.manual_seed(0)
    model, tokenizer = load_seq2seq("scratch", scratch, texts, setting="lmindexer.backbone")
    plain = copy.deepcopy(model)
    backbone = T5Backbone(model, tokenizer, from_scratch=True)
    documents = Documents.tokenize(tokenizer, texts, config)
    network = LMIndexerNetwork(backbone, config, documents.output_tokens(config, backbone))
    batch = documents.batch(torch.arange(n), torch.empty(n, 0, dtype=torch.int64), n)
    codes = torch.randint(0, len(tokenizer), (n, 4))
    steps = {
        "plain T5, text to text": _step(plain, lambda: plain(batch.ids, batch.mask, labels=batch.ids).loss),
        "plain T5, text to 4 codes": _step(plain, lambda: plain(batch.ids, batch.mask, labels=codes).loss),
        "LMIndexer, position 1, no code": _step(network, lambda: network(batch, Stage(0.5, no_code=True))["loss"]),
        "LMIndexer, position 1, full": _step(network, lambda: network(batch, Stage(0.5))["loss"]),
    }
    return steps, len(tokenizer)


def _step(model: torch.nn.Module, loss: Callable[[], torch.Tensor]) -> Callable[[], None]:
    optimizer = torch.optim.AdamW(model.parameters())
    model.train()

    def step() -> None:
        optimizer.zero_grad()
        torch.autograd.backward(loss())
        optimizer.step()

    return step
