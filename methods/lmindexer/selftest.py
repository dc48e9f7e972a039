"""The self-test of LMIndexer's network: the losses of the first and the second position, with the gradients."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from benchmark.learning.selftest import Outcome, Part, training_step
from benchmark.methods.lmindexer.config import LMIndexerConfig
from benchmark.methods.lmindexer.documents import Documents, load_backbone
from benchmark.methods.lmindexer.network import LMIndexerNetwork, Stage

DOCUMENTS, CODES = 32, 16


def parts() -> list[Part]:
    """Return the step of each position with the T5 and with the sentence encoder."""
    return [
        Part(f"lmindexer, {words}, position {position + 1}", _step(backbone, position), DOCUMENTS, "texts")
        for backbone, words in (("scratch", "T5"), ("encoder", "sentence encoder"))
        for position in (0, 1)
    ]


def _step(backbone: str, position: int) -> Callable[[str], Callable[[], Outcome]]:
    # no hint is masked and every token is scored, so that nothing is drawn on the device
    scratch = {"d_model": 64, "layers": 2, "heads": 4, "d_ff": 128, "vocabulary_size": 300}
    config = LMIndexerConfig.model_validate(
        {"backbone": backbone, "codebook_size": CODES, "max_length": 16, "scored_tokens": 0, "scratch": scratch}
    )
    texts = [f"a {'small' if row % 2 else 'large'} lamp for room number {row}" for row in range(DOCUMENTS)]
    documents = partial(_documents, config, texts)

    def build() -> nn.Module:
        backbone = load_backbone(config, texts)
        return LMIndexerNetwork(backbone, config, documents(backbone).output_tokens(config, backbone))

    def loss(network: nn.Module, device: str) -> Tensor:
        assert isinstance(network, LMIndexerNetwork)
        rows = torch.arange(DOCUMENTS, device=device)
        prefix = (rows[:, None] % CODES)[:, :position]
        value: Tensor = network(documents(network.backbone).batch(rows, prefix, DOCUMENTS), Stage(0.0))["loss"]
        return value

    return training_step(build, loss)


def _documents(config: LMIndexerConfig, texts: list[str], backbone: object) -> Documents:
    return Documents.tokenize(backbone.tokenizer, texts, config)  # type: ignore[attr-defined]
