"""Settings of BM25: the engine, the formula's two parameters and the analyser; the same for every engine."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from benchmark.config import MethodConfig


class BM25Config(MethodConfig):
    """Settings of BM25."""

    engine: Literal["bm25s", "rank-bm25", "lucene"] = Field(
        "bm25s",
        description="bm25s: fast, in memory; rank-bm25: reference for small corpora; lucene: on disk, needs Java",
    )
    k1: float = Field(1.2, ge=0, description="how slowly repeated words saturate")
    b: float = Field(0.75, ge=0, le=1, description="how much long documents are discounted")
    stop_words: bool = Field(True, description="drop Lucene's 33 English stop words")
    stem: bool = Field(True, description="reduce words to Snowball English stems")
