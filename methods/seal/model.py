"""SEAL's language model: any BART or T5 with its tokenizer, or a small T5 with random weights.

    reads    query || body || +        writes   words of a text
    reads    query || title || +       writes   a title and the delimiter @@
    indexed  </s> title @@ text        one document

@@ is one token: BART has ` @@`; T5 takes <extra_id_99>, as the authors' code does, and a new tokenizer gets that. Words
are tokenised behind a space, so a span's tokens are those that the document has at that place.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from benchmark.generative.t5 import load_seq2seq
from benchmark.generative.tokens import Ragged, pad
from benchmark.methods.seal.config import SEALConfig
from benchmark.methods.seal.documents import Documents
from benchmark.methods.seal.pairs import Pair
from benchmark.types.arrays import Int32, Int64

SENTINEL = "<extra_id_99>"
TEXTS_AT_ONCE = 10_000
LOGITS_AT_ONCE = 1 << 26


@dataclass(frozen=True)
class Encoded:
    """What the decoder reads of B inputs: hidden states [B, S, D] and which of them are real [B, S]."""

    states: Tensor
    mask: Tensor

    def __getitem__(self, rows: Tensor) -> Encoded:
        return Encoded(self.states[rows], self.mask[rows])


class LanguageModel:
    """A sequence-to-sequence model, and how it reads and writes SEAL's texts."""

    def __init__(self, model: Any, tokenizer: Any, max_source: int) -> None:
        self.model, self.tokenizer, self.max_source = model, tokenizer, max_source
        self.end = int(tokenizer.eos_token_id)
        self.delimiter = _delimiter(tokenizer)
        self.start = int(model.config.decoder_start_token_id)
        self.alphabet = int(model.config.vocab_size)
        self.bos = [int(tokenizer.bos_token_id)] if model.config.model_type == "bart" else []
        special = (tokenizer.pad_token_id, tokenizer.eos_token_id, tokenizer.bos_token_id)
        self.special = frozenset(int(token) for token in special if token is not None)

    @classmethod
    def open(cls, config: SEALConfig, texts: list[str], seed: int) -> LanguageModel:
        """Load the backbone; `texts` train the tokenizer of a new one.

        Raises BenchmarkError when it is neither on disk nor to be had from the hub, or is no BART and no T5.
        """
        torch.manual_seed(seed)
        model, tokenizer = load_seq2seq(
            config.backbone, config.scratch, texts, setting="seal.backbone", kinds=("bart", "t5")
        )
        if _delimiter(tokenizer) is None:
            tokenizer.add_tokens([SENTINEL], special_tokens=True)
        if len(tokenizer) > model.config.vocab_size:
            model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
        return cls(model, tokenizer, config.max_source)

    def words(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the tokens of texts, without special tokens, even where a text spells one."""
        dropped = self.special | {self.delimiter}
        rows: list[list[int]] = []
        for start in range(0, len(texts), TEXTS_AT_ONCE):
            spaced = [f" {text}" if text else "" for text in texts[start : start + TEXTS_AT_ONCE]]
            encoded = self.tokenizer(spaced, add_special_tokens=False, verbose=False)["input_ids"]
            rows += [[token for token in row if token not in dropped] for row in encoded]
        return rows

    def documents(self, documents: Documents, order: Sequence[int], most: int) -> Ragged:
        """Return the documents' tokens, in this order, titles and texts cut at `most` tokens each."""
        rows: list[Any] = []
        for start in range(0, len(order), TEXTS_AT_ONCE):
            some = order[start : start + TEXTS_AT_ONCE]
            titles = self.words([documents.titles[row] for row in some])
            texts = self.words([documents.texts[row] for row in some])
            rows += [
                [self.end, *title[:most], self.delimiter, *text[:most]]
                for title, text in zip(titles, texts, strict=True)
            ]
        return Ragged.from_rows(rows)

    def sources(self, texts: Sequence[str], parts: Sequence[str], marks: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Return input ids and attention mask [B, S] of `text || part || mark`; the text is cut, the rest is kept."""
        suffixes = [f"|| {part} || {mark}" for part, mark in zip(parts, marks, strict=True)]
        known = dict(zip(sorted(set(suffixes)), self.words(sorted(set(suffixes))), strict=True))
        rows = [
            np.asarray([*self.bos, *words[: self.max_source - 2 - len(known[suffix])], *known[suffix]], np.int32)
            for words, suffix in zip(self.words(texts), suffixes, strict=True)
        ]
        return self._padded(rows)

    def _padded(self, rows: list[Int32]) -> tuple[Tensor, Tensor]:
        ids, mask = pad(rows, self.end, self.device)
        return ids.masked_fill_(mask == 0, int(self.tokenizer.pad_token_id)), mask

    def targets(self, pairs: Sequence[Pair]) -> Tensor:
        """Return what is to be written: tokens, @@ behind a title, end of sequence, then -100; int64 [B, T]."""
        words = self.words([pair.target for pair in pairs])
        most = self.max_source - 2
        rows = [
            np.asarray([*row[:most], *([self.delimiter] if pair.part == "title" else [])], np.int32)
            for pair, row in zip(pairs, words, strict=True)
        ]
        ids, mask = pad(rows, self.end, self.device)
        return ids.masked_fill_(mask == 0, -100)

    def shifted(self, targets: Tensor) -> Tensor:
        """Return what the decoder reads to write these targets: the start token, then all but the last."""
        before = torch.full_like(targets[:, :1], self.start)
        return torch.cat([before, targets[:, :-1].clamp_min(0)], 1)

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        device: torch.device = self.model.device
        return device

    @property
    def parameters(self) -> int:
        """Number of weights."""
        return sum(parameter.numel() for parameter in self.model.parameters())

    def encode(self, texts: Sequence[str], part: str) -> Encoded:
        """Read queries that ask for keys of this part."""
        ids, mask = self.sources(texts, [part] * len(texts), ["+"] * len(texts))
        return Encoded(self.model.get_encoder()(input_ids=ids, attention_mask=mask).last_hidden_state, mask)

    def log_probs(self, encoded: Encoded, owners: Int64, keys: Sequence[Sequence[int]]) -> list[float]:
        """Return the log-probability of each key to be written first, key i for input owners[i]; no length norm."""
        if not keys:
            return []
        longest = max(map(len, keys))
        at_once = max(1, LOGITS_AT_ONCE // (longest * self.alphabet))
        order = np.argsort([len(key) for key in keys], kind="stable")
        found = np.empty(len(keys))
        for rows in _chunks(order, at_once):
            found[rows] = self._log_probs(encoded[torch.from_numpy(owners[rows]).to(self.device)],
                                          [keys[row] for row in rows])  # fmt: skip
        scores: list[float] = found.tolist()
        return scores

    def _log_probs(self, encoded: Encoded, keys: Sequence[Sequence[int]]) -> list[float]:
        width = max(map(len, keys))
        targets = torch.tensor([[*key, *([-100] * (width - len(key)))] for key in keys], device=self.device)
        logits = self.logits(encoded, self.shifted(targets))
        chosen = F.cross_entropy(logits.transpose(1, 2), targets, ignore_index=-100, reduction="none")
        sums: list[float] = (-chosen.double().sum(1)).tolist()
        return sums

    def logits(self, encoded: Encoded, tokens: Tensor, cache: Any = None) -> Tensor:
        """Return float32 logits [B, T, alphabet] behind the decoder's tokens [B, T]; a cache is read and extended."""
        logits: Tensor = self.model(
            encoder_outputs=(encoded.states,), attention_mask=encoded.mask, decoder_input_ids=tokens,
            past_key_values=cache, use_cache=cache is not None,
        ).logits  # fmt: skip
        return logits.float()


def _chunks(order: Int64, size: int) -> Iterator[Int64]:
    for start in range(0, len(order), size):
        yield order[start : start + size]


def _delimiter(tokenizer: Any) -> Any:
    """Return the token that ends a title, None where the tokenizer has no such token."""
    at_signs = tokenizer(" @@", add_special_tokens=False)["input_ids"]
    if len(at_signs) == 1 and at_signs[0] != tokenizer.unk_token_id:
        return int(at_signs[0])
    token = tokenizer.convert_tokens_to_ids(SENTINEL)
    return None if token is None or token == tokenizer.unk_token_id else int(token)
