"""Constrained beam search for keys: n-grams that the language model finds probable and that occur in the corpus.

Source: Bevilacqua et al., NeurIPS 2022, section 3.1 and the released code. All queries and beams take a step at once.
What may follow a beam is read from its range in the FM-index and masks the model's full log-softmax, so a key's score
is its own log-probability: no length penalty, nothing to score again. As in the authors' scorer with memory, every one
of the 2 x beams best continuations of a step is kept as a key, whether a beam goes on with it or not; with an end
token only those that end.

Shapes: B queries, R beams (1 at first), V symbols.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmark.methods.seal.fm_index import FMIndex
from benchmark.methods.seal.model import Encoded, LanguageModel
from benchmark.methods.seal.scoring import Keys
from benchmark.types.arrays import Int64


def generate(
    model: LanguageModel,
    encoded: Encoded,
    index: FMIndex,
    *,
    beams: int,
    length: int,
    after: Sequence[int] = (),
    end: int | None = None,
) -> tuple[list[Keys], Tensor]:
    """Return the keys of each query, and the log-probabilities of all first tokens [B, V].

    A key has at most `length` tokens and stands behind `after` in the corpus; with `end`, it ends with that token and
    has another one before. Neither end-of-sequence tokens nor anything beyond them is generated.
    """
    queries = len(encoded.mask)
    reader = _Reader(model, encoded)
    keys: list[Keys] = [{} for _ in range(queries)]
    tokens = torch.full((queries,), model.start, device=model.device)
    rows: Tensor | None = None
    scores = torch.zeros((queries, 1), device=model.device)
    low, high = (np.repeat(bound, queries) for bound in index.ranges([tuple(after)]))
    written = np.empty((queries, 1, 0), np.int64)
    first = torch.empty(0)
    for position in range(length):
        log_probs = reader.step(tokens, rows)
        if not position:
            first = log_probs
        allowed = index.continuations(low, high)
        allowed[:, model.end] = False
        if end is not None and not position:
            allowed[:, end] = False
        if not allowed.any():
            break
        log_probs = log_probs.masked_fill(~torch.from_numpy(allowed).to(model.device), -torch.inf)
        totals = (log_probs.view(queries, -1, model.alphabet) + scores[..., None]).flatten(1)
        best, choice = totals.topk(min(2 * beams, totals.shape[1]))  # [B, up to 2 x beams], best first
        parent, token = (choice // model.alphabet).cpu().numpy(), (choice % model.alphabet).cpu().numpy()
        candidates = np.concatenate([np.take_along_axis(written, parent[..., None], 1), token[..., None]], 2)
        values = best.cpu().numpy()
        over = np.zeros(token.shape, np.bool_) if end is None else token == end
        _keep(keys, candidates, values, np.isfinite(values) & (over | (end is None)))

        running = best.masked_fill(torch.from_numpy(over).to(model.device), -torch.inf)
        scores, order = running.topk(min(beams, running.shape[1]))
        places = order.cpu().numpy()
        parent, token = np.take_along_axis(parent, places, 1), np.take_along_axis(token, places, 1)
        written = np.take_along_axis(candidates, places[..., None], 1)
        flat = (parent + np.arange(queries)[:, None] * (len(low) // queries)).ravel()
        low, high = index.extend(low[flat], high[flat], token.ravel())
        dead = torch.isinf(scores).flatten().cpu().numpy()
        low[dead] = high[dead] = 0
        tokens, rows = torch.from_numpy(token.ravel()).to(model.device), torch.from_numpy(flat).to(model.device)
    return keys, first


def _keep(keys: list[Keys], candidates: Int64, values: Any, kept: Any) -> None:
    """Add the candidates [B, n, t] that are to be kept [B, n]."""
    rows, columns = np.nonzero(kept)
    found = zip(rows.tolist(), candidates[rows, columns].tolist(), values[rows, columns].tolist(), strict=True)
    for row, key, value in found:
        keys[row].setdefault(tuple(key), value)


class _Reader:
    """Feeds tokens to the decoder, one per beam, over a cache of what each beam has read."""

    def __init__(self, model: LanguageModel, encoded: Encoded) -> None:
        from transformers import DynamicCache, EncoderDecoderCache

        self.model, self.encoded = model, encoded
        self.cache = EncoderDecoderCache(DynamicCache(), DynamicCache())

    def step(self, tokens: Tensor, rows: Tensor | None) -> Tensor:
        """Return the log-probabilities behind one more token of each beam [beams, V]; `rows` are the beams before."""
        if rows is not None:
            self.cache.self_attention_cache.reorder_cache(rows)
            if len(rows) != len(self.encoded.mask):  # beams of a query read the same input: it moves only as they grow
                self.cache.cross_attention_cache.reorder_cache(rows)
                self.encoded = self.encoded[rows]
        logits = self.model.logits(self.encoded, tokens[:, None], self.cache)
        return torch.log_softmax(logits[:, -1], dim=-1)
