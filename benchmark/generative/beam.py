"""Constrained beam search: the items whose IDs a decoder finds most probable, all queries and beams at once.

Same procedure as Hugging Face generate with early_stopping=True, so `full` gives its sequences and scores: each step
ranks all continuations and keeps 2 x beams of them; an ID that ends among the first `beams` is finished, the best
`beams` others run on; a query takes no more IDs once `beams` are finished. A score is the sum of log-probabilities /
(tokens, the end of sequence among them) ** length_penalty. Unlike Hugging Face, the search starts with one beam per
query and never fills up with copies or dead ends: where fewer items can be reached, fewer come back.

Shapes: B queries, R beams that run (1 at first), F children.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmark.errors import require
from benchmark.generative.decoder import Decoder, Past, decoder_of, evaluating
from benchmark.generative.scoring import Children, Scorer, TrieTensors, check, child_log_probs, on_device
from benchmark.generative.trie import Trie
from benchmark.generative.vocabulary import CodeVocabulary
from benchmark.types.arrays import Int64
from benchmark.types.rankings import Rankings


def beam_search(
    model: Any,
    input_ids: Tensor | None,
    attention_mask: Tensor,
    trie: Trie,
    vocabulary: CodeVocabulary,
    *,
    beams: int = 20,
    k: int = 20,
    scorer: Scorer = "full",
    length_penalty: float = 1.0,
    item_order: Int64 | None = None,
    encoded: Tensor | None = None,
) -> Rankings:
    """Return the k best items of each query, best first; -1 with score -inf where fewer were found.

    `model` is a T5ForConditionalGeneration or an IdDecoder. input_ids, attention_mask [B, S] on the model's device;
    `encoded` [B, S, D] are a reader's states: the output of the T5's encoder, where the caller has it already, or
    what an ID decoder needs (input_ids are then not read). Equal scores are ordered by `item_order` [n_items], each
    item's place (default: row order).
    """
    require(1 <= k <= beams, "k", f"must lie in 1 .. beams ({beams}), not {k}")
    with evaluating(model):
        decoder = decoder_of(model)
        check(trie, vocabulary, decoder.head, scorer)
        if encoded is None:
            encoded = model.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        tensors = on_device(trie, encoded.device)
        place = None if item_order is None else torch.as_tensor(np.asarray(item_order), device=encoded.device).long()
        done = _search(decoder, encoded, attention_mask, tensors, beams, scorer, length_penalty, place)
    items, scores = done.items[:, :k].int().cpu().numpy(), done.scores[:, :k].cpu().numpy()
    short = ((0, 0), (0, k - items.shape[1]))
    return Rankings(
        np.pad(items, short, constant_values=-1), np.pad(scores, short, constant_values=-np.inf).astype(np.float32)
    )


def _search(
    decoder: Decoder,
    encoded: Tensor,
    attention_mask: Tensor,
    tensors: TrieTensors,
    beams: int,
    scorer: Scorer,
    length_penalty: float,
    place: Tensor | None,
) -> Finished:
    batch, device = len(encoded), encoded.device
    steps = _Steps(decoder, decoder.source(encoded, attention_mask), tensors, scorer)
    tokens = torch.full((batch, 1), decoder.start_token, device=device)
    nodes, parent = torch.zeros_like(tokens), torch.zeros_like(tokens)
    scores = torch.zeros((batch, 1), device=device)
    done = Finished.none(batch, device)
    for depth in range(tensors.depth):
        children = tensors.children(nodes)
        totals = steps.log_probs(tokens, nodes, parent, scores.isfinite(), children, depth).add_(scores[..., None])

        kept, choice = totals.flatten(1).topk(min(2 * beams, totals[0].numel()))  # [B, up to 2 x beams], best first
        edges = children.edges.flatten(1).gather(1, choice)
        items = tensors.node_items[edges + 1]
        ends = items >= 0
        among_first = torch.arange(kept.shape[1], device=device) < beams
        finished = (kept / (depth + 1) ** length_penalty).masked_fill(~(ends & among_first), -torch.inf)
        done = done.add(items, finished, beams, place)

        running = kept.masked_fill(ends, -torch.inf)
        alive = min(int(running.isfinite().sum(1).max()), beams)
        if not alive or bool(done.full(beams).all()):
            break
        scores, order = running.topk(alive)
        parent = choice.gather(1, order) // totals.shape[2]
        edges = edges.gather(1, order)
        tokens = tensors.child_tokens[edges]
        nodes = (edges + 1).masked_fill(scores.isinf(), tensors.narrow)
    return done


class _Steps:
    """Feeds the beams' tokens to the decoder; leaves out beams whose end is already certain."""

    def __init__(self, decoder: Decoder, source: Any, tensors: TrieTensors, scorer: Scorer) -> None:
        self.decoder, self.source, self.tensors, self.scorer = decoder, source, tensors, scorer
        self.past: Past | None = None
        self.columns: Tensor | None = None  # where each of the last beams lies in the cache, [B, R]
        self.width = 1  # beams per query in the cache

    def log_probs(
        self, tokens: Tensor, nodes: Tensor, parent: Tensor, alive: Tensor, children: Children, depth: int
    ) -> Tensor:
        """Return the log-probabilities of the beams' children [B, R, F]; all arguments but the last two are [B, R].

        With `codes`, a prefix of one item alone has log-probability 0 from there on, and the decoder need not read it;
        the others move together, so that the decoder's batch shrinks to the most undecided beams of any query.
        """
        undecided = alive & self.tensors.undecided(nodes, self.scorer)
        width = int(undecided.sum(1).max())
        every = bool(undecided.all())  # in a large catalogue at all but the last steps: nothing is left out
        if not width:
            return _certain(children)
        batch = len(nodes)
        picked = undecided.int().argsort(dim=1, descending=True, stable=True)[:, :width]
        rows = None
        if self.columns is not None:
            first = torch.arange(batch, device=nodes.device)[:, None] * self.width
            rows = (self.columns.gather(1, parent.gather(1, picked)) + first).flatten()
        hidden, self.past = self.decoder.step(tokens.gather(1, picked), self.source, self.past, rows)
        places = torch.arange(width, device=nodes.device).expand(batch, -1)
        self.columns, self.width = torch.zeros_like(nodes).scatter_(1, picked, places), width
        part = children if every else self.tensors.children(nodes.gather(1, picked))
        log_probs = child_log_probs(hidden, self.decoder.head, part, self.tensors, depth, self.scorer)
        if every:
            return log_probs
        result = _certain(children)
        index = picked[..., None].expand_as(log_probs)
        result[..., : log_probs.shape[2]].scatter_(1, index, log_probs)
        return result


