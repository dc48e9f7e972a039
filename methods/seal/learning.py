"""SEAL's training: cross-entropy of the targets' tokens with label smoothing, over the whole vocabulary."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from benchmark.learning.training import train
from benchmark.methods.seal.config import SEALConfig
from benchmark.methods.seal.documents import Documents
from benchmark.methods.seal.model import LanguageModel
from benchmark.methods.seal.pairs import Pairs
from benchmark.types.data import QuerySet
from benchmark.types.method import Context


def learn(
    model: LanguageModel, documents: Documents, queries: QuerySet | None, config: SEALConfig, context: Context
) -> None:
    """Train the language model in place on all pairs."""
    pairs = Pairs(documents, queries, config.pairs, context.seed)

    def loss(network: nn.Module, indices: Tensor) -> Tensor:
        batch = [pairs[number] for number in indices.tolist()]
        ids, mask = model.sources(
            [pair.source for pair in batch], [pair.part for pair in batch], [pair.mark for pair in batch]
        )
        targets = model.targets(batch)
        logits = network(input_ids=ids, attention_mask=mask, decoder_input_ids=model.shifted(targets)).logits
        return F.cross_entropy(
            logits.flatten(0, 1), targets.flatten(), ignore_index=-100, label_smoothing=config.label_smoothing
        )

    train(model.model, len(pairs), loss, config.training, context, name="seal")
    context.facts["training_pairs"] = len(pairs)
