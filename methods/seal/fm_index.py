"""FM-index over token ids: which n-grams occur, where, and what may follow them.

Source: Ferragina and Manzini, Opportunistic Data Structures with Applications, FOCS 2000. A backward-search step puts
a symbol before a pattern; n-grams are generated from left to right, so the *reversed* text is indexed, as SEAL does.
Rows are all prefixes of the text, the empty one first, sorted by their ends read backwards; those that end in pattern
P are the rows low .. high - 1, and those that end in P followed by c are

    low' = first(c) + rank(c, low),   high' = first(c) + rank(c, high)

where first(c) is the first row that ends in c and rank(c, i) counts the rows before i that c follows. Together they
are the place of c * (n + 1) + i in the sorted array of c * (n + 1) + row over all rows and the c behind each, so one
step of any number of beams is one `np.searchsorted`.

Shapes: n tokens, n + 1 rows, m ranges of rows. The arrays take 14 to 20 bytes per token.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmark.errors import BenchmarkError
from benchmark.types.arrays import Int64

ARRAYS = ("tokens", "starts", "ends", "following", "ranks")
WIDE = 4  # ranges with more rows than this times the alphabet are asked symbol by symbol


@dataclass(frozen=True)
class FMIndex:
    """The n-grams of a text that consists of documents, one after the other; n-grams may cross their borders."""

    tokens: NDArray[Any]  # [n], each in 0 .. alphabet - 1
    starts: Int64  # [n_documents + 1]: document d is tokens[starts[d]:starts[d + 1]]
    ends: NDArray[Any]  # [n + 1]: where the prefix of each row ends (exclusive)
    following: NDArray[Any]  # [n + 1]: the token behind that prefix, `alphabet` behind the whole text
    ranks: Int64  # [n]: sorted
    alphabet: int

    @classmethod
    def build(cls, tokens: NDArray[Any], starts: Int64, alphabet: int) -> FMIndex:
        """Index tokens [n] in 0 .. alphabet - 1; `starts` [n_documents + 1] begins with 0 and ends with n.

        Raises BenchmarkError for tokens outside the alphabet.
        """
        n = len(tokens)
        if n and (int(tokens.min()) < 0 or int(tokens.max()) >= alphabet):
            raise BenchmarkError(f"FM-index: a token lies outside 0 .. {alphabet - 1}")
        size = np.int32 if n < 2**31 - 1 else np.int64
        ends = np.concatenate([[0], n - _suffix_array(tokens[::-1])]).astype(size)
        kind = np.min_scalar_type(alphabet)
        tokens = np.asarray(tokens, kind)
        following = np.append(tokens, kind.type(alphabet))[ends]
        rows = np.flatnonzero(following < alphabet)
        ranks = np.sort(following[rows].astype(np.int64) * (n + 1) + rows)
        return cls(tokens, np.asarray(starts, np.int64), ends, following, ranks, alphabet)

    def __len__(self) -> int:
        """Tokens of all documents."""
        return len(self.tokens)

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays, in memory and on disk."""
        return sum(int(getattr(self, name).nbytes) for name in ARRAYS)

    def extend(self, low: Int64, high: Int64, symbols: Int64) -> tuple[Int64, Int64]:
        """Return the ranges of m n-grams, each one symbol longer; low = high where that does not occur."""
        first = np.asarray(symbols, np.int64) * (len(self) + 1)
        return np.searchsorted(self.ranks, first + low) + 1, np.searchsorted(self.ranks, first + high) + 1

    def ranges(self, patterns: Sequence[Sequence[int]]) -> tuple[Int64, Int64]:
        """Return the ranges [m] of n-grams; the empty one has all rows."""
        lengths = np.fromiter(map(len, patterns), np.int64, len(patterns))
        low, high = np.zeros(len(patterns), np.int64), np.full(len(patterns), len(self) + 1, np.int64)
        for position in range(int(lengths.max(initial=0))):
            longer = np.flatnonzero(lengths > position)
            symbols = np.fromiter((patterns[row][position] for row in longer.tolist()), np.int64, len(longer))
            low[longer], high[longer] = self.extend(low[longer], high[longer], symbols)
        return low, high

    def count(self, pattern: Sequence[int]) -> int:
        """Return how often an n-gram occurs."""
        low, high = self.ranges([pattern])
        return int(high[0] - low[0])

    def locate(self, low: Int64, high: Int64) -> tuple[Int64, Int64]:
        """Return all occurrences of m ranges: which range, and where the occurrence ends (exclusive)."""
        which, rows = _spread(low, high)
        return which, self.ends[rows].astype(np.int64)

    def documents(self, positions: Int64) -> Int64:
        """Return the documents that hold the tokens at these positions."""
        return np.searchsorted(self.starts, positions, side="right") - 1

    def continuations(self, low: Int64, high: Int64) -> NDArray[np.bool_]:
        """Tell which symbols follow the n-grams of m ranges: bool [m, alphabet].

        A narrow range is read row by row; a wide one costs two binary searches per symbol instead.
        """
        found = np.zeros((len(low), self.alphabet + 1), np.bool_)
        wide = np.flatnonzero(high - low > WIDE * self.alphabet)
        narrow = np.flatnonzero(high - low <= WIDE * self.alphabet)
        which, rows = _spread(low[narrow], high[narrow])
        found[narrow[which], self.following[rows]] = True
        symbols = np.arange(self.alphabet)
        for row in wide:
            before, after = self.extend(low[row], high[row], symbols)
            found[row, :-1] = after > before
        return found[:, :-1]

    def save(self, folder: Path) -> None:
        """Write the arrays into this new folder."""
        folder.mkdir(parents=True)
        for name in ARRAYS:
            np.save(folder / f"{name}.npy", getattr(self, name))
        (folder / "fm_index.json").write_text(json.dumps({"alphabet": self.alphabet}), "utf-8")

    @classmethod
    def load(cls, folder: Path) -> FMIndex:
        """Open a saved index; its arrays stay on disk and are read where they are used."""
        alphabet = int(json.loads((folder / "fm_index.json").read_text("utf-8"))["alphabet"])
        arrays: dict[str, Any] = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in ARRAYS}
        return cls(**arrays, alphabet=alphabet)


def _suffix_array(tokens: NDArray[Any]) -> Int64:
    from pydivsufsort import divsufsort

    if not len(tokens):
        return np.empty(0, np.int64)
    return np.asarray(divsufsort(np.ascontiguousarray(tokens, np.int64)), np.int64)


def _spread(low: Int64, high: Int64) -> tuple[Int64, Int64]:
    """Return the numbers low[i] .. high[i] - 1 of all i, one after the other: (i, number)."""
    lengths = high - low
    which = np.repeat(np.arange(len(low)), lengths)
    return which, np.arange(len(which)) + np.repeat(low - np.cumsum(lengths) + lengths, lengths)
