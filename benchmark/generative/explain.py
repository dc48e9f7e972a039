"""The way to an item: the probability of each code of its ID behind the codes before, for one query or history.

An item's score is the sum of these log-probabilities, divided as beam search divides it; so the way says at which code
an item was lost or won. Each item's ID is read as a beam of its own, through the same decoder step as beam search.

Shapes: n items of one query, T the most tokens of an ID, its end of sequence among them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmark.generative.decoder import decoder_of, evaluating
from benchmark.generative.scoring import Scorer, child_log_probs, on_device
from benchmark.generative.trie import Trie
from benchmark.types.arrays import Float32, Int64


def path_log_probs(
    model: Any, encoded: Tensor, attention_mask: Tensor, trie: Trie, items: Int64, scorer: Scorer
) -> Float32:
    """Return log-probabilities float32 [n, T] of the tokens of items' IDs [n]; 0 behind the end of a shorter ID.

    `encoded` [1, S, D] are a reader's states of one query. With `codes` all that follows a prefix of one item alone has
    probability 1.
    """
    with evaluating(model):
        decoder, tensors = decoder_of(model), on_device(trie, encoded.device)
        source = decoder.source(encoded, attention_mask)
        paths = tensors.paths[torch.as_tensor(items, device=encoded.device)]  # [n, T + 1]
        tokens = torch.full((1, len(items)), decoder.start_token, device=encoded.device)
        found, past = [], None
        for depth in range(trie.depth):
            there = paths[None, :, depth + 1] >= 0
            nodes = paths[None, :, depth].where(there, tensors.narrow)  # behind the end of a shorter ID
            hidden, past = decoder.step(tokens, source, past)
            children = tensors.children(nodes)
            log_probs = child_log_probs(hidden, decoder.head, children, tensors, depth, scorer)
            tokens = tensors.tokens_into(paths[None, :, depth + 1])
            at = (children.tokens == tokens[..., None]) & children.valid
            own = log_probs.masked_fill(~at, -torch.inf).amax(-1)
            decided = ~there | ~tensors.undecided(nodes, scorer)
            found.append(own.masked_fill(decided, 0.0)[0])
        result: Float32 = torch.stack(found, 1).float().cpu().numpy().astype(np.float32)
        return result
