"""BERT4Rec (`bert4rec`): a transformer that sees both sides fills in masked items.

    x = transformer( dropout( LN( e(i) + p ) ) )                 no causal mask; e([MASK]) where an item is hidden
    s(j) = LN( gelu( W x_t + c ) ) . e(j) + b_j                  at the hidden items t; one table for both sides

For a recommendation, [MASK] is appended to the history and read off there.

Source: Sun et al., BERT4Rec: Sequential Recommendation with Bidirectional Encoder Representations from Transformer,
CIKM 2019, section 3. Settings of RecBole: 2 layers, 2 heads, 64 dimensions, dropout 0.2; every beginning of a history
is an example of its own (`examples`), on whole histories half of all batches would repeat one example per user, its
last training item; with probability 0.5 (`last_ratio`) a batch hides only the last item of each example, as a
recommendation will, else each item with probability 0.2 (`mask_ratio`). Two quirks of RecBole are not copied: a mask at
the first position has no loss there, and at most mask_ratio times max_length items are hidden. Where chance hides
nothing of an example, one item is. RecBole numbers positions from the oldest item; here the [MASK] to be read off
always has the last position, as everything that S3-Rec pads on the left (`positions`).
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from benchmark.errors import require
from benchmark.methods.sequential.config import TransformerConfig
from benchmark.types.arrays import Int32
from benchmark.types.data import Corpus, Histories
from benchmark.types.method import Context, Recommender
from benchmark.types.rankings import Rankings


class BERT4RecConfig(TransformerConfig):
    """A bidirectional transformer with masked items."""

    dropout: float = Field(0.2, ge=0, lt=1)
    examples: Literal["prefixes", "windows"] = Field(
        "prefixes", description="learn from every beginning of a history (RecBole), or from whole windows alone"
    )
    mask_ratio: float = Field(0.2, gt=0, le=1, description="share of hidden items")
    last_ratio: float = Field(0.5, ge=0, le=1, description="share of batches that hide only the last items")


class BERT4Rec(Recommender[BERT4RecConfig]):
    """Recommends by a bidirectional transformer that fills in masked items."""

    def fit(self, corpus: Corpus, histories: Histories, validation: Int32, context: Context) -> None:
        """Train with early stopping. Raises ConfigError when the heads do not divide the embedding."""
        from benchmark.methods.sequential.bert4rec_network import BERT4RecNetwork
        from benchmark.methods.sequential.recommender import fit_network

        config = self.config
        require(config.embedding_size % config.heads == 0, "heads", "must divide embedding_size")
        self._model = fit_network(
            lambda: BERT4RecNetwork(len(corpus), config), corpus, histories, validation, config, context
        )

    def recommend(self, histories: Histories, k: int) -> Rankings:
        """Return the k best next items of every history, int32 [n, k]."""
        return self._model.recommend(histories, k)
