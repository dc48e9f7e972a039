"""In-batch negatives: every query must prefer its own document to all other documents of the batch.

    L_i = -log( exp(s(q_i, d_i) / tau) / sum_{d in B_i} exp(s(q_i, d) / tau) ),      s the inner product

B_i holds the positives and the hard negatives of the whole batch, those of all devices, less every document that is
judged relevant to q_i, d_i itself excepted. Source: Karpukhin et al., Dense Passage Retrieval, EMNLP 2020, equation 2;
with unit vectors and nothing to leave out it is sentence-transformers' MultipleNegativesRankingLoss, scale 1 / tau.

Leaving out beats a sampler that keeps such documents apart: where a query has many relevant documents (nfcorpus: 42 of
3,395, and its neighbours' documents are often its own), hardly a batch of different topics could be filled.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from benchmark.learning.processes import process_rank, processes
from benchmark.methods.dual_encoder.judged import Judged


class InBatchLoss(nn.Module):
    """Softmax over the documents of the batch, for the sentence-transformers trainer.

    The features are the columns query, positive, negatives; `labels` int64 [batch, columns] holds the numbers of the
    query and the documents in `judged`, -1 where a column holds no document.
    """

    keys: Tensor

    def __init__(self, model: nn.Module, judged: Judged, *, temperature: float, normalize: bool) -> None:
        super().__init__()
        self.model = model  # the trainer puts the wrapped model here
        self.temperature, self.normalize, self.n_documents = temperature, normalize, len(judged.documents)
        self.register_buffer("keys", torch.from_numpy(judged.keys), persistent=False)

    def forward(self, sentence_features: Iterable[dict[str, Any]], labels: Tensor) -> Tensor:
        """Return the mean loss of this device's queries."""
        queries, *columns = [self._embed(features) for features in sentence_features]
        numbers = labels
        if processes() > 1:
            from sentence_transformers.util.distributed import all_gather, all_gather_with_grad

            columns, numbers = [all_gather_with_grad(column) for column in columns], all_gather(labels)
        documents, document_numbers = torch.cat(columns), numbers[:, 1:].T.reshape(-1)
        own = torch.arange(len(queries), device=queries.device) + process_rank() * len(queries)
        with torch.autocast(queries.device.type, enabled=False):
            scores = queries.float() @ documents.float().T / self.temperature
        scores = scores.masked_fill(self._left_out(labels[:, 0], document_numbers, own), -torch.inf)
        return nn.functional.cross_entropy(scores, own)

    def _embed(self, features: dict[str, Any]) -> Tensor:
        vectors: Tensor = self.model(features)["sentence_embedding"]
        return nn.functional.normalize(vectors, dim=1) if self.normalize else vectors

    def _left_out(self, queries: Tensor, documents: Tensor, own: Tensor) -> Tensor:
        """Return which documents are no negatives of which queries, nor their positive [batch, n_documents]."""
        wanted = queries[:, None] * self.n_documents + documents[None]
        position = torch.searchsorted(self.keys, wanted).clamp(max=len(self.keys) - 1)
        left_out = (self.keys[position] == wanted) | (documents < 0)[None]
        left_out[torch.arange(len(own), device=own.device), own] = False
        return left_out
