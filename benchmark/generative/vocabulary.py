"""Codes as tokens: position t, code c <-> token `<id_t_c>` (t counts from 0), placed behind a tokenizer's own tokens.

Every position has its own tokens, so equal codes at different positions share nothing (LMIndexer's code does the same).
Shapes: codes int32 [n_items, length] with -1 for padding anywhere; tokens int32 [n_items, length], -1 only at the end.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmark.errors import BenchmarkError
from benchmark.types.arrays import Int32
from benchmark.types.codes import Codes


@dataclass(frozen=True)
class CodeVocabulary:
    """The tokens of all codes: position t, code c has id first + sizes[0] + .. + sizes[t - 1] + c."""

    sizes: tuple[int, ...]
    first: int

    @property
    def size(self) -> int:
        """Number of code tokens."""
        return sum(self.sizes)

    @property
    def offsets(self) -> tuple[int, ...]:
        """Where each position's tokens begin, counted from `first`."""
        return tuple(sum(self.sizes[:position]) for position in range(len(self.sizes)))

    def tokens(self) -> list[str]:
        """Return the token names in the order of their ids."""
        return [f"<id_{position}_{code}>" for position, size in enumerate(self.sizes) for code in range(size)]

    def encode(self, codes: Codes) -> Int32:
        """Return token ids [n_items, length], moved to the left, -1 behind the last token.

        An ID with padding before its dedup counter keeps the counter's own tokens and only loses the gap.
        """
        if codes.sizes != self.sizes:
            raise BenchmarkError(
                f"codes with codebook sizes {codes.sizes} do not fit a vocabulary for sizes {self.sizes}; "
                "build the vocabulary from the codes that it shall encode (with the dedup counter)"
            )
        starts = self.first + np.asarray(self.offsets, np.int32)
        padding = codes.values < 0
        tokens = np.where(padding, np.int32(-1), codes.values + starts).astype(np.int32)
        if not (padding[:, :-1] & ~padding[:, 1:]).any():
            return tokens
        left = np.argsort(padding, axis=1, kind="stable")
        return np.take_along_axis(tokens, left, axis=1)
