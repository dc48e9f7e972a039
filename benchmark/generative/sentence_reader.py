"""The reader `sentence`: one state per query, from a sentence encoder's vector and from the query's word pieces.

    s = LN( W a v + 1 / sqrt(n) sum_i e[w_i] )

v is the encoder's vector of the text (computed once and kept, unless the encoder learns), w_1 .. w_n its word pieces
by the same encoder's tokenizer, e a table learned from scratch. The vector carries what the query is about, also for
words that training never saw; the word pieces carry the exact words that tell one item from its neighbours. Either can
be left out. a is `vector_scale`: at 10, as in the reader `items`, the vector outweighs the word pieces at first; at 2
the two are alike.

Shapes: v [n, F], words are ragged, states [n, D].
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from benchmark.generative.config import SentenceConfig
from benchmark.generative.learning_encoder import LearningEncoder
from benchmark.generative.reading import QueryBatch, TextBatch

WORD_STD = 0.05


class SentenceReader(nn.Module):
    """Gives states [b, D] of texts."""

    def __init__(
        self,
        vocabulary: int,
        dimensions: int,
        config: SentenceConfig,
        width: int,
        encoder: LearningEncoder | None = None,
    ) -> None:
        """`vocabulary` word pieces; embeddings of F = `dimensions`, by `encoder` where it learns."""
        super().__init__()
        self.config = config
        self.encoder = encoder
        self.words = self.vector = None
        if config.inputs != "vector":
            self.words = nn.EmbeddingBag(vocabulary, width, mode="sum", include_last_offset=False)
            nn.init.normal_(self.words.weight, 0.0, WORD_STD)
        if config.inputs != "words":
            self.vector = nn.Linear(dimensions, width)
        self.norm = nn.LayerNorm(width)

    def forward(self, batch: TextBatch) -> Tensor:
        """Return the states [b, D]."""
        parts = []
        if self.vector is not None:
            vectors = batch.vectors if self.encoder is None else self.encoder(batch.encoder_inputs)
            assert vectors is not None
            parts.append(self.vector(vectors * self.config.vector_scale))
        if self.words is not None:
            ends = torch.cat([batch.offsets[1:], batch.offsets.new_tensor([len(batch.words)])])
            counts = (ends - batch.offsets).clamp(min=1)
            parts.append(self.words(batch.words, batch.offsets) / counts[:, None].sqrt())
        states: Tensor = self.norm(torch.stack(parts).sum(0))
        return states

    def learned(self, batch: QueryBatch) -> tuple[Tensor, Tensor]:
        """Return the states [b, D] and items [b] of a batch."""
        return self(batch.texts), batch.items
