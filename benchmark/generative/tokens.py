"""Token ids of texts: rows of different length packed into one array, and padded batches of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmark.types.arrays import Int32, Int64


@dataclass(frozen=True)
class Ragged:
    """Rows of different length: row i is values[offsets[i]:offsets[i + 1]]."""

    values: Int32
    offsets: Int64

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, row: int) -> Int32:
        return self.values[self.offsets[row] : self.offsets[row + 1]]

    @classmethod
    def from_rows(cls, rows: list[Any]) -> Ragged:
        """Pack rows of token ids."""
        lengths = np.fromiter((len(row) for row in rows), np.int64, len(rows))
        values = np.concatenate([np.asarray(row, np.int32) for row in rows]) if rows else np.empty(0, np.int32)
        return cls(values.astype(np.int32), np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64))


def tokenize(tokenizer: Any, texts: Sequence[str], max_tokens: int) -> Ragged:
    """Return the texts' tokens without the end-of-sequence token, at most max_tokens each."""
    rows: list[Any] = []
    for start in range(0, len(texts), 10_000):
        encoded = tokenizer(
            list(texts[start : start + 10_000]), add_special_tokens=False, truncation=True, max_length=max_tokens
        )
        rows += encoded["input_ids"]
    return Ragged.from_rows(rows)


def pad(rows: list[Int32], eos: int, device: Any = "cpu") -> tuple[Tensor, Tensor]:
    """Append the end-of-sequence token, pad with 0; return input ids and attention mask, int64 [batch, longest]."""
    width = max(len(row) for row in rows) + 1
    ids = np.zeros((len(rows), width), np.int64)
    mask = np.zeros((len(rows), width), np.int64)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = row
        ids[i, len(row)] = eos
        mask[i, : len(row) + 1] = 1
    return torch.from_numpy(ids).to(device), torch.from_numpy(mask).to(device)
