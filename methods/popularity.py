"""Popularity (`popularity`): everyone is recommended what most people took; the floor of next-item recommendation.

    score(item) = how often the item occurs in the training histories

Ties are ranked by item id, descending as strings, which is trec_eval's rule: an evaluator that sorts the run again
by score finds the same order. By default a user's own history may be recommended again, as it may be by the
generative methods; `exclude_history` leaves it out, the custom of the classical sequential recommenders.
"""

from __future__ import annotations

import numpy as np
from pydantic import Field

from benchmark.config import MethodConfig
from benchmark.contracts import Context, Corpus, Histories, Int32, Rankings, Recommender


class PopularityConfig(MethodConfig):
    """What may be recommended."""

    exclude_history: bool = Field(False, description="never recommend an item of the user's own history")


class Popularity(Recommender[PopularityConfig]):
    """Ranks items by how often they occur in the training histories."""

    def fit(self, corpus: Corpus, histories: Histories, validation: Int32, context: Context) -> None:
        """Count the items of the training histories; the validation items are not counted."""
        counts = np.bincount(histories.items, minlength=len(corpus))
        by_id = np.array(sorted(range(len(corpus)), key=corpus.ids.__getitem__, reverse=True), np.int32)
        self._ranking = by_id[np.argsort(-counts[by_id], kind="stable")]  # int32 [n_items], best first
        self._scores = counts[self._ranking].astype(np.float32)

    def recommend(self, histories: Histories, k: int) -> Rankings:
        """Return the k most popular items per history, int32 [n, k]; -1 where fewer are left."""
        width = min(k, len(self._ranking))
        if not self.config.exclude_history:
            everyone = np.zeros((len(histories), 1), np.int32)
            return Rankings(self._ranking[:width] + everyone, self._scores[:width] + everyone.astype(np.float32))
        items = np.full((len(histories), width), -1, np.int32)
        scores = np.zeros((len(histories), width), np.float32)
        for user in range(len(histories)):
            history = np.unique(histories[user])
            head = slice(0, width + len(history))  # enough, whatever the history takes away
            kept = np.flatnonzero(~np.isin(self._ranking[head], history))[:width]
            items[user, : len(kept)] = self._ranking[kept]
            scores[user, : len(kept)] = self._scores[kept]
        return Rankings(items, scores)
