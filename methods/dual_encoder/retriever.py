"""Dual encoder: one sentence encoder for queries and documents, fine-tuned on the training queries.

    score(q, d) = E(q) . E(d)                          unit vectors unless encoder.normalize is off

Source: Karpukhin et al., Dense Passage Retrieval, EMNLP 2020 (DPR), sections 3.1 and 3.2, with the settings that
LMIndexer (ICML 2024) used for its dual encoder where they are known: positives are all relevant items of a query,
hard negatives come from BM25's first 30 ranks, a document is the item's whole text. Unlike DPR, one encoder serves
both sides, as sentence encoders do. `fine_tune=false` is the zero-shot row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from benchmark.errors import BenchmarkError
from benchmark.learning.dense import DEPTH, DenseIndex
from benchmark.methods.dual_encoder.config import DualEncoderConfig
from benchmark.methods.dual_encoder.judged import judged
from benchmark.types.arrays import Float32
from benchmark.types.data import Corpus, QuerySet
from benchmark.types.method import Context, Progress, Retriever, no_progress
from benchmark.types.rankings import Rankings

SAMPLE = 200  # queries that an approximate index is measured with


class DualEncoder(Retriever[DualEncoderConfig]):
    """A sentence encoder for queries and documents, fine-tuned with in-batch and BM25 negatives (DPR)."""

    def fit(self, corpus: Corpus, queries: QuerySet | None, context: Context) -> None:
        """Fine-tune the encoder on the queries' relevant items, embed the corpus and index it.

        Raises BenchmarkError when there is nothing to learn from and `fine_tune` is on.
        """
        self.build_index(self.embed_items(corpus, queries, context), corpus, queries, context)

    def embed_items(self, corpus: Corpus, queries: QuerySet | None, context: Context) -> Float32:
        """Load the encoder and train it as the settings say; return the items' vectors [n_items, dim]."""
        import torch

        from benchmark.learning.encoders import load, train_simcse

        config = self.config
        texts = corpus.texts()
        documents = [config.document_prefix + text for text in texts]
        torch.manual_seed(context.seed)
        self.model = load(config.encoder, context.device)
        if config.encoder.simcse_epochs:
            train_simcse(self.model, documents, config.encoder, context)
        if config.fine_tune:
            self._fine_tune(corpus, texts, queries, context)
        return self._embed(documents, context.progress)

    def extend(self, corpus: Corpus, change: Callable[[Float32], Float32] | None = None) -> None:
        """Embed this corpus with the encoder as it is, and index it instead, under vectors that `change` returns.

        Nothing is learned of it but the cells of an approximate index, which is built anew.
        """
        vectors = self._embed([self.config.document_prefix + text for text in corpus.texts()], self._context.progress)
        self.build_index(change(vectors) if change else vectors, corpus, self._queries, self._context)

    def build_index(self, vectors: Float32, corpus: Corpus, queries: QuerySet | None, context: Context) -> None:
        """Index the items under these vectors [n_items, dim]; training queries measure an approximate index."""
        config, self._queries, self._context = self.config, queries, context
        self.index = DenseIndex(
            vectors, corpus.ids, config.index, sample=self._sample(vectors, queries, context), seed=context.seed,
            gpu=context.device.startswith("cuda"),
        )  # fmt: skip
        context.facts["parameters"] = sum(parameter.numel() for parameter in self.model.parameters())
        context.facts["index_bytes"] = self.index.bytes
        if config.index.name != "exact":
            context.facts[f"index_recall@{DEPTH}"] = round(self.index.recall, 4)
            context.facts["index_effort"] = self.index.effort

    def _fine_tune(self, corpus: Corpus, texts: list[str], queries: QuerySet | None, context: Context) -> None:
        pairs = judged(queries, texts, self.config.positive_grade)
        ranks = self.config.negative_ranks if self.config.hard_negatives else 0
        negatives = np.empty((len(pairs.queries), 0), np.int64)
        if ranks:
            from benchmark.methods.dual_encoder.negatives import bm25_negatives

            negatives = bm25_negatives(pairs, corpus, ranks, context)
        from benchmark.methods.dual_encoder.training import fine_tune

        fine_tune(self.model, pairs, negatives, self.config, context)

    def _sample(self, vectors: Float32, queries: QuerySet | None, context: Context) -> Float32:
        """Return vectors of training queries, or of documents where there are none, to measure the index with."""
        random = np.random.default_rng(context.seed)
        if queries is None or not len(queries):
            return vectors[random.permutation(len(vectors))[:SAMPLE]]
        rows = random.permutation(len(queries))[:SAMPLE]
        return self.embed_queries([queries.texts[row] for row in rows])

    def search(self, queries: Sequence[str], k: int) -> Rankings:
        """Return the k best items per query [n_queries, k]; ties by item id, descending."""
        if not hasattr(self, "index"):
            raise BenchmarkError("dual-encoder: search was called before fit")
        return self.index.search(self.embed_queries(queries), k)

    def embed_queries(self, queries: Sequence[str], progress: Progress = no_progress) -> Float32:
        """Return the vectors of queries, float32 [n_queries, dim]."""
        return self._embed([self.config.query_prefix + query for query in queries], progress)

    def _embed(self, texts: Sequence[str], progress: Progress = no_progress) -> Float32:
        """Return float32 [n_texts, dim]."""
        from benchmark.learning.encoders import encode

        return encode(self.model, texts, normalize=self.config.encoder.normalize, progress=progress)
