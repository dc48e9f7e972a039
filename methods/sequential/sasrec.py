"""SASRec (`sasrec`): self-attention over the items so far; the bar of sequential recommendation.

    x_t = dropout( LN( e(i_t) + p_t ) )                                                  e items, p positions
    x   = LN( x + dropout( attention(x) ) ),   x = LN( x + dropout( W2 gelu(W1 x) ) )    per layer, causal
    s(j | i_1 .. i_t) = x_t . e(j)                                                       one table for both sides

Source: Kang and McAuley, Self-Attentive Sequential Recommendation, ICDM 2018, section III, with the layers of the
S3-Rec repository (Zhou et al., CIKM 2020), whose SASRec row LMIndexer's table reprints: normalisation behind each
sublayer, GELU, a feed-forward width of 256, weights from N(0, 0.02^2). The loss is the softmax over all items; both
sources use binary cross entropy against one drawn item a position, which is the weaker loss (Klenitskiy and Vasilev,
RecSys 2023), so expect more than the published row.
"""

from __future__ import annotations

from benchmark.errors import require
from benchmark.methods.sequential.config import TransformerConfig
from benchmark.types.arrays import Int32
from benchmark.types.data import Corpus, Histories
from benchmark.types.method import Context, Recommender
from benchmark.types.rankings import Rankings


class SASRecConfig(TransformerConfig):
    """A causal transformer."""


class SASRec(Recommender[SASRecConfig]):
    """Recommends by self-attention over the user's items (the bar of sequential recommendation)."""

    def fit(self, corpus: Corpus, histories: Histories, validation: Int32, context: Context) -> None:
        """Train with early stopping. Raises ConfigError when the heads do not divide the embedding."""
        from benchmark.methods.sequential.recommender import fit_network
        from benchmark.methods.sequential.sasrec_network import SASRecNetwork

        config = self.config
        require(config.embedding_size % config.heads == 0, "heads", "must divide embedding_size")
        self._model = fit_network(
            lambda: SASRecNetwork(len(corpus), config), corpus, histories, validation, config, context
        )

    def recommend(self, histories: Histories, k: int) -> Rankings:
        """Return the k best next items of every history, int32 [n, k]."""
        return self._model.recommend(histories, k)
