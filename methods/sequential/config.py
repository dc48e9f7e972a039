"""What all sequential recommenders have in common, as configuration; each method adds its own keys.

The defaults are the sizes of the S3-Rec repository (Zhou et al., CIKM 2020), whose all-item table is the upper half of
LMIndexer's Table 3: at most 50 items, 64 dimensions, Adam with 1e-3, 256 users a step, up to 200 epochs. Two differ,
`history` and `events`, and the preset `published` sets them as there. See README.md.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from benchmark.config import MethodConfig, TrainingConfig
from benchmark.learning.topk import HistoryRule


class SequenceTraining(TrainingConfig):
    """The training loop's keys, and early stopping on the nDCG@10 of the validation items."""

    epochs: float = Field(200, ge=0, description="passes over the users at most")
    batch_size: int = Field(256, ge=1, description="users per optimiser step, over all devices")
    schedule: Literal["linear", "cosine", "inverse-sqrt", "constant"] = "constant"
    clip_norm: float = Field(1e6, gt=0, description="the sources do not clip")
    evaluate_epochs: float = Field(1, gt=0, description="epochs between two evaluations")
    patience: int = Field(10, ge=1, description="evaluations without a better nDCG@10 that end the training")


class SequenceConfig(MethodConfig):
    """Keys that every sequential recommender has."""

    max_length: int = Field(50, ge=2, le=100_000, description="items that are read, the most recent ones")
    embedding_size: int = Field(64, ge=1, le=16_384, description="dimensions of an item")
    loss: Literal["full", "sampled"] = Field("full", description="softmax over all items, or over sampled negatives")
    negatives: int = Field(1024, ge=1, description="sampled: negatives drawn per step, shared by all its positions")
    events: Literal["all", "recent"] = Field(
        "all", description="learn from all training items of a user, or from the most recent max_length ones (S3-Rec)"
    )
    history: HistoryRule = Field(
        "keep", description="items the user already has: keep, exclude, or set their scores to zero (S3-Rec)"
    )
    training: SequenceTraining = SequenceTraining()


class TransformerConfig(SequenceConfig):
    """Keys of the methods with self-attention."""

    layers: int = Field(2, ge=1, le=1024)
    heads: int = Field(2, ge=1, le=1024)
    inner_size: int = Field(256, ge=1, le=65_536, description="width of the feed-forward layers")
    dropout: float = Field(0.5, ge=0, lt=1)
    positions: Literal["from-end", "from-start"] = Field(
        "from-end", description="number positions so that the newest item has the last one (left padding), or the first"
    )


class SASRecConfig(TransformerConfig):
    """A causal transformer."""


class FDSAConfig(TransformerConfig):
    """Two causal transformers."""

    features: tuple[Literal["brand", "categories"], ...] = Field(("brand", "categories"), min_length=1)


class BERT4RecConfig(TransformerConfig):
    """A bidirectional transformer with masked items."""

    dropout: float = Field(0.2, ge=0, lt=1)
    examples: Literal["prefixes", "windows"] = Field(
        "prefixes", description="learn from every beginning of a history (RecBole), or from whole windows alone"
    )
    mask_ratio: float = Field(0.2, gt=0, le=1, description="share of hidden items")
    last_ratio: float = Field(0.5, ge=0, le=1, description="share of batches that hide only the last items")


class GRU4RecConfig(SequenceConfig):
    """A recurrent network."""

    hidden_size: int = Field(128, ge=1, le=16_384, description="units of each recurrent layer")
    layers: int = Field(1, ge=1, le=1024)
    dropout: float = Field(0.3, ge=0, lt=1, description="on the items that go in")


class HGNConfig(SequenceConfig):
    """Hierarchical gates."""
