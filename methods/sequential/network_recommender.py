"""The base of the recommenders that train a network: `fit` and `recommend`, whatever the network is.

A method of this kind is its configuration and the network that it builds, no more. Opens without torch.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, TypeVar

from benchmark.methods.sequential.config import SequenceConfig
from benchmark.types.arrays import Int32
from benchmark.types.data import Corpus, Histories
from benchmark.types.method import Context, Recommender
from benchmark.types.rankings import Rankings

if TYPE_CHECKING:
    from benchmark.methods.sequential.networks import SequenceNetwork

SequenceConfigT = TypeVar("SequenceConfigT", bound=SequenceConfig)


class NetworkRecommender(Recommender[SequenceConfigT]):
    """Recommends by a network that reads the user's items."""

    @abstractmethod
    def network(self, corpus: Corpus, histories: Histories, context: Context) -> SequenceNetwork:
        """Return the untrained network; its weights are drawn from torch's generator, which has the run's seed."""

    def fit(self, corpus: Corpus, histories: Histories, validation: Int32, context: Context) -> None:
        """Train with early stopping. Raises what `network` raises, and BenchmarkError when there is no sequence."""
        import torch

        from benchmark.methods.sequential.recommender import SequenceModel

        torch.manual_seed(context.seed)
        self._model = SequenceModel(self.network(corpus, histories, context), corpus, histories, self.config)
        self._model.fit(histories, validation, context)

    def recommend(self, histories: Histories, k: int) -> Rankings:
        """Return the k best next items of every history, int32 [n, k]."""
        return self._model.recommend(histories, k)
