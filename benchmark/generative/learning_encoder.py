"""A sentence encoder whose upper layers, or all of whose weights, learn together with the reader `sentence`.

    tokens [b, S]  ->  frozen lower layers: states [b, S, H]  ->  learning upper layers  ->  the encoder's own pooling

The lower layers run without dropout, so what they give for a text never changes and is kept for the training texts;
the upper layers learn, with the dropout that the encoder was trained with. A whole encoder starts from the tokens.
Only what learns has parameters here: it is what a saved generator holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from benchmark.errors import ConfigError, require
from benchmark.generative.tokens import Ragged
from benchmark.learning.static_encoder import is_static
from benchmark.types.arrays import Float32, Int64

WHOLE = -1
KEPT_BYTES = 4 << 30  # lower layers' states of the training texts beyond this are computed anew for every batch
BATCH = 64
KEY = "sentence.learning_layers"


@dataclass(frozen=True)
class TokenStates:
    """The lower layers' states of texts: text i has values[offsets[i]:offsets[i + 1]], float32 [tokens, H]."""

    values: Float32
    offsets: Int64

    def __getitem__(self, row: int) -> Float32:
        return self.values[self.offsets[row] : self.offsets[row + 1]]


@dataclass(frozen=True)
class Padded:
    """Some of a batch's texts, of like length: tokens int64 [n, S] or states [n, S, H], padded on the right."""

    places: Tensor  # [n], where in the batch they stand
    inputs: Tensor
    mask: Tensor  # [n, S]


