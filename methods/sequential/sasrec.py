"""SASRec (`sasrec`): self-attention over the items so far; a strong baseline of sequential recommendation.

    x_t = dropout( LN( e(i_t) + p_t ) )                                                  e items, p positions
    x   = LN( x + dropout( attention(x) ) ),   x = LN( x + dropout( W2 gelu(W1 x) ) )    per layer, causal
    s(j | i_1 .. i_t) = x_t . e(j)                                                       one table for both sides

Source: Kang and McAuley, Self-Attentive Sequential Recommendation, ICDM 2018, section III, with the layers of the
S3-Rec repository (Zhou et al., CIKM 2020), from whose table LMIndexer reprints other rows: normalisation behind each
sublayer, GELU, a feed-forward width of 256, weights from N(0, 0.02^2). The loss is the softmax over all items; both
sources use binary cross entropy against one drawn item a position, which is the weaker loss (Klenitskiy and Vasilev,
RecSys 2023), so expect more than the published row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmark.methods.sequential.config import SASRecConfig
from benchmark.methods.sequential.network_recommender import NetworkRecommender
from benchmark.types.data import Corpus, Histories
from benchmark.types.method import Context

if TYPE_CHECKING:
    from benchmark.methods.sequential.sasrec_network import SASRecNetwork


class SASRec(NetworkRecommender[SASRecConfig]):
    """Recommends by self-attention over the user's items (a strong baseline of sequential recommendation)."""

    def network(self, corpus: Corpus, histories: Histories, context: Context) -> SASRecNetwork:
        """Return a network of the items."""
        from benchmark.methods.sequential.sasrec_network import SASRecNetwork

        return SASRecNetwork(len(corpus), self.config)
