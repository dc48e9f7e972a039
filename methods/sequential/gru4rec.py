"""GRU4Rec (`gru4rec`): a recurrent network over the items so far.

    h_t = GRU( dropout( e(i_t) ), h_{t-1} ),   s(j | i_1 .. i_t) = (W h_t) . e(j)        one table for both sides

Source: Hidasi et al., Session-based Recommendations with Recurrent Neural Networks, ICLR 2016, in the form of Tan et
al. (DLRS 2016) that RecBole ships and most papers compare with: 64 dimensions, one layer of 128 hidden units without
biases, a linear layer back to the items, dropout 0.3 on the input, softmax over all items. The original trains on
session-parallel batches with BPR or TOP1 losses against the batch's other items; third-party versions differ from it
and from each other (Hidasi and Czapp, RecSys 2023), so that a "GRU4Rec" row means little without its settings.
"""

from __future__ import annotations

from pydantic import Field

from benchmark.methods.sequential.config import SequenceConfig
from benchmark.types.arrays import Int32
from benchmark.types.data import Corpus, Histories
from benchmark.types.method import Context, Recommender
from benchmark.types.rankings import Rankings


class GRU4RecConfig(SequenceConfig):
    """A recurrent network."""

    hidden_size: int = Field(128, ge=1, description="units of each recurrent layer")
    layers: int = Field(1, ge=1)
    dropout: float = Field(0.3, ge=0, lt=1, description="on the items that go in")


class GRU4Rec(Recommender[GRU4RecConfig]):
    """Recommends by a recurrent network over the user's items."""

    def fit(self, corpus: Corpus, histories: Histories, validation: Int32, context: Context) -> None:
        """Train with early stopping."""
        from benchmark.methods.sequential.gru4rec_network import GRU4RecNetwork
        from benchmark.methods.sequential.recommender import fit_network

        config = self.config
        self._model = fit_network(
            lambda: GRU4RecNetwork(len(corpus), config), corpus, histories, validation, config, context
        )

    def recommend(self, histories: Histories, k: int) -> Rankings:
        """Return the k best next items of every history, int32 [n, k]."""
        return self._model.recommend(histories, k)
