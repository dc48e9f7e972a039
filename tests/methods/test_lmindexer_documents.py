"""LMIndexer's documents against the tokenizer, one text at a time."""

from __future__ import annotations

import pytest
import torch
from lmindexer_parts import EMPTY, LONG, TEXTS, TOKENIZER

from benchmark.errors import ConfigError
from benchmark.methods.lmindexer.config import LMIndexerConfig
from benchmark.methods.lmindexer.documents import Documents


def test_a_document_is_the_tokenizers_row_cut_and_padded() -> None:
    documents = Documents.tokenize(TOKENIZER, TEXTS, LMIndexerConfig(max_length=12))
    rows = [3, EMPTY, LONG, 3]
    batch = documents.batch(torch.tensor(rows), torch.zeros(4, 0, dtype=torch.long), 4)
    assert batch.ids.shape == (4, 12)
    for row, document in enumerate(rows):
        text = TOKENIZER(TEXTS[document], add_special_tokens=False)["input_ids"][:11]
        expected = [*text, TOKENIZER.eos_token_id]
        assert batch.ids[row].tolist() == expected + [TOKENIZER.pad_token_id] * (12 - len(expected))
        assert batch.mask[row].tolist() == [1] * len(expected) + [0] * (12 - len(expected))
        assert batch.real[row].tolist() == [True] * len(text) + [False] * (12 - len(text))


@pytest.mark.parametrize(("above", "below"), [(0.0, 1.0), (0.2, 0.5), (0.5, 1.0)])
def test_tokens_in_too_few_or_too_many_texts_are_hints_but_not_scored(above: float, below: float) -> None:
    documents = Documents.tokenize(TOKENIZER, TEXTS, LMIndexerConfig(scored_above=above, scored_below=below))
    tokens = [TOKENIZER(text, add_special_tokens=False)["input_ids"] for text in TEXTS]
    batch = documents.batch(torch.arange(len(TEXTS)), torch.zeros(len(TEXTS), 0, dtype=torch.long), len(TEXTS))
    for row, text in enumerate(tokens):
        shares = [sum(token in other for other in tokens) / len(TEXTS) for token in text]
        assert batch.scored[row, : len(text)].tolist() == [above <= share <= below for share in shares]
        assert not batch.scored[row, len(text) :].any()
        assert batch.real[row].sum() == len(text)


def test_a_text_that_repeats_a_token_need_not_be_asked_for_it() -> None:
    """It stays a hint; the end token and padding never were asked for."""
    documents = Documents.tokenize(TOKENIZER, TEXTS, LMIndexerConfig(score_repeated=False))
    batch = documents.batch(torch.tensor([0, EMPTY, LONG]), torch.zeros(3, 0, dtype=torch.long), 3)
    repeats = []
    for row, document in enumerate([0, EMPTY, LONG]):
        text = TOKENIZER(TEXTS[document], add_special_tokens=False)["input_ids"]
        repeats.append(len(text) - len(set(text)))
        assert batch.scored[row, : len(text)].tolist() == [text.count(token) == 1 for token in text]
        assert not batch.scored[row, len(text) :].any()
        assert batch.real[row].sum() == len(text)
    assert max(repeats) > 6


@pytest.mark.parametrize(("texts", "key"), [(["", ""], "text fields"), (["one", "two"], "scored_below")])
def test_texts_without_a_token_to_learn_from_are_refused(texts: list[str], key: str) -> None:
    with pytest.raises(ConfigError, match=key):
        Documents.tokenize(TOKENIZER, texts, LMIndexerConfig(scored_below=0.0))
