"""What the T5 reads, against the tokenizer applied to the whole text."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.generative.inputs import IdHistories, TextHistories, labels
from benchmark.generative.t5 import ScratchConfig, train_tokenizer
from benchmark.generative.tokens import pad, tokenize

TEXTS = [
    "title: Red Lamp, brand: Acme",
    "title: O.P.I Nail Lacquer 0.5 oz., brand: OPI",
    "title: Ünïcode ☃ brush!",
    "title: soap",
]
TOKENIZER = train_tokenizer(ScratchConfig(vocabulary_size=400), TEXTS)


@given(st.lists(st.integers(0, len(TEXTS) - 1), min_size=1, max_size=6), st.integers(4, 80))
def test_a_history_reads_as_its_joined_text_newest_first(history: list[int], max_source: int) -> None:
    """Item by item equals tokenising the whole: '. '-joined, newest first, cut on the right with room for </s>."""
    encoder = TextHistories(TOKENIZER, TEXTS, max_source)
    whole = ". ".join(TEXTS[item] for item in reversed(history))
    expected = TOKENIZER(whole, truncation=True, max_length=max_source)["input_ids"]
    found = encoder.source(np.asarray(history, np.int32))
    ids, mask = pad([found], TOKENIZER.eos_token_id)
    assert ids[0].tolist() == expected and mask[0].tolist() == [1] * len(expected)


def test_an_empty_history_is_only_the_end_of_sequence() -> None:
    source = TextHistories(TOKENIZER, TEXTS, 16).source(np.empty(0, np.int32))
    assert pad([source], 1)[0].tolist() == [[1]]


def test_id_histories_are_oldest_first_and_keep_the_newest() -> None:
    tokens = np.array([[10, 11, 12], [20, 21, -1]], np.int32)
    source = IdHistories(tokens, max_source=6).source(np.array([0, 1], np.int32))
    assert source.tolist() == [10, 11, 12, 20, 21]


def test_labels_end_with_eos_and_ignore_padding() -> None:
    tokens = np.array([[10, 11, 12], [20, 21, -1]], np.int32)
    assert labels(tokens, np.array([1, 0]), eos=1).tolist() == [[20, 21, 1, -100], [10, 11, 12, 1]]


def test_padding_masks_what_it_adds() -> None:
    ids, mask = pad([np.array([5, 6], np.int32), np.array([7], np.int32)], eos=1)
    assert ids.tolist() == [[5, 6, 1], [7, 1, 0]] and mask.tolist() == [[1, 1, 1], [1, 1, 0]]


@pytest.mark.parametrize("text", ["", "😀", "日本語", "a" * 300])
def test_no_text_is_unknown_to_the_scratch_tokenizer(text: str) -> None:
    tokens = tokenize(TOKENIZER, [text], 10_000)[0]
    assert TOKENIZER.unk_token_id not in tokens.tolist()
    assert TOKENIZER.decode(tokens).strip() == text.strip()
