"""Constrained beam search by the number of items: milliseconds a query over all IDs, and over 12,000 of them.

An ID decoder with random weights ranks random states, as the readers `items` and `sentence` give them. Both catalogues
are searched in turn, batch by batch, so that a busy machine slows them alike; the ratio is the median of the turns.
Both have the same model, whose vocabulary is that of all items.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass

import numpy as np
import torch

from benchmark.generative.beam import beam_search
from benchmark.generative.config import DecoderConfig
from benchmark.generative.id_decoder import EOS, IdDecoder
from benchmark.generative.trie import Trie
from benchmark.generative.vocabulary import CodeVocabulary
from benchmark.types.codes import Codes

FEW = 12_000  # items: about Amazon Beauty's
BEAMS, BATCH, TURNS = 20, 32, 5


@dataclass(frozen=True)
class BeamTimes:
    """Processor milliseconds a query, and how many times those of the small catalogue that is."""

    milliseconds: float
    of_few: float


def measure(codes: Codes, *, few: int = FEW, seed: int = 0) -> BeamTimes:
    """Search all items' IDs (with the dedup counter) and those of `few` random ones."""
    some = np.sort(np.random.default_rng(seed).permutation(len(codes))[:few])
    catalogues = [codes, Codes(codes.values[some], codes.sizes)]
    vocabulary = CodeVocabulary(codes.sizes, first=1)
    tries = [Trie.build(vocabulary.encode(each), eos=EOS) for each in catalogues]
    torch.manual_seed(seed)
    config = DecoderConfig()
    model = IdDecoder(1 + vocabulary.size, codes.length + 1, config).eval()
    mask = torch.ones((BATCH, 1), dtype=torch.long)
    seconds: list[list[float]] = [[], []]
    for turn in range(TURNS + 1):
        states = torch.randn(BATCH, 1, config.width)
        for times, trie in zip(seconds, tries, strict=True):
            started = time.process_time()
            beam_search(model, None, mask, trie, vocabulary, beams=BEAMS, k=BEAMS, scorer="codes", encoded=states)
            if turn:  # the first one copies the trie to the device
                times.append(time.process_time() - started)
    ratio = statistics.median(many / one for many, one in zip(*seconds, strict=True))
    return BeamTimes(1000 * statistics.median(seconds[0]) / BATCH, ratio)
