"""Exact scoring: the log-probability of every item, and how often the beam misses one of the best.

A walk over the whole trie through the same decoder step as beam search: all prefixes of one length are the 'beams' of
one query, and a shared prefix is read once. The walk goes depth first over blocks of neighbouring nodes, so memory
grows with block x depth, not with the catalogue.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmark.generative.decoder import Decoder, Past, decoder_of, evaluating
from benchmark.generative.scoring import Scorer, TrieTensors, check, child_log_probs, on_device
from benchmark.generative.trie import Trie
from benchmark.generative.vocabulary import CodeVocabulary
from benchmark.types.arrays import Float32, Int32


def exact_scores(
    model: Any,
    input_ids: Tensor | None,
    attention_mask: Tensor,
    trie: Trie,
    vocabulary: CodeVocabulary,
    scorer: Scorer = "full",
    *,
    length_penalty: float = 1.0,
    encoded: Tensor | None = None,
    block: int = 1024,
) -> Float32:
    """Return every item's score [B, n_items], normalised like beam_search's: log-probability / tokens ** penalty.

    `block` bounds the prefixes decoded at once, over all queries. With `full` each prefix costs one product with the
    whole vocabulary: meant for checks on a few queries.
    """
    with evaluating(model):
        decoder = decoder_of(model)
        check(trie, vocabulary, decoder.head, scorer)
        if encoded is None:
            encoded = model.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        tensors = on_device(trie, encoded.device)
        batch, device = len(encoded), encoded.device
        found = torch.empty((batch, trie.n_items), device=device)
        source = decoder.source(encoded, attention_mask)
        walk = _Walk(decoder, source, tensors, scorer, length_penalty, max(block // batch, 1), found)
        root = torch.zeros(1, dtype=torch.long, device=device)
        walk.visit(root, root + decoder.start_token, torch.zeros((batch, 1), device=device), 0, None, None)
        scores: Float32 = walk.found.cpu().numpy()
        return scores


@dataclass(frozen=True)
class _Walk:
    decoder: Decoder
    source: Any
    tensors: TrieTensors
    scorer: Scorer
    length_penalty: float
    block: int  # nodes per step and query
    found: Tensor  # float32 [B, n_items]

    def visit(
        self, nodes: Tensor, tokens: Tensor, scores: Tensor, depth: int, past: Past | None, parents: Tensor | None
    ) -> None:
        """Score all items below nodes [n] of one depth, which end with tokens [n] and have scores [B, n].

        parents [n] are the nodes' parents as columns of `past`.
        """
        batch, tensors = len(scores), self.tensors
        rows = None
        if past is not None and parents is not None:
            width = past.rows // batch
            rows = (parents + torch.arange(batch, device=nodes.device)[:, None] * width).flatten()
        hidden, past = self.decoder.step(tokens.expand(batch, -1), self.source, past, rows)
        children = tensors.children(nodes.expand(batch, -1))
        steps = child_log_probs(hidden, self.decoder.head, children, tensors, depth, self.scorer)
        valid = children.valid[0]
        totals = (scores[..., None] + steps)[:, valid]  # [B, edges]
        edges, parents = children.edges[0][valid], torch.nonzero(valid)[:, 0]

        nodes = edges + 1
        undecided = tensors.undecided(nodes, self.scorer) & (tensors.node_items[nodes] < 0)
        self.settle(nodes[~undecided], totals[:, ~undecided], depth + 1)
        going = torch.nonzero(undecided)[:, 0]
        for part in going.tensor_split(-(-len(going) // self.block)) if len(going) else ():
            self.visit(nodes[part], tensors.child_tokens[edges[part]], totals[:, part], depth + 1, past, parents[part])

    def settle(self, nodes: Tensor, totals: Tensor, depth: int) -> None:
        """Give the only item below each node [n] of one depth its score [B, n]: nothing changes on the way to it."""
        tensors, lengths = self.tensors, torch.full_like(nodes, depth)
        while bool((inner := tensors.node_items[nodes] < 0).any()):
            nodes = torch.where(inner, tensors.child_offsets[nodes] + 1, nodes)
            lengths += inner
        self.found[:, tensors.node_items[nodes]] = totals / lengths**self.length_penalty


def search_error(beam_items: Int32, exact: Float32, k: int = 10) -> dict[str, float]:
    """Compare the beam's top k [B, >= k] with the exact top k of scores [B, n_items].

    Returns `queries_with_error`, the share of queries whose beam lacks one of the exact k best, and `missing_items`,
    how many it lacks on average. An item that ties with the k-th best (within 1e-5) is as good as it.
    """
    if not len(exact):
        return {"queries_with_error": 0.0, "missing_items": 0.0}
    k = min(k, exact.shape[1])
    threshold = np.partition(exact, -k, axis=1)[:, -k]
    found = beam_items[:, :k]
    scores = np.take_along_axis(exact, np.maximum(found, 0), axis=1)
    good = (found >= 0) & (scores >= threshold[:, None] - 1e-5)
    missing = k - good.sum(1)
    return {"queries_with_error": float((missing > 0).mean()), "missing_items": float(missing.mean())}
