"""PEFA-XS (`pefa-xs`): what training queries are worth without a gradient step, beside the dual encoder that takes one.

    z_d = lambda p_d + (1 - lambda) m_d,   m_d = sum_j q_j / |sum_j q_j| over the training queries j of item d
    score(q, d) = q . z_d

p_d is the item's vector by the frozen encoder, q_j that of a training query whose judgment of d is positive. So the
index is as large as without, and a query is as fast.

Source: Chang et al., PEFA: Parameter-Free Adapters for Large-scale Embedding-based Retrieval Models, WSDM 2024, the
variant XS (one index), as its code has it (amzn/pecos, examples/pefa-wsdm24). XL, which looks up the query's nearest
training queries in a second index, is not here. lambda is .5 as in the authors' script for NQ320k (.3 for TriviaQA).

What differs: they also count passages and generated queries of a document as its training queries, here those of the
data set count alone. An item without training queries keeps p_d, where their code leaves lambda p_d and so ranks it
below the others; a note counts these items. Items with the same text share their training queries. With `fine_tune`
the encoder is the dual encoder's, fine-tuned first; lambda = 1 is the encoder alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import Field

from benchmark.errors import BenchmarkError
from benchmark.methods.dual_encoder.config import DualEncoderConfig
from benchmark.methods.dual_encoder.judged import Judged, judged
from benchmark.methods.dual_encoder.retriever import DualEncoder
from benchmark.types.arrays import Float32
from benchmark.types.data import Corpus, QuerySet
from benchmark.types.method import Context, Retriever
from benchmark.types.rankings import Rankings


class PEFAXSConfig(DualEncoderConfig):
    """The weight, and the dual encoder whose vectors are mixed."""

    weight: float = Field(0.5, ge=0, le=1, description="lambda, of the item's own vector; 1: the encoder alone")
    fine_tune: bool = Field(False, description="true: on the vectors of a dual encoder that is fine-tuned first")


class PEFAXS(Retriever[PEFAXSConfig]):
    """Item vectors mixed with the mean of their training queries' vectors, nothing learned (PEFA, WSDM 2024)."""

    def fit(self, corpus: Corpus, queries: QuerySet | None, context: Context) -> None:
        """Embed items and training queries, mix and index them. Without training queries items keep their vectors."""
        self.encoder, self._means = DualEncoder(self.config), dict[str, Float32]()
        vectors = self.encoder.embed_items(corpus, queries, context)
        if self.config.weight < 1:
            self._embed_means(corpus, queries, context)
        self.encoder.build_index(self._mixed(vectors, corpus), corpus, queries, context)

    def extend(self, corpus: Corpus) -> None:
        """Index this corpus instead; items that were not there at `fit` have their own vectors."""
        self.encoder.extend(corpus, lambda vectors: self._mixed(vectors, corpus))

    def _embed_means(self, corpus: Corpus, queries: QuerySet | None, context: Context) -> None:
        """Keep the mean of the training queries of each item that has some, by item id."""
        if queries is None or not (queries.grades > 0).any():
            context.note("no training queries: every item is ranked by its own vector alone")
            return
        pairs = judged(queries, corpus.texts(), self.config.positive_grade, owner="pefa-xs")
        means = mean_queries(pairs, self.encoder.embed_queries(pairs.queries, context.progress))
        asked = means.any(axis=1)
        self._means = {corpus.ids[row]: means[row] for row in np.flatnonzero(asked)}
        if lacking := int((~asked).sum()):
            context.note(
                f"{lacking:,} of {len(corpus):,} items have no training query: ranked by their own vector alone"
            )

    def _mixed(self, vectors: Float32, corpus: Corpus) -> Float32:
        """Return the vectors that are indexed [n_items, dim]."""
        if not self._means:
            return vectors
        none = np.zeros(vectors.shape[1], np.float32)
        means = np.stack([self._means.get(item, none) for item in corpus.ids])
        return interpolated(vectors, means, self.config.weight)

    def search(self, queries: Sequence[str], k: int) -> Rankings:
        """Return the k best items per query [n_queries, k]; ties by item id, descending."""
        if not hasattr(self, "encoder"):
            raise BenchmarkError("pefa-xs: search was called before fit")
        return self.encoder.search(queries, k)


def mean_queries(pairs: Judged, asked: Float32) -> Float32:
    """Return the direction of each item's training queries [n_items, dim], of length 1; 0 where it has none.

    `asked` [n_queries, dim] are the vectors of `pairs.queries`.
    """
    sums = np.zeros((len(pairs.documents), asked.shape[1]), np.float32)
    np.add.at(sums, pairs.relevant[pairs.positives], asked[pairs.asked[pairs.positives]])
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    means: Float32 = np.divide(sums, lengths, out=np.zeros_like(sums), where=lengths > 0)
    return means[pairs.document_of]


def interpolated(items: Float32, means: Float32, weight: float) -> Float32:
    """Return weight * items + (1 - weight) * means, float32 [n_items, dim]; the item's vector where the mean is 0."""
    mixed: Float32 = np.float32(weight) * items + np.float32(1 - weight) * means
    return np.where(means.any(axis=1, keepdims=True), mixed, items)
