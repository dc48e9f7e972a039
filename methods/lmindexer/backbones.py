"""The semantic encoder: h_t = TransDecoder(TransEncoder(d), c_<t), section 3.1, equation 1.

`T5Backbone` is the paper's: an encoder-decoder T5, pretrained or small from scratch. `EncoderBackbone` puts a small T5
decoder on any sentence encoder, so that LMIndexer starts from the embeddings that the two-step methods read.
Shapes: n documents, L tokens, D model width, t position (1-based).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from benchmark.errors import ConfigError

BERT_FAMILY = ("bert", "roberta", "xlm-roberta")  # whose layers can be called one by one


@dataclass(frozen=True)
class Encoded:
    """What the decoder reads of documents: states [n, L, D], mask int64 [n, L], start vectors [n, D]."""

    states: Tensor
    mask: Tensor
    start: Tensor


class Backbone(nn.Module, ABC):
    """A semantic encoder, its tokenizer and its table of token vectors."""

    model: Any
    tokenizer: Any
    width: int
    lm_scale: float  # factor in front of the language-model head
    shares_table: bool  # the reconstructor reads and predicts with the encoder's own token vectors

    def token_table(self) -> Tensor:
        """Return the vectors of all tokens [vocabulary, D]."""
        table: Tensor = self.model.get_input_embeddings().weight
        return table

    @abstractmethod
    def pretrained(self) -> list[str]:
        """Return the name prefixes of pretrained parameters (`slow_rate` scales their learning rate)."""

    def lower(self, ids: Tensor, mask: Tensor) -> Tensor | None:
        """Return the states [n, L, D] below the first layer that learns; None where no layer is frozen."""
        return None

    @abstractmethod
    def encode(self, ids: Tensor, mask: Tensor, lower: Tensor | None = None) -> Encoded:
        """Return the encoder's output for token ids [n, L] with mask [n, L]; `lower` saves the frozen layers."""

    @abstractmethod
    def decode(self, encoded: Encoded, prefix: Tensor) -> Tensor:
        """Return the decoder's last hidden states [n, t, D] after the vectors of the earlier codes [n, t - 1, D]."""


class T5Backbone(Backbone):
    """A whole T5; h_t is its decoder's output after the final norm and dropout, neither scaled nor normalised."""

    shares_table = True

    def __init__(self, model: Any, tokenizer: Any, *, from_scratch: bool) -> None:
        super().__init__()
        self.model, self.tokenizer = model, tokenizer
        self.width = int(model.config.d_model)
        self.lm_scale = self.width**-0.5
        self.from_scratch = from_scratch
        if not model.config.tie_word_embeddings:  # T5 1.1: its own head has no part in learning IDs
            model.lm_head.requires_grad_(False)

    def pretrained(self) -> list[str]:
        return [] if self.from_scratch else ["backbone."]

    def encode(self, ids: Tensor, mask: Tensor, lower: Tensor | None = None) -> Encoded:
        states = self.model.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        start = self.token_table()[self.model.config.decoder_start_token_id or 0]
        return Encoded(states, mask, start.expand(len(ids), -1))

    def decode(self, encoded: Encoded, prefix: Tensor) -> Tensor:
        inputs = torch.cat([encoded.start[:, None], prefix.to(encoded.start.dtype)], dim=1)
        hidden: Tensor = self.model.decoder(
            inputs_embeds=inputs,
            encoder_hidden_states=encoded.states,
            encoder_attention_mask=encoded.mask,
            use_cache=False,
        ).last_hidden_state
        return hidden


