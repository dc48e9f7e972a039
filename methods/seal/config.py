"""SEAL's settings. The defaults are the authors' (paper and released code), but for the backbone, which needs a hub."""

from __future__ import annotations

from pydantic import Field

from benchmark.config import MethodConfig, TrainingConfig
from benchmark.generative.t5 import ScratchConfig


class PairsConfig(MethodConfig):
    """Training pairs: queries with their documents, and documents with themselves (marked `|| p`)."""

    positives: int = Field(
        1, ge=0, description="relevant documents of each query, best grades first; 0: all of them"
    )  # fmt: skip
    titles: int = Field(3, ge=0, description="copies of (query -> title) per query and document")
    spans: int = Field(10, ge=0, description="(query -> span) pairs per query and document")
    span_words: int = Field(10, ge=1, description="words of a span")
    temperature: float = Field(1.0, gt=0, description="of the choice of a span by its likeness to the query")
    document_spans: int = Field(3, ge=0, description="(cut -> another cut) pairs per document")
    document_titles: int = Field(1, ge=0, description="pairs per document, half (cut -> title), half (title -> cut)")
    whole_documents: int = Field(1, ge=0, description="(whole text -> title) pairs per document")


class DecodingConfig(MethodConfig):
    """Constrained beam search for keys."""

    beams: int = Field(15, ge=1, le=10_000)
    body_length: int = Field(
        10, ge=1, le=1000, description="tokens of a body key; shorter prefixes are kept as keys too"
    )
    title_length: int = Field(15, ge=2, le=100_000, description="most tokens of a title key, its end among them")
    query_words: int = Field(3, ge=0, description="longest word n-grams of the query that become keys; 0: none")
    unigrams: int = Field(5000, ge=0, description="most probable first tokens that count as unigram keys")
    batch: int = Field(20, ge=1, description="queries that are decoded together")


class ScoringConfig(MethodConfig):
    """Weights of keys and scores of documents."""

    exponent: float = Field(2.0, gt=0, description="power of an n-gram's weight (unigrams: 1)")
    smoothing: float = Field(5.0, gt=0, description="added to a key's count and to the corpus's tokens")
    repetition: float = Field(0.8, ge=0, le=1, description="beta: share of a weight lost when no token is new")
    frequent: int = Field(1500, ge=1, description="keys with more hits do not choose documents, they only score them")
    scored_documents: int = Field(1500, ge=1, description="best documents by rare keys that are fully scored")


class SEALConfig(MethodConfig):
    """Backbone, training pairs, decoding and scoring."""

    backbone: str = Field("scratch", description="scratch, or any BART or T5 by name or path, e.g. facebook/bart-large")
    scratch: ScratchConfig = ScratchConfig()
    document_tokens: int = Field(
        980, ge=1, le=100_000, description="tokens of a title and of a text that are indexed, each"
    )
    max_source: int = Field(
        1024, ge=16, le=100_000, description="tokens of a training source, a training target or a query"
    )
    label_smoothing: float = Field(0.1, ge=0, lt=1)
    pairs: PairsConfig = PairsConfig()
    training: TrainingConfig = TrainingConfig(steps=10_000, batch_size=64, learning_rate=1e-3)
    decoding: DecodingConfig = DecodingConfig()
    scoring: ScoringConfig = ScoringConfig()
