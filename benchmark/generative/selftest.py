"""The parts of the self-test that generate semantic IDs: readers, decoder, scorers, beam search, and the T5."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from benchmark.generative.beam import beam_search
from benchmark.generative.bench_decode import hugging_face, random_codes, random_t5
from benchmark.generative.bench_generative import Data, made_up
from benchmark.generative.config import GenerativeConfig
from benchmark.generative.exact import exact_scores
from benchmark.generative.generator import Generator, items_generator, sentence_generator
from benchmark.generative.reading import HistoryExamples, QueryExamples, Texts
from benchmark.generative.scoring import Scorer
from benchmark.generative.tokens import Ragged
from benchmark.generative.trie import Trie
from benchmark.generative.trie_logits import TrieLogitsProcessor
from benchmark.generative.vocabulary import CodeVocabulary
from benchmark.learning.selftest import BFLOAT16, Outcome, Part, training_step

ITEMS, USERS, TEXTS, QUERIES, WORDS, LENGTH = 2_000, 128, 256, 16, 500, 12
EXACT_ITEMS = 300  # each item is scored for each query
NEAR = 0.02  # share of a beam's ranks where a near tie may fall the other way


def parts() -> list[Part]:
    """Return training steps, then beam search against the CPU's, then exact scoring."""
    data, config = made_up(ITEMS, USERS, 20, seed=0), GenerativeConfig()
    items, reads = partial(items_generator, data.codes, None, config, 0), partial(_history_loss, data, config)
    sentence = partial(_sentence, data, config)
    low = training_step(items, reads, precision="bf16")
    return [
        Part("reader items, step", training_step(items, reads), USERS, "histories"),
        Part("reader items, step, bfloat16", low, USERS, "histories", BFLOAT16),
        Part("reader sentence, step", training_step(sentence, _query_loss), TEXTS, "texts"),
        Part("T5, step", training_step(_t5, _t5_loss), QUERIES, "texts"),
        *(
            Part(f"beam search, {scorer} scorer", partial(_beam, scorer), QUERIES, "queries", NEAR)
            for scorer in ("full", "codes")
        ),
        Part("Hugging Face generate under a trie", _generate, QUERIES, "queries", NEAR),
        Part("exact scores", _exact, QUERIES, "queries"),
    ]  # fmt: skip


def _history_loss(data: Data, config: GenerativeConfig, network: nn.Module, device: str) -> Tensor:
    examples = HistoryExamples(data.histories, ITEMS, config.items)
    loss: Tensor = network(examples.batch(np.arange(len(examples)), torch.device(device)))
    return loss


def _sentence(data: Data, config: GenerativeConfig) -> Generator:
    words = config.sentence.model_copy(update={"inputs": "words"})
    return sentence_generator(data.codes, WORDS, 0, config.model_copy(update={"sentence": words}), 0)


def _query_loss(network: nn.Module, device: str) -> Tensor:
    random = np.random.default_rng(0)
    pieces = Ragged.from_rows(list(random.integers(0, WORDS, (TEXTS, 8)).astype(np.int32)))
    examples = QueryExamples(Texts(None, pieces), np.arange(TEXTS), random.integers(0, ITEMS, TEXTS), 0.0)
    loss: Tensor = network(examples.batch(np.arange(TEXTS), torch.device(device)))
    return loss


def _t5() -> nn.Module:
    model: nn.Module = random_t5(WORDS, 64, 2, seed=0)
    return model


def _t5_loss(network: nn.Module, device: str) -> Tensor:
    ids = _sources().to(device)
    loss: Tensor = network(input_ids=ids, attention_mask=torch.ones_like(ids), labels=ids[:, :4].contiguous()).loss
    return loss


def _sources() -> Tensor:
    return torch.from_numpy(np.random.default_rng(0).integers(2, WORDS, (QUERIES, LENGTH)))


def _decoding(device: str, items: int = ITEMS) -> tuple[Any, Tensor, Trie, CodeVocabulary]:
    codes = random_codes(items, seed=0)
    vocabulary = CodeVocabulary(codes.sizes, first=WORDS)
    model = random_t5(WORDS + vocabulary.size, 64, 2, seed=0).to(device)
    return model, _sources().to(device), Trie.build(vocabulary.encode(codes), eos=1), vocabulary


def _beam(scorer: Scorer, device: str) -> Callable[[], Outcome]:
    model, ids, trie, vocabulary = _decoding(device)

    def search() -> Outcome:
        found = beam_search(model, ids, torch.ones_like(ids), trie, vocabulary, beams=20, k=20, scorer=scorer)
        return {"items": torch.tensor(found.items)}

    return search


def _generate(device: str) -> Callable[[], Outcome]:
    model, ids, trie, _ = _decoding(device)
    constraint = [TrieLogitsProcessor(trie)]

    def search() -> Outcome:
        found = hugging_face(model, ids, torch.ones_like(ids), trie, 20, logits_processor=constraint)
        return {"items": torch.tensor(found.items)}

    return search


def _exact(device: str) -> Callable[[], Outcome]:
    model, ids, trie, vocabulary = _decoding(device, EXACT_ITEMS)
    return lambda: {"scores": torch.from_numpy(exact_scores(model, ids, torch.ones_like(ids), trie, vocabulary))}
