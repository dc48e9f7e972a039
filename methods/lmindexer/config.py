"""LMIndexer's settings. The defaults follow the paper; where its text and its released code disagree, a key chooses."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from benchmark.config import IndexerConfig, MethodConfig, TrainingConfig
from benchmark.generative.t5 import ScratchConfig


class ReconstructorConfig(MethodConfig):
    """The shallow Transformer that predicts every token from the ID and the hints (section 3.2; Table 5)."""

    layers: int = Field(1, ge=1, le=1024, description="depth; the paper's Table 5 tries 1, 2 and 3")
    hints: Literal["closed", "open"] = Field(
        "closed",
        description="what deeper layers read: the hints themselves (closed), or the layer below (open, the released "
        "code), where a token can see itself through its neighbours",
    )
    heads: int = Field(0, ge=0, le=1024, description="attention heads; 0 takes one per 64 dimensions (T5-base: 12)")
    d_ff: int = Field(0, ge=0, le=65_536, description="width of the feed-forward layer; 0 takes four times the model's")
    dropout: float = Field(0.1, ge=0, lt=1)


class WeightsConfig(MethodConfig):
    """Weights of the three losses (the paper: all 1); 0 leaves a loss out."""

    reconstruction: float = Field(1.0, ge=0)
    contrastive: float = Field(1.0, ge=0)
    commitment: float = Field(1.0, ge=0)


class PositionConfig(MethodConfig):
    """How one position of the ID is learned."""

    mask_ratio: float = Field(0.5, ge=0, le=1, description="share of the document hidden from each prediction")
    no_code: TrainingConfig = TrainingConfig()
    full: TrainingConfig = TrainingConfig()


class LMIndexerConfig(IndexerConfig):
    """Backbone, shape of the IDs, losses and the stages of training."""

    backbone: str = Field(
        "encoder", description="encoder (a sentence encoder and a small decoder), scratch, or any T5 by name or path"
    )
    encoder: str = Field("default", description="the sentence encoder of `backbone=encoder`, by hub name or path")
    decoder_layers: int = Field(1, ge=1, le=1024, description="layers of the decoder of `backbone=encoder`")
    frozen_layers: int = Field(3, ge=0, le=1024, description="layers of the sentence encoder that stay as they are")
    cache_bytes: int = Field(
        2 * 2**30, ge=0, le=2**50, description="memory for the frozen layers' output, computed once if it fits"
    )
    hidden_norm: float = Field(4.0, gt=0, description="length of h at the start with `backbone=encoder`")
    standardize: bool = Field(
        True, description="scale the sentence encoder's pooled output to mean 0 and variance 1 per dimension"
    )
    residual_directions: int = Field(
        0, ge=0, le=16_384, description="principal directions of the residual that later positions start from, at "
        "equal strength, with `backbone=encoder`; 0: the residual as it is"
    )  # fmt: skip
    scratch: ScratchConfig = ScratchConfig()
    length: int = Field(3, ge=1, le=64, description="codes per item, before the dedup counter (the paper: 2)")
    codebook_size: int = Field(256, ge=2, description="codes per position (the paper: 512 on Amazon)")
    max_length: int = Field(128, ge=4, le=100_000, description="tokens of an item's text")
    output_tokens: Literal["corpus", "all"] = Field(
        "corpus", description="tokens to choose from in reconstruction: those of the corpus, or the whole vocabulary"
    )
    scored_tokens: int = Field(0, ge=0, description="tokens of each item that are scored a step, at random; 0: all")
    score_repeated: bool = Field(True, description="score tokens that the item's text holds more than once")
    scored_above: float = Field(0.0, ge=0, le=1, description="score tokens that occur in at least this share of items")
    scored_below: float = Field(1.0, ge=0, le=1, description="score tokens that occur in at most this share of items")
    reconstructor: ReconstructorConfig = ReconstructorConfig()
    temperature: float = Field(1.0, gt=0, description="of the softmax over the codebook")
    codebook_init: Literal["k-means", "spherical", "random"] = Field(
        "spherical",
        description="first codebooks: k-means centres (the best of ten starts, as in the released code), those of one "
        "start scaled to one length (so that the largest dot product is the closest direction), or Xavier normal",
    )
    query: Literal["quantized", "continuous"] = Field(
        "quantized",
        description="what asks the reconstructor at positions behind the first: the code's vector (the paper's text), "
        "or the hidden state before quantisation (the released code)",
    )
    contrastive: Literal["same-prefix", "sampled"] = Field(
        "same-prefix",
        description="denominator behind the first position: every document of a device's batch with the same prefix "
        "(the paper's text), or the anchor's own hard negatives only (the released code)",
    )
    contrastive_batch: int = Field(16, ge=2, description="documents that share one contrastive denominator")
    negatives: int = Field(4, ge=1, description="hard negatives of each document behind the first position")
    commitment: Literal["quantizer", "language-model"] = Field(
        "quantizer",
        description="logits of the earlier codes: the quantiser's own (the paper's text), or T5's, scaled by "
        "width^-0.5, over all ID tokens (the released code)",
    )
    weights: WeightsConfig = WeightsConfig()
    slow_rate: float = Field(
        1.0,
        gt=0,
        description="learning rate of what starts from knowledge (pretrained weights, token vectors, codebooks), "
        "relative to what starts at random",
    )
    reconstructor_warmup: bool = Field(True, description="train the reconstructor alone first")
    no_code_warmup: bool = Field(True, description="train each position without its codebook first")
    warmup: TrainingConfig = TrainingConfig()
    warmup_mask_ratio: float = Field(0.0, ge=0, le=1)
    first: PositionConfig = PositionConfig()
    later: PositionConfig = PositionConfig(mask_ratio=0.7)
    study_items: int = Field(
        1000, ge=0, description="items on which the training study is measured, its perplexity on all; 0: no study"
    )
