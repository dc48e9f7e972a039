"""What the tests of LMIndexer's parts share: a few texts, tiny models over them, and a twin of a loss in float64."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from benchmark.conformance import small_corpus
from benchmark.generative.t5 import ScratchConfig, load_seq2seq, train_tokenizer
from benchmark.methods.lmindexer.backbones import Backbone, EncoderBackbone, T5Backbone
from benchmark.methods.lmindexer.config import LMIndexerConfig
from benchmark.methods.lmindexer.documents import Documents
from benchmark.methods.lmindexer.network import Batch, LMIndexerNetwork, Stage

Array = NDArray[np.float64]

WIDTH, CODES = 32, 8
SCRATCH = ScratchConfig(d_model=WIDTH, layers=1, heads=2, d_ff=48, vocabulary_size=300)
TEXTS = [*small_corpus(21).texts(), "", "one word", "a text that is " + "much " * 8 + "longer than all the others"]
EMPTY, SHORT, LONG = 21, 22, 23
TOKENIZER = train_tokenizer(SCRATCH, TEXTS)
DOCUMENTS = Documents.tokenize(TOKENIZER, TEXTS, LMIndexerConfig(max_length=48))
ALL_HINTS = Stage(mask_ratio=0.0)


def t5(dropout: float = 0.1) -> Any:
    torch.manual_seed(0)
    model, _ = load_seq2seq("scratch", SCRATCH.model_copy(update={"dropout": dropout}), TEXTS, setting="backbone")
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "layer_norm" in name:
                parameter.uniform_(0.5, 1.5)
    return model


def bert(layers: int = 3) -> Any:
    from transformers import BertConfig, BertModel

    torch.manual_seed(0)
    sizes = {"hidden_size": WIDTH, "num_hidden_layers": layers, "num_attention_heads": 2, "intermediate_size": 48}
    return BertModel(BertConfig(vocab_size=len(TOKENIZER), max_position_embeddings=64, **sizes))


def encoder_backbone(frozen_layers: int = 0, directions: int = 0) -> EncoderBackbone:
    sizes = {"layers": 2, "frozen_layers": frozen_layers, "directions": directions}
    return EncoderBackbone(bert(), TOKENIZER, hidden_norm=3.0, **sizes).eval()


def batch_of(rows: list[int], prefix: Tensor | None = None, anchors: int | None = None) -> Batch:
    known = torch.zeros(len(rows), 0, dtype=torch.long) if prefix is None else prefix
    return DOCUMENTS.batch(torch.tensor(rows), known, len(rows) if anchors is None else anchors)


def network_of(backbone: Callable[[], Backbone] | None = None, **settings: Any) -> LMIndexerNetwork:
    """Return a network in eval mode whose codebooks have about the length of its hidden states."""
    made = T5Backbone(t5(), TOKENIZER, from_scratch=True) if backbone is None else backbone()
    config = LMIndexerConfig(**{"length": 3, "codebook_size": CODES, "negatives": 2, "temperature": 1.0} | settings)
    network = LMIndexerNetwork(made, config, DOCUMENTS.output_tokens(config, made))
    with torch.no_grad():
        for codebook in network.codebooks:
            codebook.normal_()
    return network.eval()


def prefix_of(position: int) -> Tensor:
    """Return codes int64 [n, position] that many documents share."""
    rows = torch.arange(len(TEXTS))
    return torch.stack([rows % 4, rows % 2, rows % 3], dim=1)[:, :position]


def contrastive_twin(hidden: Array, again: Array, negatives: NDArray[np.bool_]) -> float:
    """Each anchor's -log of the positive's share, in float64; anchors without negatives left out."""
    losses = []
    for i in range(len(again)):
        others = [math.exp(hidden[i] @ hidden[j]) for j in range(len(hidden)) if negatives[i, j]]
        positive = math.exp(hidden[i] @ again[i])
        if others:
            losses.append(-math.log(positive / (positive + sum(others))))
    return float(np.mean(losses)) if losses else 0.0
