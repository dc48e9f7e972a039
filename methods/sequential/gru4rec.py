"""GRU4Rec (`gru4rec`): a recurrent network over the items so far.

    h_t = GRU( dropout( e(i_t) ), h_{t-1} ),   s(j | i_1 .. i_t) = (W h_t) . e(j)        one table for both sides

Source: Hidasi et al., Session-based Recommendations with Recurrent Neural Networks, ICLR 2016, in the form of Tan et
al. (DLRS 2016) that RecBole ships and most papers compare with: 64 dimensions, one layer of 128 hidden units without
biases, a linear layer back to the items, dropout 0.3 on the input, softmax over all items. The original trains on
session-parallel batches with BPR or TOP1 losses against the batch's other items; third-party versions differ from it
and from each other (Hidasi and Czapp, RecSys 2023), so that a "GRU4Rec" row means little without its settings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmark.methods.sequential.config import GRU4RecConfig
from benchmark.methods.sequential.network_recommender import NetworkRecommender
from benchmark.types.data import Corpus, Histories
from benchmark.types.method import Context

if TYPE_CHECKING:
    from benchmark.methods.sequential.gru4rec_network import GRU4RecNetwork


class GRU4Rec(NetworkRecommender[GRU4RecConfig]):
    """Recommends by a recurrent network over the user's items."""

    def network(self, corpus: Corpus, histories: Histories, context: Context) -> GRU4RecNetwork:
        """Return a network of the items."""
        from benchmark.methods.sequential.gru4rec_network import GRU4RecNetwork

        return GRU4RecNetwork(len(corpus), self.config)