class LearningEncoder(nn.Module):
    """Gives the sentence vectors [b, F] of tokens, or of the lower layers' states."""

    def __init__(self, encoder: Any, layers: int, normalize: bool) -> None:
        """`encoder` is a SentenceTransformer, which stays as it is; its upper `layers` learn, -1: all of it.

        Raises ConfigError where the encoder has fewer layers or cannot be cut between two of them.
        """
        super().__init__()
        require(not is_static(encoder), KEY, "the encoder 'static' has no layers; set learning_layers=0")
        self.normalize = normalize
        self.pooling = nn.ModuleList(deepcopy(module) for module in list(encoder)[1:])
        self._lower: list[nn.Module] = []  # in a list: no part of what learns or is saved
        network = deepcopy(encoder[0].auto_model)
        network.pooler = None  # would be parameters without gradient
        if layers == WHOLE:
            self.upper = network
        else:
            lower, self.upper = _cut(network, layers)
            self._lower.append(lower.eval().requires_grad_(False))
            self._check_cut(encoder)

    def forward(self, groups: Iterable[Padded]) -> Tensor:
        """Return the vectors [b, F] of a batch; each group holds tokens, or what `kept` gave for them."""
        groups = list(groups)
        vectors = torch.cat([self._vectors(group.inputs, group.mask) for group in groups])
        return vectors[torch.cat([group.places for group in groups]).argsort()]

    def _vectors(self, inputs: Tensor, mask: Tensor) -> Tensor:
        if not self._lower:
            states = self.upper(input_ids=inputs, attention_mask=mask).last_hidden_state
        else:
            states = inputs if inputs.is_floating_point() else self.lower(inputs, mask)
            states = self.upper(inputs_embeds=states, attention_mask=mask).last_hidden_state
        features: dict[str, Any] = {"token_embeddings": states, "attention_mask": mask}
        for module in self.pooling:
            features = module(features)
        vectors: Tensor = features["sentence_embedding"]
        return nn.functional.normalize(vectors, dim=-1) if self.normalize else vectors

    @torch.no_grad()
    def lower(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """Return the states [b, S, H] that the frozen layers give."""
        frozen = self._lower[0].to(tokens.device)
        states: Tensor = frozen(input_ids=tokens, attention_mask=mask).last_hidden_state
        return states

    def kept(self, tokens: Ragged, device: str | torch.device) -> Ragged | TokenStates:
        """Return what the learning layers read of all texts: the frozen layers' states, computed once.

        The tokens come back where no layer is frozen, or where the states would take more than KEPT_BYTES.
        """
        width = int(self.upper.config.hidden_size)
        if not self._lower or 4 * width * len(tokens.values) > KEPT_BYTES:
            return tokens
        states = np.empty((len(tokens.values), width), np.float32)
        for group in sentence_batches(tokens, np.arange(len(tokens)), device):
            found = self.lower(group.inputs, group.mask).float().cpu().numpy()
            for row, values in zip(group.places.tolist(), found, strict=True):
                states[tokens.offsets[row] : tokens.offsets[row + 1]] = values[: len(tokens[row])]
        return TokenStates(states, tokens.offsets)

    @torch.no_grad()
    def _check_cut(self, encoder: Any) -> None:
        """Raise ConfigError unless both parts, one behind the other, give the encoder's own vectors."""
        texts = ["red", "a lamp of red glass for the table"]
        groups = list(sentence_batches(sentence_tokens(encoder, texts), np.arange(len(texts)), encoder.device))
        try:
            found = self.eval()(groups)
        except Exception as error:
            raise _uncut(encoder) from error
        own = encoder.encode(texts, prompt="", convert_to_tensor=True, normalize_embeddings=self.normalize)
        if not torch.allclose(found, own.to(found), atol=1e-3):
            raise _uncut(encoder)
        self.train()


class _Given(nn.Module):
    """Stands where a network embeds its tokens: the states are there already."""

    def forward(self, *_: Any, inputs_embeds: Tensor, **__: Any) -> Tensor:
        return inputs_embeds


def sentence_tokens(encoder: Any, texts: Sequence[str]) -> Ragged:
    """Return the tokens that the encoder reads of texts, its special tokens among them."""
    rows: list[Any] = []
    for start in range(0, len(texts), 10_000):
        some = list(texts[start : start + 10_000])
        rows += encoder.tokenizer(some, truncation=True, max_length=encoder.max_seq_length)["input_ids"]
    return Ragged.from_rows(rows)


def sentence_batches(texts: Ragged | TokenStates, rows: Int64, device: str | torch.device) -> Iterator[Padded]:
    """Yield some texts in groups of like length, so that padding costs little."""
    lengths = np.diff(texts.offsets)[rows]
    order = np.argsort(lengths, kind="stable")
    for start in range(0, len(order), BATCH):
        places = order[start : start + BATCH]
        width = max(1, int(lengths[places].max()))
        inputs = np.zeros((len(places), width, *texts.values.shape[1:]), texts.values.dtype)
        for i, place in enumerate(places):
            inputs[i, : lengths[place]] = texts[rows[place]]
        mask = np.arange(width) < lengths[places, None]
        given = torch.from_numpy(inputs).to(device)
        yield Padded(
            torch.from_numpy(places).to(device),
            given if given.is_floating_point() else given.long(),
            torch.from_numpy(mask.astype(np.int64)).to(device),
        )


def _cut(network: Any, layers: int) -> tuple[Any, Any]:
    """Return the network without its upper `layers`, and those alone."""
    total = int(network.config.num_hidden_layers)
    if layers > total:
        raise ConfigError(f"{KEY}: {layers} of an encoder that has {total} layers")
    lower, upper = deepcopy(network), network
    del _layers(lower, total)[total - layers :]
    del _layers(upper, total)[: total - layers]
    upper.embeddings = _Given()
    return lower, upper


def _layers(network: Any, total: int) -> Any:
    stacks = [part for part in network.modules() if isinstance(part, nn.ModuleList) and len(part) == total]
    if not stacks or not hasattr(network, "embeddings"):
        raise ConfigError(f"{KEY}: the layers of {type(network).__name__} cannot be told apart: choose 0 or {WHOLE}")
    return stacks[0]


def _uncut(encoder: Any) -> ConfigError:
    name = type(encoder[0].auto_model).__name__
    return ConfigError(f"{KEY}: {name} cannot be cut between two of its layers: choose 0 or {WHOLE}")
