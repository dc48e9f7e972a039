"""The reader `sentence`: a state is the sum that its module states, from the words that are there."""

from collections.abc import Sequence
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from benchmark.generative.config import SentenceConfig
from benchmark.generative.reader_tasks import Preparing
from benchmark.generative.reading import QueryExamples, QueryStates, Texts, text_batch
from benchmark.generative.sentence_reader import SentenceReader
from benchmark.generative.tokens import Ragged

WORDS = [[3, 1, 1], [7], [], [0, 2, 4, 6, 8], [9, 9]]
VECTORS = np.random.default_rng(0).normal(size=(5, 6)).astype(np.float32)
TEXTS = Texts(VECTORS, Ragged.from_rows(WORDS))
KINDS = ("vector", "words", "both")
CPU = torch.device("cpu")


def reader_of(inputs: str, vector_scale: float = 10) -> SentenceReader:
    torch.manual_seed(0)
    reader = SentenceReader(10, 6, SentenceConfig(inputs=inputs, vector_scale=vector_scale), width=8)
    with torch.no_grad():
        for parameter in reader.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.3)
    return reader


def by_hand(reader: SentenceReader, inputs: str, row: int) -> Tensor:
    """LN( W a v + 1 / sqrt(n) sum_i e[w_i] )"""
    total = torch.zeros(8)
    if inputs != "words":
        vector = torch.from_numpy(VECTORS[row]) * reader.config.vector_scale
        total = total + reader.vector.weight @ vector + reader.vector.bias
    if inputs != "vector":
        for word in WORDS[row]:
            total = total + reader.words.weight[word] / len(WORDS[row]) ** 0.5
    centred = total - total.mean()
    return centred / (centred.pow(2).mean() + 1e-5).sqrt() * reader.norm.weight + reader.norm.bias


@torch.no_grad()
@pytest.mark.parametrize("scale", [0.5, 10])
@pytest.mark.parametrize("inputs", KINDS)
def test_states_are_the_sum_of_the_parts_that_are_read(inputs: str, scale: float) -> None:
    reader = reader_of(inputs, scale)
    found = reader(text_batch(TEXTS, np.arange(5), CPU))
    expected = torch.stack([by_hand(reader, inputs, row) for row in range(5)])
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("inputs", KINDS)
def test_the_order_of_a_batch_does_not_matter(inputs: str) -> None:
    reader = reader_of(inputs)
    forward = reader(text_batch(TEXTS, np.arange(5), CPU))
    for order in ([4, 2, 0, 3, 1], [2, 1], [2], [0, 0, 4]):
        torch.testing.assert_close(reader(text_batch(TEXTS, np.array(order), CPU)), forward[order])


@torch.no_grad()
@pytest.mark.parametrize("inputs", KINDS)
def test_a_batch_of_texts_without_words_has_finite_states(inputs: str) -> None:
    empty = Texts(VECTORS, Ragged.from_rows([[]] * 5))
    assert reader_of(inputs)(text_batch(empty, np.arange(5), CPU)).isfinite().all()


@torch.no_grad()
def test_states_to_rank_from_are_those_of_training_without_word_dropout() -> None:
    reader = reader_of("both")
    numbers = {str(row): row for row in range(5)}

    def prepare(names: Sequence[str]) -> Texts:
        rows = [numbers[name] for name in names]
        return Texts(VECTORS[rows], Ragged.from_rows([WORDS[row] for row in rows]))

    states, mask = QueryStates(reader, list(numbers), prepare).states(np.array([3, 0]))
    examples = QueryExamples(TEXTS, np.arange(5), np.arange(5) + 20, 0.0)
    learned, items = reader.learned(examples.batch(np.array([3, 0]), CPU))
    torch.testing.assert_close(states[:, 0], learned)
    assert items.tolist() == [23, 20] and mask.tolist() == [[True], [True]]


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_word_dropout_leaves_out_about_its_share_of_long_texts(share: float) -> None:
    torch.manual_seed(0)
    rows = [np.arange(200) for _ in range(100)]
    batch = text_batch(Texts(None, Ragged.from_rows(rows)), np.arange(100), CPU, share)
    deviation = (share * (1 - share) / 20_000) ** 0.5
    assert 1 - len(batch.words) / 20_000 == pytest.approx(share, abs=4 * deviation)
    assert batch.vectors is None


def test_word_dropout_keeps_the_order_and_all_words_of_a_text_that_would_lose_every_one() -> None:
    torch.manual_seed(1)
    rows = [[word, word + 1, word + 2] for word in range(0, 3000, 3)] + [[]]
    batch = text_batch(Texts(None, Ragged.from_rows(rows)), np.arange(len(rows)), CPU, 0.8)
    ends = [*batch.offsets.tolist()[1:], len(batch.words)]
    lengths = np.zeros(4, int)
    for row, start, end in zip(rows, batch.offsets.tolist(), ends, strict=True):
        kept = batch.words[start:end].tolist()
        assert kept == [word for word in row if word in kept] and (kept or not row)
        lengths[len(kept)] += 1
    assert lengths[0] == 1  # the text that had no word
    for kept, chance in ((1, 3 * 0.2 * 0.8**2), (2, 3 * 0.2**2 * 0.8), (3, 0.2**3 + 0.8**3)):
        assert lengths[kept] / 1000 == pytest.approx(chance, abs=0.06)


def test_word_dropout_follows_the_seed() -> None:
    def words(seed: int) -> list[int]:
        torch.manual_seed(seed)
        kept: list[int] = text_batch(TEXTS, np.array([3] * 9), CPU, 0.5).words.tolist()
        return kept

    assert words(1) == words(1) != words(2)


def preparing_of(known: list[str] | None = None) -> Preparing:
    pieces = {word: number for number, word in enumerate(["[UNK]", "red", "blue", "lamp", "soap"])}
    words = Tokenizer(models.WordLevel(pieces, unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, unk_token="[UNK]")
    config = SentenceConfig(inputs="words", max_words=3)
    preparing = Preparing(SimpleNamespace(tokenizer=tokenizer), config)
    return preparing if known is None else preparing.knowing(np.sort([pieces[word] for word in known]))


def test_words_that_training_has_not_seen_are_left_out_and_the_others_numbered_anew() -> None:
    texts = ["red lamp", "soap blue soap", "", "nothing known", "blue", "red red red red"]
    all_words = preparing_of().words(texts)
    assert [row.tolist() for row in map(all_words.__getitem__, range(6))] == [
        [1, 3], [4, 2, 4], [], [0, 0], [2], [1, 1, 1],
    ]  # fmt: skip
    known = preparing_of(["lamp", "blue"])(texts)
    assert [known.words[row].tolist() for row in range(6)] == [[1], [0], [], [], [0], []]
    assert known.vectors is None and len(known) == 6


@torch.no_grad()
def test_a_query_of_unknown_words_alone_has_a_finite_state() -> None:
    reader = SentenceReader(2, 6, SentenceConfig(inputs="words"), width=8)
    states, _ = QueryStates(reader, ["soap", "lamp", "red red"], preparing_of(["lamp", "blue"])).states(np.arange(3))
    assert states.isfinite().all() and torch.equal(states[0], states[2]) and not torch.equal(states[0], states[1])