class EncoderBackbone(Backbone):
    """A sentence encoder with a small T5 decoder whose layers add nothing at first.

    The decoder starts from the pooled sentence embedding x; after codes c_<t its last input is x minus the sum of
    their vectors. Its layers' output projections are 0 at the start, so the first h_1 is the scaled embedding and
    the first h_t its residual, which is where residual quantisation of the same embedding begins. `whiten_residual`
    may narrow what positions behind the first start from. `hidden_norm` is the length of h_t at the start (the last
    norm's weights learn on from there).

    What the layers add is scaled by gates of each position, 1 for the first and at the start 0 for later ones: what
    they have learned to say for the first code would otherwise be said again, and items that share it would go on
    sharing codes (gates as in Touvron et al., Going deeper with Image Transformers, ICCV 2021, section 2).
    """

    shares_table = False
    mean: Tensor
    deviation: Tensor
    code_map: Tensor
    residual_mean: Tensor
    residual_map: Tensor
    scale: float

    def __init__(
        self, model: Any, tokenizer: Any, *, layers: int, frozen_layers: int, hidden_norm: float, directions: int = 0,
        length: int = 3,
    ) -> None:  # fmt: skip
        super().__init__()
        from transformers import T5Config
        from transformers.models.t5.modeling_t5 import T5Stack

        self.model, self.tokenizer = model, tokenizer
        self.width = int(model.config.hidden_size)
        self.lm_scale = self.width**-0.5
        heads = max(1, self.width // 64)
        config = T5Config(
            vocab_size=1, d_model=self.width, d_kv=self.width // heads, d_ff=4 * self.width, num_layers=layers,
            num_decoder_layers=layers, num_heads=heads, is_decoder=True, use_cache=False, is_encoder_decoder=False,
            eos_token_id=None,
        )  # fmt: skip
        self.decoder = T5Stack(config)
        self.decoder.embed_tokens.requires_grad_(False)  # never read: the inputs are vectors
        for block in self.decoder.block:
            attention, cross, feed_forward = block.layer
            for projection in (attention.SelfAttention.o, cross.EncDecAttention.o, feed_forward.DenseReluDense.wo):
                nn.init.zeros_(projection.weight)
        self.directions = directions
        self.scale = hidden_norm * self.width**-0.5
        self.norm, self.dropout = self.decoder.final_layer_norm, self.decoder.dropout
        self.decoder.final_layer_norm, self.decoder.dropout = nn.Identity(), nn.Identity()  # applied behind the gates
        nn.init.constant_(self.norm.weight, self.scale)
        self.gates = nn.Parameter(torch.zeros(length, self.width))
        with torch.no_grad():
            self.gates[0] = 1.0
        frozen_layers = min(frozen_layers, model.config.num_hidden_layers)
        if frozen_layers and model.config.model_type not in BERT_FAMILY:
            raise ConfigError(
                f"lmindexer.frozen_layers: layers of a '{model.config.model_type}' encoder cannot be frozen (only of "
                f"{', '.join(BERT_FAMILY)}); use --set lmindexer.frozen_layers=0"
            )
        self.frozen = [model.embeddings, *model.encoder.layer[:frozen_layers]] if frozen_layers else []
        for module in self.frozen:
            module.requires_grad_(False)
        if getattr(model, "pooler", None) is not None:
            model.pooler.requires_grad_(False)
        self.register_buffer("mean", torch.zeros(self.width))
        self.register_buffer("deviation", torch.ones(self.width))
        self.register_buffer("code_map", torch.eye(self.width) / self.scale)
        self.register_buffer("residual_mean", torch.zeros(self.width))
        self.register_buffer("residual_map", torch.eye(self.width))

    def train(self, mode: bool = True) -> EncoderBackbone:
        """Set the mode; frozen layers never drop anything out."""
        super().train(mode)
        for module in self.frozen:
            module.eval()
        return self

    def pretrained(self) -> list[str]:
        return ["backbone.model."]

    @torch.no_grad()
    def lower(self, ids: Tensor, mask: Tensor) -> Tensor | None:
        if not self.frozen:
            return None
        embeddings, *layers = self.frozen
        return self._through(layers, embeddings(input_ids=ids), mask)

    def encode(self, ids: Tensor, mask: Tensor, lower: Tensor | None = None) -> Encoded:
        states = self._states(ids, mask, lower)
        start = (pool(states, mask) - self.mean) / self.deviation
        return Encoded(states, mask, unit_rms(start))

    def pooled(self, ids: Tensor, mask: Tensor, lower: Tensor | None = None) -> Tensor:
        """Return the sentence embeddings [n, D] before any scaling."""
        return pool(self._states(ids, mask, lower), mask)

    def _states(self, ids: Tensor, mask: Tensor, lower: Tensor | None) -> Tensor:
        if not self.frozen:
            states: Tensor = self.model(input_ids=ids, attention_mask=mask).last_hidden_state
            return states
        lower = self.lower(ids, mask) if lower is None else lower
        assert lower is not None
        return self._through(self.model.encoder.layer[len(self.frozen) - 1 :], lower, mask)

    def _through(self, layers: Iterable[nn.Module], states: Tensor, mask: Tensor) -> Tensor:
        from transformers.masking_utils import create_bidirectional_mask

        seen = create_bidirectional_mask(config=self.model.config, inputs_embeds=states, attention_mask=mask)
        for layer in layers:
            states = layer(states, seen)
        return states

    def standardize(self, pooled: Tensor) -> None:
        """Set the scaling so that these pooled embeddings [n, D] have mean 0 and variance 1 in every dimension."""
        self.mean.copy_(pooled.mean(dim=0))
        self.deviation.copy_(pooled.std(dim=0).clamp(min=1e-4))

    def residual(self, encoded: Encoded, prefix: Tensor) -> Tensor:
        """Return what the first code's vector leaves of the start vectors [n, D]."""
        return encoded.start - prefix[:, 0] @ self.code_map

    def whiten_residual(self, start: Tensor, first: Tensor) -> None:
        """Let later positions start from what the first code's vectors [n, D] do not tell of the start vectors [n, D].

        That is what their best linear prediction leaves (the code's vector belongs to h_1, which has learned away from
        x), in its `directions` of largest variance, all at the same strength.
        """
        start, first = start.double(), first.double()
        mean, first_mean = start.mean(dim=0), first.mean(dim=0)
        start, first = start - mean, first - first_mean
        code_map = torch.linalg.pinv(first.T @ first, hermitian=True, rtol=1e-8) @ (first.T @ start)
        variance, axes = torch.linalg.eigh(torch.cov((start - first @ code_map).T, correction=0))  # ascending
        kept = variance > 1e-8 * variance[-1]
        variance, axes = variance[kept][-self.directions :], axes[:, kept][:, -self.directions :]
        self.code_map.copy_(code_map)
        self.residual_mean.copy_(mean - first_mean @ code_map)
        self.residual_map.copy_((axes / variance.sqrt()) @ axes.T)

    def decode(self, encoded: Encoded, prefix: Tensor) -> Tensor:
        inputs = encoded.start[:, None]
        if prefix.shape[1]:
            vectors = prefix / self.scale
            second = self.residual(encoded, prefix)
            if self.directions:
                second = unit_rms((second - self.residual_mean) @ self.residual_map)
            later = second[:, None] - vectors[:, 1:].cumsum(dim=1)
            inputs = torch.cat([inputs, second[:, None], later], dim=1)
        found = self.decoder(
            inputs_embeds=inputs,
            encoder_hidden_states=encoded.states,
            encoder_attention_mask=encoded.mask,
            use_cache=False,
        ).last_hidden_state
        hidden: Tensor = self.dropout(self.norm(inputs + self.gates[: inputs.shape[1]] * (found - inputs)))
        return hidden


def pool(states: Tensor, mask: Tensor) -> Tensor:
    """Return the unit-length mean of the states [n, L, D] where mask [n, L] is 1: [n, D]."""
    real = mask[:, :, None].to(states.dtype)
    return nn.functional.normalize(((states * real).sum(1) / real.sum(1)).float(), dim=-1)


def unit_rms(x: Tensor) -> Tensor:
    """Scale rows [n, D] to a root mean square of 1."""
    return x / x.square().mean(dim=-1, keepdim=True).add(1e-6).sqrt()
