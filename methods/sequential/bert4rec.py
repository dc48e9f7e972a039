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

from typing import TYPE_CHECKING

from benchmark.methods.sequential.config import BERT4RecConfig
from benchmark.methods.sequential.network_recommender import NetworkRecommender
from benchmark.types.data import Corpus, Histories
from benchmark.types.method import Context

if TYPE_CHECKING:
    from benchmark.methods.sequential.bert4rec_network import BERT4RecNetwork


class BERT4Rec(NetworkRecommender[BERT4RecConfig]):
    """Recommends by a bidirectional transformer that fills in masked items."""

    def network(self, corpus: Corpus, histories: Histories, context: Context) -> BERT4RecNetwork:
        """Return a network of the items."""
        from benchmark.methods.sequential.bert4rec_network import BERT4RecNetwork

        return BERT4RecNetwork(len(corpus), self.config)
