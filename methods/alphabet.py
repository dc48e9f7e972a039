"""Order of ids (`alphabet`): a control that knows the popular items and the order of item ids, nothing else.

    items whose id is greater than that of the user's last item, by popularity; then the others, by popularity

Where events of one time stamp stand in the order of their ids, as in the 5-core files of Amazon, this gains over
`popularity` by an accident of the file. With ties shuffled it does not (`benchmark.data.ties`). Ids that are all
numbers are compared as numbers.
"""

from __future__ import annotations

import numpy as np

from benchmark.learning.topk import rank_all
from benchmark.methods.popularity import PopularityConfig
from benchmark.types.arrays import Int32, Int64
from benchmark.types.data import Corpus, Histories
from benchmark.types.method import Context, Recommender
from benchmark.types.rankings import Rankings
from benchmark.types.ties import id_ranks, places_of_ids


class Alphabet(Recommender[PopularityConfig]):
    """Ranks items with a greater id than the last one first; within both parts, by training events."""

    control = True

    def fit(self, corpus: Corpus, histories: Histories, validation: Int32, context: Context) -> None:
        """Count the items of the training histories, and order all items by id."""
        self._counts = np.bincount(histories.items, minlength=len(corpus)).astype(np.float32)
        self._places, self._ranks = places_of_ids(corpus.ids), id_ranks(corpus.ids)

    def recommend(self, histories: Histories, k: int) -> Rankings:
        """Return the k best items of every history; without a history, the most popular ones."""
        import torch

        last = np.full(len(histories), len(self._places), np.int64)  # no item has a greater id
        known = np.flatnonzero(histories.lengths > 0)
        last[known] = self._places[histories.items[histories.offsets[1:][known] - 1]]
        first = self._counts.max() + 1

        def score(rows: Int64) -> torch.Tensor:
            greater = self._places[None, :] > last[rows, None]
            return torch.from_numpy(self._counts + greater * first)

        return rank_all(score, histories, self._ranks, k, self.config.history)
