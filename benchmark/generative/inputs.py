"""What the T5 reads: histories and queries as token ids.

Recommendation, `text` (LMIndexer's data code): the items' texts most recent first, joined with '. ', cut on the right
at `max_source` tokens, so the oldest items fall off; no prefix, no user id, no item IDs. `ids` (TIGER, Rajput et al.,
NeurIPS 2023, section 3): the items' semantic IDs, oldest first, whole items cut on the left; before them, where there
are user tokens, that of the user.

Each item is tokenised once. Both tokenizer families split at white space before anything else, so the pieces of
'A. B' are those of 'A.' followed by those of 'B'.
"""

from __future__ import annotations

from typing import Any
from zlib import crc32

import numpy as np
import torch
from torch import Tensor

from benchmark.errors import require
from benchmark.generative.tokens import tokenize
from benchmark.types.arrays import Int32, Int64
from benchmark.types.data import Histories


class TextHistories:
    """Sources for recommendation from item texts."""

    def __init__(self, tokenizer: Any, item_texts: list[str], max_source: int) -> None:
        self.joined = tokenize(tokenizer, [f"{text}." for text in item_texts], max_source)
        self.single = tokenize(tokenizer, item_texts, max_source)
        self.limit = max_source - 1

    def source(self, items: Int32, user: str = "") -> Int32:
        """Return the tokens of one history (oldest item first in `items`), without the end-of-sequence token.

        `user` is not read.
        """
        parts: list[Int32] = []
        room = self.limit
        for item in items[:0:-1]:
            parts.append(self.joined[item])
            room -= len(parts[-1])
            if room <= 0:
                break
        else:
            if len(items):
                parts.append(self.single[items[0]])
        return np.concatenate(parts)[: self.limit] if parts else np.empty(0, np.int32)


class IdHistories:
    """Sources for recommendation from the items' semantic IDs (token ids int32 [n_items, length], -1 pads).

    `users` are the user tokens. Raises ConfigError when an ID does not fit into `max_source`.
    """

    def __init__(
        self, item_tokens: Int32, max_source: int, *, max_items: int | None = None, users: range = range(0)
    ) -> None:
        self.item_tokens, self.users = item_tokens, users
        self.lengths = (item_tokens >= 0).sum(1)
        self.limit = max_source - 1 - bool(users)
        longest = int(self.lengths.max(initial=0))
        require(longest <= self.limit, "generative.max_source", f"an ID of {longest} tokens does not fit")
        self.max_items = max_items or max(self.limit, 1)

    def source(self, items: Int32, user: str = "") -> Int32:
        """Return the ID tokens of one history, oldest first, behind the user's token; the newest items that fit."""
        items = items[-self.max_items :]
        fitting = int((self.lengths[items][::-1].cumsum() <= self.limit).sum())
        tokens = self.item_tokens[items[len(items) - fitting :]].reshape(-1)
        front = [self.users[crc32(user.encode()) % len(self.users)]] if self.users else []
        return np.concatenate([np.array(front, np.int32), tokens[tokens >= 0].astype(np.int32)])


def labels(item_tokens: Int32, items: Int64, eos: int, device: Any = "cpu") -> Tensor:
    """Return the targets of items: ID tokens, end of sequence, then -100; int64 [batch, length + 1]."""
    rows = item_tokens[items].astype(np.int64)
    lengths = (rows >= 0).sum(1)
    target = np.full((len(rows), rows.shape[1] + 1), -100, np.int64)
    target[:, :-1] = np.where(rows >= 0, rows, -100)
    target[np.arange(len(rows)), lengths] = eos
    return torch.from_numpy(target).to(device)


def histories_sources(histories: Histories, encoder: TextHistories | IdHistories) -> list[Int32]:
    """Return one source per user."""
    return [encoder.source(histories[row], user) for row, user in enumerate(histories.users)]
