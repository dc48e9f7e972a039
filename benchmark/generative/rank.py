"""Ranking all items for histories or queries: constrained beam search, and how far it is from exact scoring."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from torch import Tensor

from benchmark.generative.beam import beam_search
from benchmark.generative.config import GenerativeConfig
from benchmark.generative.decoder import evaluating
from benchmark.generative.exact import exact_scores, search_error
from benchmark.generative.explain import path_log_probs
from benchmark.generative.scoring import Scorer
from benchmark.generative.trie import Trie
from benchmark.generative.vocabulary import CodeVocabulary
from benchmark.metrics.latency import latency, throughput
from benchmark.types.arrays import Float32, Int32, Int64
from benchmark.types.method import Context
from benchmark.types.rankings import Rankings


class States(Protocol):
    """Prepared histories or queries that a reader gives states for."""

    costs: Int64  # [n] rows of like cost share a batch

    def __len__(self) -> int: ...

    def states(self, rows: Int64) -> tuple[Tensor, Tensor]:
        """Return states [b, S, D] and which of them are real [b, S]."""
        ...


@dataclass(frozen=True)
class Ranker:
    """A model with the trie of all items' IDs."""

    model: Any  # what beam_search takes: a T5ForConditionalGeneration or an IdDecoder
    trie: Trie
    vocabulary: CodeVocabulary
    item_order: Int64  # [n_items] each item's place among equal scores (`ties.id_ranks`)
    config: GenerativeConfig
    scorer: Scorer
    parameters: int

    def rank(self, states: States, rows: Int64, k: int, context: Context | None = None) -> Rankings:
        """Return the k best items for some rows, best first; -1 with score -inf where the beam found fewer."""
        items = np.full((len(rows), k), -1, np.int32)
        scores = np.full((len(rows), k), -np.inf, np.float32)
        k = min(k, self.config.beams)  # fewer beams than ranks: the rest stays empty
        order = np.argsort(-states.costs[rows], kind="stable")
        starts: Any = range(0, len(order), self.config.beam_batch)
        for start in context.progress(starts, "beam search") if context else starts:
            part = order[start : start + self.config.beam_batch]
            found = self._beam(states, rows[part], k)
            items[part, :k], scores[part, :k] = found.items, found.scores
        return Rankings(items, scores)

    def rank_all(self, states: States, k: int, context: Context) -> Rankings:
        """Rank for every row, and report latency, throughput, sizes and, where asked for, the search error."""
        facts, started = context.facts, time.perf_counter()
        rankings = self.rank(states, np.arange(len(states)), k, context)
        facts.update(throughput(len(states), time.perf_counter() - started))
        facts.update(latency(lambda row: self._beam(states, np.array([row]), min(k, self.config.beams)), len(states)))
        facts["parameters"] = self.parameters
        facts["index_bytes"] = self.trie.nbytes
        if self.config.search_error_queries and len(states):
            facts["beam_missing"] = self._beam_missing(states, rankings.items, context)
        return rankings

    def _beam(self, states: States, rows: Int64, k: int) -> Rankings:
        with evaluating(self.model):
            encoded, mask = states.states(rows)
            return beam_search(
                self.model, None, mask, self.trie, self.vocabulary, beams=self.config.beams, k=k, scorer=self.scorer,
                length_penalty=self.config.length_penalty, item_order=self.item_order, encoded=encoded,
            )  # fmt: skip

    def explain(self, states: States, row: int, items: Int64) -> Float32:
        """Return the log-probability of each token of items' IDs for one row [n, T] (`path_log_probs`)."""
        with evaluating(self.model):
            encoded, mask = states.states(np.array([row]))
            return path_log_probs(self.model, encoded, mask, self.trie, items, self.scorer)

    def _beam_missing(self, states: States, items: Int32, context: Context) -> float:
        """Return how many of the exact top 10 the beam's top 10 lacks on average, over evenly spread rows."""
        n = min(self.config.search_error_queries, len(states))
        rows = np.unique(np.linspace(0, len(states) - 1, n).astype(int))
        exact = np.empty((len(rows), self.trie.n_items), np.float32)
        for i, row in enumerate(context.progress(rows, "exact scoring")):
            with evaluating(self.model):
                encoded, mask = states.states(np.array([row]))
                exact[i] = exact_scores(
                    self.model, None, mask, self.trie, self.vocabulary,
                    scorer=self.scorer, length_penalty=self.config.length_penalty, encoded=encoded,
                )[0]  # fmt: skip
        return search_error(items[rows], exact, k=10)["missing_items"]
