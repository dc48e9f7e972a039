"""Items, their semantic IDs, and the trie over these IDs as a model writes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmark.errors import UsageError
from benchmark.generative.trie import Trie
from benchmark.generative.vocabulary import CodeVocabulary
from benchmark.types.codes import Codes


@dataclass(frozen=True, eq=False)
class ItemTrie:
    """A trie, and what its items are called: items[row] is the item of the ID in this row."""

    trie: Trie
    items: Sequence[Any]

    @property
    def depth(self) -> int:
        """Tokens of the longest ID, the end-of-sequence token among them: generate's `max_new_tokens`."""
        return self.trie.depth

    @classmethod
    def from_sequences(cls, sequences: Mapping[Any, Sequence[int]] | Sequence[Sequence[int]], eos: int) -> ItemTrie:
        """Build from token sequences of any length, without the end-of-sequence token: item -> tokens, or a list.

        Raises BenchmarkError when two items share an ID, an ID is empty or holds the end-of-sequence token.
        """
        named = isinstance(sequences, Mapping)
        items: Sequence[Any] = list(sequences) if named else range(len(sequences))
        rows = [list(row) for row in (sequences.values() if isinstance(sequences, Mapping) else sequences)]
        lengths = np.array([len(row) for row in rows], np.int64)
        tokens = np.full((len(rows), max(1, int(lengths.max(initial=0)))), -1, np.int32)
        tokens[np.arange(tokens.shape[1]) < lengths[:, None]] = [token for row in rows for token in row]
        if any(token < 0 for row in rows for token in row):
            raise UsageError("a token sequence holds a negative token id")
        return cls(Trie.build(tokens, eos), items)


@dataclass(frozen=True, eq=False)
class SemanticIds:
    """Items and their unique semantic IDs, the dedup counter among the codes."""

    codes: Codes
    items: Sequence[Any]

    @property
    def tokens(self) -> list[str]:
        """Names of all code tokens, position by position: what to add to a tokenizer."""
        return CodeVocabulary(self.codes.sizes, first=0).tokens()

    def trie(self, token_ids: Sequence[int], eos: int) -> ItemTrie:
        """Build the trie; token_ids are a model's ids of `tokens`, in their order.

            ids.trie(tokenizer.convert_tokens_to_ids(ids.tokens), eos=tokenizer.eos_token_id)

        Raises UsageError when the token ids are not one per code token, BenchmarkError when two items share an ID.
        """
        names = self.tokens
        if len(token_ids) != len(names):
            raise UsageError(f"token_ids: expected one per code token ({len(names):,}), got {len(token_ids):,}")
        seen: dict[Any, str] = {}
        for name, token in zip(names, token_ids, strict=True):
            if not isinstance(token, int | np.integer) or token < 0 or seen.setdefault(token, name) != name:
                raise UsageError(
                    f"token_ids: '{name}' has no token id of its own ({token}); call tokenizer.add_tokens(ids.tokens) "
                    "and model.resize_token_embeddings(len(tokenizer)) first"
                )
        encoded = CodeVocabulary(self.codes.sizes, first=0).encode(self.codes)
        tokens = np.where(encoded < 0, -1, np.asarray(token_ids, np.int64)[encoded]).astype(np.int32)
        return ItemTrie(Trie.build(tokens, eos), self.items)
