"""The time of the constraint itself: what `generate` hands to a logits processor, handed to two of them in turn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from benchmark.generative.trie_logits import TrieLogitsProcessor


class _Recorder:
    """Constrains like a processor, and keeps what it was asked."""

    def __init__(self, processor: TrieLogitsProcessor) -> None:
        self.processor = processor
        self.asked: list[Tensor] = []
        self.scores = torch.empty(0)

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        self.asked.append(input_ids.clone())
        self.scores = scores.clone()
        return self.processor(input_ids, scores)


def constraint_seconds(
    generate: Callable[..., Any],
    prefix_function: Callable[[int, Tensor], list[int]],
    processor: TrieLogitsProcessor,
    *,
    beams: int,
    rounds: int,
    clock: Callable[[], float],
) -> dict[str, list[float]]:
    """Return the seconds per step of every round: `function` as transformers applies it, and `processor`.

    The rows of each step are those of one constrained decode; the scores are those of its last step, as the time does
    not depend on them.
    """
    from transformers.generation.logits_process import PrefixConstrainedLogitsProcessor

    recorder = _Recorder(processor)
    generate(logits_processor=[recorder])
    ways = {"function": PrefixConstrainedLogitsProcessor(prefix_function, beams), "processor": processor}
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for round_ in range(rounds + 1):
        for name, way in ways.items():
            started = clock()
            for input_ids in recorder.asked:
                way(input_ids, recorder.scores)
            if round_:  # the first one warms up
                seconds[name].append((clock() - started) / len(recorder.asked))
    return seconds
