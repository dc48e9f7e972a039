"""Settings of the dual encoder; every default and where it comes from stands in README.md."""

from __future__ import annotations

from pydantic import Field

from benchmark.config import EncoderConfig, MethodConfig, TrainingConfig
from benchmark.learning.dense import IndexConfig


class DualEncoderConfig(MethodConfig):
    """Encoder, prefixes, fine-tuning and index."""

    encoder: EncoderConfig = EncoderConfig()
    query_prefix: str = Field("", description="text before every query, as the encoder was trained (E5: 'query: ')")
    document_prefix: str = Field("", description="text before every document (E5: 'passage: ')")
    fine_tune: bool = Field(True, description="false: zero-shot, the encoder ranks as it is")
    positive_grade: int = Field(1, ge=1, description="judgments below it: neither positive nor negative")
    hard_negatives: int = Field(1, ge=0, description="BM25 negatives of every training example (DPR: 1)")
    negative_ranks: int = Field(30, ge=1, description="BM25 ranks that hard negatives are drawn from (LMIndexer: 30)")
    temperature: float = Field(0.05, gt=0, description="of the softmax over the batch; 1 with normalize=false is DPR")
    training: TrainingConfig = TrainingConfig(
        epochs=1, batch_size=64, learning_rate=2e-5, warmup_ratio=0.1, schedule="linear"
    )
    index: IndexConfig = IndexConfig()
