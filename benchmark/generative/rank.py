"""Ranking with a fine-tuned T5: constrained beam search over all items' IDs, and how far it is from exact scoring."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmark.contracts import Codes, Context, Corpus, Histories, Int32, Rankings
from benchmark.generative import inputs, t5
from benchmark.generative.beam import beam_search
from benchmark.generative.config import GenerativeConfig
from benchmark.generative.exact import exact_scores, search_error
from benchmark.generative.finetune import code_vocabulary, history_encoder
from benchmark.generative.tokens import pad
from benchmark.generative.trie import Trie
from benchmark.latency import latency, throughput


class Ranker:
    """A saved fine-tuned model with the trie of all items; ranks items for histories or queries."""

    def __init__(self, folder: Path, codes: Codes, corpus: Corpus, config: GenerativeConfig, context: Context) -> None:
        self.model, self.tokenizer = t5.load(folder, context.device)
        self.vocabulary = code_vocabulary(self.tokenizer, codes)
        self.item_tokens = self.vocabulary.encode(codes)
        self.eos = int(self.tokenizer.eos_token_id)
        self.trie = Trie.build(self.item_tokens, self.eos)
        self.item_order = id_order(corpus.ids)
        self.corpus, self.config, self.context = corpus, config, context

    def recommend(self, histories: Histories, k: int) -> Rankings:
        """Rank the next items of each history; the history's own items may come back (the paper's protocol)."""
        encoder = history_encoder(self.tokenizer, self.item_tokens, self.corpus, self.config)
        return self._rank(inputs.histories_sources(histories, encoder), k)

    def search(self, queries: list[str], k: int) -> Rankings:
        """Rank items for text queries."""
        tokens = inputs.tokenize(self.tokenizer, queries, self.config.max_source - 1)
        return self._rank([tokens[row] for row in range(len(tokens))], k)

    def _rank(self, sources: list[Int32], k: int) -> Rankings:
        config, facts = self.config, self.context.facts
        items = np.full((len(sources), k), -1, np.int32)
        scores = np.full((len(sources), k), -np.inf, np.float32)
        k = min(k, config.beams)  # fewer beams than ranks: the rest stays empty
        order = np.argsort([-len(source) for source in sources], kind="stable")  # rows of like length share a batch

        def beam(rows: Sequence[int]) -> Rankings:
            ids, mask = pad([sources[row] for row in rows], self.eos, self.context.device)
            return beam_search(
                self.model, ids, mask, self.trie, self.vocabulary, beams=config.beams, k=k,
                scorer=config.scorer, length_penalty=config.length_penalty, item_order=self.item_order,
            )  # fmt: skip

        started = time.perf_counter()
        for start in self.context.progress(range(0, len(order), config.beam_batch), "beam search"):
            rows = order[start : start + config.beam_batch]
            found = beam(rows.tolist())
            items[rows, :k], scores[rows, :k] = found.items, found.scores
        seconds = time.perf_counter() - started
        facts |= latency(lambda row: beam([row]), len(sources))
        facts |= throughput(len(sources), seconds)
        facts["parameters"] = sum(parameter.numel() for parameter in self.model.parameters())
        facts["index_bytes"] = self.trie.nbytes
        if config.search_error_queries:
            facts["beam_missing"] = self._beam_missing(sources, items)
        return Rankings(items, scores)

    def _beam_missing(self, sources: list[Int32], items: Int32) -> float:
        """Return how many of the exact top 10 the beam's top 10 lacks on average, over evenly spread queries."""
        n = min(self.config.search_error_queries, len(sources))
        rows = np.unique(np.linspace(0, len(sources) - 1, n).astype(int))
        exact = np.empty((len(rows), len(self.corpus)), np.float32)
        for i, row in enumerate(self.context.progress(rows, "exact scoring")):
            ids, mask = pad([sources[row]], self.eos, self.context.device)
            exact[i] = exact_scores(
                self.model, ids, mask, self.trie, self.vocabulary,
                scorer=self.config.scorer, length_penalty=self.config.length_penalty,
            )[0]  # fmt: skip
        return search_error(items[rows], exact, k=10)["missing_items"]


def id_order(ids: list[str]) -> Int32:
    """Return each item's place when equal scores are broken by id, descending: trec_eval's own rule."""
    place = np.empty(len(ids), np.int32)
    place[sorted(range(len(ids)), key=ids.__getitem__, reverse=True)] = np.arange(len(ids), dtype=np.int32)
    return place
