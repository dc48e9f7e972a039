"""Popularity (`popularity`): everyone is recommended what most people took; the floor of next-item recommendation.

    score(item) = how often the item occurs in the training histories

Ties are ranked by item id, descending as strings, which is trec_eval's rule: an evaluator that sorts the run again
by score finds the same order. By default a user's own history may be recommended again, as it may be by the
generative methods; `history = exclude` leaves it out, the custom of the classical sequential recommenders, and
`history = zero` sets its scores to 0, where items that nobody took are too.
"""

from __future__ import annotations

import numpy as np
from pydantic import Field

from benchmark.config import MethodConfig
from benchmark.learning.topk import CELLS, HistoryRule, events
from benchmark.types.arrays import Int32
from benchmark.types.data import Corpus, Histories
from benchmark.types.method import Context, Recommender
from benchmark.types.rankings import Rankings
from benchmark.types.ties import id_ranks


class PopularityConfig(MethodConfig):
    """What may be recommended."""

    history: HistoryRule = Field("keep", description="items the user already has: keep, exclude, or score zero")


class Popularity(Recommender[PopularityConfig]):
    """Ranks items by how often they occur in the training histories."""

    control = True

    def fit(self, corpus: Corpus, histories: Histories, validation: Int32, context: Context) -> None:
        """Count the items of the training histories; the validation items are not counted."""
        counts = np.bincount(histories.items, minlength=len(corpus))
        later = len(corpus) - 1 - id_ranks(corpus.ids)  # of equal counts the largest is first
        self._keys = counts * len(corpus) + later  # int64 [n_items], all different

    def recommend(self, histories: Histories, k: int) -> Rankings:
        """Return the k most popular items per history, int32 [n, k]; -1 where fewer are left."""
        n_items, width = len(self._keys), min(k, len(self._keys))
        if self.config.history == "keep":
            ranking = np.argsort(-self._keys)[:width].astype(np.int32)
            everyone = np.zeros((len(histories), 1), np.int32)
            scores = (self._keys[ranking] // n_items).astype(np.float32)
            return Rankings(ranking + everyone, scores + everyone.astype(np.float32))
        items = np.full((len(histories), width), -1, np.int32)
        scores = np.zeros((len(histories), width), np.float32)
        size = max(1, CELLS // n_items)
        for start in range(0, len(histories), size):
            rows = np.arange(start, min(start + size, len(histories)))
            keys = np.tile(self._keys, (len(rows), 1))
            user, item = events(histories.select(rows))
            keys[user, item] = -1 if self.config.history == "exclude" else self._keys[item] % n_items
            best = np.argpartition(keys, n_items - width, axis=1)[:, n_items - width :]
            keys = np.take_along_axis(keys, best, axis=1)
            order = np.argsort(-keys, axis=1)
            best, keys = np.take_along_axis(best, order, axis=1), np.take_along_axis(keys, order, axis=1)
            items[rows] = np.where(keys >= 0, best, -1)
            scores[rows] = np.maximum(keys // n_items, 0)
        return Rankings(items, scores)
