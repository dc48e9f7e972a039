"""HGN (`hgn`): gates choose what counts of the user's items, in features and in time.

    S'_t = S_t * sigmoid( W1 S_t + W2 u + b )                feature gate, S_t the vector of item t, u of the user
    g_t  = sigmoid( w3 . S'_t + (W4 u)_t )                   instance gate, one row of W4 per place t
    x_t  = u + sum_{r<=t} g_r S'_r / sum_{r<=t} g_r + sum_{r<=t} S_r
    s(j | i_1 .. i_t) = x_t . q(j)                           q: a table of its own, apart from S

Source: Ma, Kang and Liu, Hierarchical Gating Networks for Sequential Recommendation, KDD 2019, section 3, with average
pooling. Both sums are running sums, so that one pass gives every position, though each is the whole model of the items
up to it: no gate looks at another item.

RecBole pads on the right and masks nothing, so that the vector of the padding (random, never learned) enters both sums
of every short history. Here padding has no part in them. The paper trains on windows of five items and three targets
with BPR; here all items so far and the softmax over all items, as in RecBole. A user who was not there in training has
u = 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmark.methods.sequential.config import HGNConfig
from benchmark.methods.sequential.network_recommender import NetworkRecommender
from benchmark.types.data import Corpus, Histories
from benchmark.types.method import Context

if TYPE_CHECKING:
    from benchmark.methods.sequential.hgn_network import HGNNetwork


class HGN(NetworkRecommender[HGNConfig]):
    """Recommends by gated sums of the user's items."""

    def network(self, corpus: Corpus, histories: Histories, context: Context) -> HGNNetwork:
        """Return a network of items and users."""
        from benchmark.methods.sequential.hgn_network import HGNNetwork

        return HGNNetwork(len(corpus), len(histories), self.config)
