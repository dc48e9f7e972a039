"""Fitting a sequence network with the suite's training loop, and ranking the whole catalogue with it.

One example of the loop is one window of a user's history; its single pass gives the loss of all positions (BERT4Rec,
which sees both sides, learns from every beginning of a window apart). Logits are
computed at real positions only, and a batch is cut into batches of like length, because most users are short: on
Amazon Beauty half of the training histories have at most 4 items, and padding to the longest would multiply the work.

A user without history gets what is most popular in the training histories. An item that never occurs there keeps the
score that the model gives it: it is only ever pushed down, so that it ranks low.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from benchmark.errors import BenchmarkError
from benchmark.learning.topk import rank_all
from benchmark.learning.training import Validation, train
from benchmark.learning.validation import DEPTH, SCORE, Judged, facts
from benchmark.learning.windows import by_length, padded, prefixes, recent_windows, training_windows
from benchmark.methods.sequential.config import SequenceConfig
from benchmark.methods.sequential.losses import full_softmax, sampled_softmax
from benchmark.methods.sequential.networks import SequenceNetwork
from benchmark.types.arrays import Int32, Int64
from benchmark.types.data import Corpus, Histories
from benchmark.types.method import Context
from benchmark.types.rankings import Rankings
from benchmark.types.ties import id_ranks

TOKENS = 2**16  # positions that are encoded at once outside training

Batch = list[tuple[Tensor, Tensor]]  # items [b, l] and users [b] of windows of like length


class Learner(nn.Module):
    """A network with its loss: what the training loop sees."""

    def __init__(self, network: SequenceNetwork, config: SequenceConfig, counts: Int64) -> None:
        """`counts` [n_items] are the training events of each item; sampled negatives follow them."""
        super().__init__()
        self.network, self.config = network, config
        frequency = torch.from_numpy(counts + 1.0)  # so that every item is drawn now and then
        self.register_buffer("drawn", (frequency / frequency.sum()).float(), persistent=False)

    drawn: Tensor

    def forward(self, batch: Batch) -> Tensor:
        """Return the mean loss over all positions of all windows."""
        parts = [self.network.learned(items, users) for items, users in batch]
        states, targets = (torch.cat(part) for part in zip(*parts, strict=True))
        table, bias = self.network.table()
        if self.config.loss == "full":
            return full_softmax(states, table, bias, targets)
        negatives = torch.multinomial(self.drawn, self.config.negatives, replacement=True)
        expected = self.config.negatives * self.drawn[negatives]
        return sampled_softmax(states, table, bias, targets, negatives, expected)


class SequenceModel:
    """A trained network that recommends."""

    def __init__(self, network: SequenceNetwork, corpus: Corpus, histories: Histories, config: SequenceConfig) -> None:
        """`histories` are the training histories; the users of later ones are known by their names."""
        self.network, self.config, self.n_items = network, config, len(corpus)
        self.ranks = id_ranks(corpus.ids)
        self.counts = np.bincount(histories.items, minlength=len(corpus))
        self.row_of = {user: row for row, user in enumerate(histories.users)}

    def fit(self, histories: Histories, validation: Int32, context: Context) -> None:
        """Train on the histories, and keep the weights with the best nDCG@10 of the validation items.

        Where no user has a validation item, or none of them a history, all epochs are trained.
        """
        config, training = self.config, self.config.training
        width = config.max_length + self.network.overlap
        windows = training_windows(histories, width, self.network.overlap, config.events)
        windows = prefixes(windows) if self.network.by_prefix else windows
        if not len(windows.user):
            raise BenchmarkError("no user has two training events: there is no sequence to learn from")

        def loss(model: nn.Module, indices: Tensor) -> Tensor:
            chosen = type(windows)(*(part[indices.cpu().numpy()] for part in windows))
            batch = [
                (
                    torch.from_numpy(padded(histories, part, self.n_items)).to(indices.device),
                    torch.from_numpy(part.user).to(indices.device),
                )
                for part in by_length(chosen)
            ]
            value: Tensor = model(batch)
            return value

        judged = Judged.of_targets(validation, histories.lengths > 0, len(histories))
        every = max(1, round(training.evaluate_epochs * len(windows.user) / training.batch_size))
        stopping = None
        if len(judged.rows):
            inputs = histories.select(judged.rows)
            stopping = Validation(
                SCORE, lambda _: judged.ndcg(self.recommend(inputs, DEPTH).items), every, training.patience
            )
        else:
            context.log("no validation item: training goes through all epochs")
        learner = Learner(self.network, config, self.counts)
        log = train(learner, len(windows.user), loss, training, context, name="sequence", validation=stopping)
        context.facts["parameters"] = sum(parameter.numel() for parameter in self.network.parameters())
        context.facts.update(facts(log, training, len(windows.user)))

    def recommend(self, histories: Histories, k: int) -> Rankings:
        """Return the k best next items of every history, under the rule for its own items."""
        return rank_all(self._scorer(histories), histories, self.ranks, k, self.config.history)

    @torch.no_grad()
    def _scorer(self, histories: Histories) -> Callable[[Int64], Tensor]:
        self.network.eval()
        table, bias = self.network.table()
        windows = recent_windows(histories, self.config.max_length)
        users = np.array([self.row_of.get(user, len(self.row_of)) for user in histories.users], np.int64)
        popular = torch.from_numpy(self.counts).to(table)

        @torch.no_grad()
        def score(rows: Int64) -> Tensor:
            states = table.new_zeros(len(rows), table.shape[1])
            known = histories.lengths[rows] > 0
            given = np.flatnonzero(known)
            for part in np.array_split(given, -(-len(given) * self.config.max_length // TOKENS)) if len(given) else ():
                chosen = type(windows)(*(values[rows[part]] for values in windows))
                items = torch.from_numpy(padded(histories, chosen, self.n_items)).to(table.device)
                last = self.network.last_states(items, torch.from_numpy(users[rows[part]]).to(table.device))
                states[torch.from_numpy(part).to(table.device)] = last.to(table.dtype)
            scores = torch.addmm(bias, states, table.T)
            scores[torch.from_numpy(~known).to(table.device)] = popular
            return scores

        return score
