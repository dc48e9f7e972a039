"""A corpus as token ids, and the backbone whose tokenizer made them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmark.errors import BenchmarkError, require
from benchmark.generative.tokens import Ragged
from benchmark.methods.lmindexer.backbones import Backbone, EncoderBackbone, T5Backbone
from benchmark.methods.lmindexer.config import LMIndexerConfig
from benchmark.methods.lmindexer.network import Batch
from benchmark.types.arrays import Int64

BATCH = 128  # documents that go through the frozen layers at a time


def load_backbone(config: LMIndexerConfig, texts: list[str]) -> Backbone:
    """Return the configured backbone; `texts` train the tokenizer of a model from scratch.

    Raises BenchmarkError when it is neither on disk nor to be had from the hub.
    """
    if config.backbone == "encoder":
        from benchmark.config import EncoderConfig
        from benchmark.learning import encoders

        words = encoders.load(EncoderConfig(name=config.encoder, max_length=config.max_length), "cpu")[0]
        model = getattr(words, "model", None)
        if not hasattr(model, "embeddings") or not hasattr(model, "encoder"):
            raise BenchmarkError(f"lmindexer.encoder: '{config.encoder}' is not an encoder of BERT's family")
        return EncoderBackbone(
            model, words.tokenizer, layers=config.decoder_layers, frozen_layers=config.frozen_layers,
            hidden_norm=config.hidden_norm, directions=config.residual_directions, length=config.length,
        )  # fmt: skip
    from benchmark.generative.t5 import load_seq2seq

    model, tokenizer = load_seq2seq(config.backbone, config.scratch, texts, setting="lmindexer.backbone")
    return T5Backbone(model, tokenizer, from_scratch=config.backbone == "scratch")


@dataclass(frozen=True)
class Documents:
    """Token ids of all documents with the tokenizer's special tokens in place."""

    tokens: Ragged
    special: Int64  # token ids that are no part of a text
    padding: int
    unscored: Int64  # token ids that reconstruction is never asked for, special ones among them
    group: Int64  # [n]: documents with equal texts have equal numbers
    score_repeated: bool = True
    lower: Tensor | None = None  # float16 [all tokens, D]: the output of the backbone's frozen layers

    def __len__(self) -> int:
        return len(self.tokens)

    @classmethod
    def tokenize(cls, tokenizer: Any, texts: list[str], config: LMIndexerConfig) -> Documents:
        """Cut each text at `config.max_length` tokens, special ones among them."""
        documents = cls.to_read(tokenizer, texts, config)
        tokens, special = documents.tokens, documents.special
        owner = np.repeat(np.arange(len(tokens)), np.diff(tokens.offsets))
        once = np.unique(np.stack([tokens.values, owner]), axis=1)[0]  # each document's different tokens
        token, count = np.unique(once, return_counts=True)
        outside = (count < config.scored_above * len(tokens)) | (count > config.scored_below * len(tokens))
        unscored = np.union1d(special, token[outside]).astype(np.int64)
        require(bool(np.setdiff1d(token, special).size), "text fields", "no item has any text to learn from")
        require(
            bool(np.setdiff1d(token, unscored).size), "scored_above, scored_below",
            "no token of the corpus is left to be scored",
        )  # fmt: skip
        return replace(documents, unscored=unscored)

    @classmethod
    def to_read(cls, tokenizer: Any, texts: list[str], config: LMIndexerConfig) -> Documents:
        """Return the same for documents that nothing is learned from: any of their tokens may be rare or common."""
        rows: list[Any] = []
        for start in range(0, len(texts), 10_000):
            encoded = tokenizer(texts[start : start + 10_000], truncation=True, max_length=config.max_length)
            rows += encoded["input_ids"]
        names = ("pad_token_id", "eos_token_id", "cls_token_id", "sep_token_id", "bos_token_id")
        ids = {int(token) for name in names if (token := getattr(tokenizer, name, None)) is not None}
        tokens, special = Ragged.from_rows(rows), np.asarray(sorted(ids), np.int64)
        first: dict[bytes, int] = {}
        group = np.asarray([first.setdefault(tokens[row].tobytes(), row) for row in range(len(tokens))], np.int64)
        return cls(tokens, special, tokenizer.pad_token_id, special, group, config.score_repeated)

    def output_tokens(self, config: LMIndexerConfig, backbone: Backbone) -> Tensor:
        """Return the token ids that reconstruction chooses from, ascending int64 [V]."""
        if config.output_tokens == "all":
            return torch.arange(len(backbone.token_table()))
        return torch.from_numpy(np.unique(np.append(self.tokens.values, self.padding)).astype(np.int64))

    def batch(self, documents: Tensor, prefix: Tensor, anchors: int) -> Batch:
        """Return the documents int64 [n] with their prefixes int64 [n, t - 1], padded to the longest."""
        rows = documents.cpu().numpy()
        starts = self.tokens.offsets[rows]
        lengths = self.tokens.offsets[rows + 1] - starts
        at = np.arange(max(1, int(lengths.max())))
        inside = at < lengths[:, None]
        where = np.where(inside, starts[:, None] + at, 0)
        ids = np.where(inside, self.tokens.values[where], self.padding).astype(np.int64)
        real = inside & ~np.isin(ids, self.special)
        scored = inside & ~np.isin(ids, self.unscored)
        if not self.score_repeated:
            scored &= (ids[:, :, None] == ids[:, None, :]).sum(axis=2) == 1
        ids_, mask, real_, scored_ = (
            torch.from_numpy(x).to(documents.device) for x in (ids, inside.astype(np.int64), real, scored)
        )
        lower = None
        if self.lower is not None:
            lower = self.lower[torch.from_numpy(where)].to(documents.device).float()
        return Batch(documents, ids_, mask, real_, prefix, anchors, scored_, lower)

    def with_lower(self, backbone: Backbone, device: str) -> Documents:
        """Return the same documents with the output of the backbone's frozen layers, computed once for all training."""
        lower = torch.empty(len(self.tokens.values), backbone.width, dtype=torch.float16)
        order = np.argsort(-np.diff(self.tokens.offsets), kind="stable")  # rows of like length share a batch
        for start in range(0, len(order), BATCH):
            rows = order[start : start + BATCH]
            batch = self.batch(torch.from_numpy(rows).to(device), torch.empty(len(rows), 0, dtype=torch.int64), 0)
            states = backbone.lower(batch.ids, batch.mask)
            if states is None:
                return self
            at = np.concatenate([np.arange(self.tokens.offsets[row], self.tokens.offsets[row + 1]) for row in rows])
            lower[torch.from_numpy(at)] = states[batch.mask.bool()].half().cpu()
        return replace(self, lower=lower)
