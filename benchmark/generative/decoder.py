"""What beam search and exact scoring ask of an ID decoder: one incremental step over many beams per query.

Two have it: the T5 decoder (`t5_decoder`), behind the readers `text` and `ids`, and the suite's own (`id_decoder`).

Shapes: B queries, R beams, S states per query, D width, V tokens.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import torch
from torch import Tensor

from benchmark.generative.id_decoder import IdDecoder
from benchmark.generative.t5_decoder import T5Decoder


class Past(Protocol):
    """What a decoder keeps of the tokens so far."""

    @property
    def rows(self) -> int:
        """Beams of all queries."""
        ...


class Decoder(Protocol):
    """Decodes IDs from a reader's states."""

    start_token: int

    @property
    def head(self) -> Tensor:
        """Weights of the output [V, D]."""
        ...

    def source(self, encoded: Tensor, attention_mask: Tensor) -> Any:
        """Return what the steps read of states [B, S, D]; attention_mask [B, S] says which are real."""
        ...

    def step(self, tokens: Tensor, source: Any, past: Any = None, parents: Tensor | None = None) -> tuple[Tensor, Any]:
        """Read one more token per beam: tokens [B, R] -> hidden states for the head [B, R, D], and the new past.

        parents [B * R] are rows of the past, the beam that each beam continues (None: the same row).
        """
        ...


def decoder_of(model: Any) -> Decoder:
    """Return the decoder of a T5ForConditionalGeneration, or an ID decoder itself."""
    return model if isinstance(model, IdDecoder) else T5Decoder(model)


@contextmanager
def evaluating(model: Any) -> Iterator[None]:
    """Turn dropout and gradients off, and put the model back into the mode it was in."""
    training = model.training
    model.eval()
    try:
        with torch.inference_mode():
            yield
    finally:
        model.train(training)
