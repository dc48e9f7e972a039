"""One incremental step of a T5 decoder over many beams per query, with the weights of a Hugging Face T5.

Beams are the query axis of the cross-attention, so its keys and values are computed and kept once per query, not once
per beam. The self-attention cache follows each beam's parent. Serves beam search and exact scoring, in float32 and
bfloat16, for T5 1.0 and 1.1 (gated), with or without the d_model**-0.5 in front of the head.
Source: Raffel et al., Exploring the Limits of Transfer Learning with a Unified Text-to-Text Transformer, JMLR 2020.

Shapes: B queries, R beams, H heads, S source length, t tokens so far, d width of a head, D model width.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from benchmark.errors import BenchmarkError


@dataclass(frozen=True)
class Source:
    """What the decoder reads of each query: cross-attention keys and values per layer, and which tokens are real."""

    keys: tuple[Tensor, ...]  # [B, H, S, d]
    values: tuple[Tensor, ...]  # [B, H, S, d]
    mask: Tensor  # bool [B, 1, 1, S]


@dataclass(frozen=True)
class Past:
    """Self-attention keys and values of the tokens so far, per layer [B * R, H, t, d]."""

    keys: tuple[Tensor, ...]
    values: tuple[Tensor, ...]

    @property
    def length(self) -> int:
        """Tokens so far."""
        return int(self.keys[0].shape[2])

    @property
    def rows(self) -> int:
        """Beams of all queries."""
        return len(self.keys[0])


class T5Decoder:
    """Reads the modules of a T5ForConditionalGeneration; nothing is copied."""

    def __init__(self, model: Any) -> None:
        if not hasattr(model, "decoder") or not hasattr(model, "lm_head") or model.config.model_type != "t5":
            raise BenchmarkError(f"constrained decoding needs a T5ForConditionalGeneration, not {type(model).__name__}")
        self.model = model
        self.stack = model.decoder
        self.blocks = list(model.decoder.block)
        attention = self.blocks[0].layer[0].SelfAttention
        self.heads, self.width = attention.n_heads, attention.key_value_proj_dim
        scaled = getattr(model.config, "scale_decoder_outputs", model.config.tie_word_embeddings)
        self.scale = model.config.d_model**-0.5 if scaled else 1.0
        self.start_token = int(model.config.decoder_start_token_id or 0)  # T5 starts with its padding token

    @property
    def head(self) -> Tensor:
        """Weights of the language-model head [vocabulary, D]."""
        weight: Tensor = self.model.lm_head.weight
        return weight

    def encode(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Return the encoder's last hidden state [B, S, D]."""
        hidden: Tensor = self.model.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        return hidden

    def source(self, encoded: Tensor, attention_mask: Tensor) -> Source:
        """Project the encoder's output to each layer's cross-attention keys and values."""
        layers = [block.layer[1].EncDecAttention for block in self.blocks]
        return Source(
            tuple(self._split(layer.k(encoded)) for layer in layers),
            tuple(self._split(layer.v(encoded)) for layer in layers),
            attention_mask.bool()[:, None, None, :],
        )

    def step(
        self, tokens: Tensor, source: Source, past: Past | None = None, parents: Tensor | None = None
    ) -> tuple[Tensor, Past]:
        """Read one more token per beam: tokens [B, R] -> hidden states for the head [B, R, D], and the cache.

        parents [B * R] are rows of `past`, the beam that each beam continues (None: the same row).
        """
        batch, beams = tokens.shape
        rows = batch * beams
        hidden = self.stack.embed_tokens(tokens)
        length = past.length + 1 if past else 1
        # the last row of the square bias: the newest token's view of all tokens so far
        bias = self.blocks[0].layer[0].SelfAttention.compute_bias(length, length)[:, :, -1:, :]
        keys, values = [], []
        for i, block in enumerate(self.blocks):
            own, cross = block.layer[0], block.layer[1]
            x = _norm(own.layer_norm, hidden).view(rows, -1)
            query, key, value = (
                project(x).view(rows, self.heads, 1, self.width)
                for project in (own.SelfAttention.q, own.SelfAttention.k, own.SelfAttention.v)
            )
            if past:
                key = _append(past.keys[i], parents, key)
                value = _append(past.values[i], parents, value)
            keys.append(key)
            values.append(value)
            weights = torch.softmax(query @ key.transpose(2, 3) + bias, dim=-1)
            hidden = hidden + own.SelfAttention.o((weights @ value).view(batch, beams, -1))

            query = self._split(cross.EncDecAttention.q(_norm(cross.layer_norm, hidden)))
            context = F.scaled_dot_product_attention(
                query, source.keys[i], source.values[i], attn_mask=source.mask, scale=1.0
            )
            hidden = hidden + cross.EncDecAttention.o(context.transpose(1, 2).reshape(batch, beams, -1))

            feed_forward = block.layer[2]
            hidden = hidden + feed_forward.DenseReluDense(_norm(feed_forward.layer_norm, hidden))
        return _norm(self.stack.final_layer_norm, hidden) * self.scale, Past(tuple(keys), tuple(values))

    def _split(self, x: Tensor) -> Tensor:
        """[B, n, H * d] -> [B, H, n, d]."""
        return x.view(x.shape[0], x.shape[1], self.heads, self.width).transpose(1, 2)


def _norm(layer: Any, x: Tensor) -> Tensor:
    """T5's layer norm: root mean square, no mean, no bias."""
    weight: Tensor = layer.weight
    return F.rms_norm(x, (x.shape[-1],), weight.to(x.dtype), layer.variance_epsilon).to(weight.dtype)


def _append(past: Tensor, parents: Tensor | None, new: Tensor) -> Tensor:
    """[rows, H, t, d] re-gathered by parent, and the new token behind it."""
    return torch.cat([past if parents is None else past.index_select(0, parents), new], dim=2)