def _certain(children: Children) -> Tensor:
    """Return log-probability 0 for every child there is [B, R, F]."""
    return torch.zeros(children.valid.shape, device=children.valid.device).masked_fill_(~children.valid, -torch.inf)


@dataclass(frozen=True)
class Finished:
    """Each query's finished items, best first: items int64 and scores float32 [B, up to beams], -inf where none."""

    items: Tensor
    scores: Tensor

    @classmethod
    def none(cls, batch: int, device: torch.device) -> Finished:
        """Nothing is finished yet."""
        items = torch.empty((batch, 0), dtype=torch.long, device=device)
        return cls(items, torch.empty((batch, 0), device=device))

    def full(self, beams: int) -> Tensor:
        """Tell which queries have as many items as beams, and so take no more: bool [B]."""
        return self.scores.isfinite().sum(1) >= beams

    def add(self, items: Tensor, scores: Tensor, beams: int, place: Tensor | None) -> Finished:
        """Merge new items [B, n] (-inf: not one), keep the best `beams`, equal scores by the items' places."""
        scores = scores.masked_fill(self.full(beams)[:, None], -torch.inf)
        items = torch.cat([self.items, items.masked_fill(scores.isinf(), -1)], 1)
        scores = torch.cat([self.scores, scores], 1)
        by_place = (items if place is None else place[items]).argsort(dim=1)
        items, scores = items.gather(1, by_place), scores.gather(1, by_place)
        scores, order = scores.sort(dim=1, descending=True, stable=True)
        return Finished(items.gather(1, order)[:, :beams], scores[:, :beams])
