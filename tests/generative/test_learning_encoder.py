"""A sentence encoder that learns with the reader: before a step it is the encoder as published, afterwards its own."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from conftest import save_bert, save_encoder
from safetensors.torch import load_file, save_file
from sentence_transformers import SentenceTransformer
from torch import Tensor

from benchmark.config import EncoderConfig
from benchmark.errors import ConfigError
from benchmark.generative import learning_encoder
from benchmark.generative.config import SentenceConfig
from benchmark.generative.learning_encoder import (
    LearningEncoder,
    Padded,
    TokenStates,
    sentence_batches,
    sentence_tokens,
)
from benchmark.generative.reading import Texts, text_batch
from benchmark.generative.sentence_reader import SentenceReader
from benchmark.generative.tokens import Ragged
from benchmark.learning.encoders import encode, load

TEXTS = ["red", "bath body pearls flakes", "", "title: a lamp of red glass for the table, brand: Lamps & Co"] * 30
ALL = np.arange(len(TEXTS))
WIDTH = 32


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> SentenceTransformer:
    """Six layers like those of the packaged encoder, narrower."""
    bert = save_bert(tmp_path_factory.mktemp("bert"), layers=6)
    folder = save_encoder(bert, tmp_path_factory.mktemp("encoder"))
    found: SentenceTransformer = load(EncoderConfig(name=str(folder)), "cpu")
    return found


def vectors_of(learning: LearningEncoder, inputs: Ragged | TokenStates, rows: Any = ALL) -> Tensor:
    with torch.no_grad():
        vectors: Tensor = learning.eval()(sentence_batches(inputs, np.asarray(rows), "cpu"))
    return vectors


@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize("layers", [1, 4, 6, -1])
def test_before_training_the_vectors_are_those_of_sentence_transformers(
    encoder: Any, layers: int, normalize: bool
) -> None:
    learning = LearningEncoder(encoder, layers, normalize)
    tokens = sentence_tokens(encoder, TEXTS)
    expected = torch.from_numpy(encode(encoder, TEXTS, normalize=normalize))
    kept = learning.kept(tokens, "cpu")
    assert isinstance(kept, TokenStates) == (layers != -1)
    for inputs in (tokens, kept):
        torch.testing.assert_close(vectors_of(learning, inputs), expected, atol=1e-5, rtol=1e-4)


def test_states_too_large_to_keep_are_computed_anew(encoder: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learning_encoder, "KEPT_BYTES", 1000)
    tokens = sentence_tokens(encoder, TEXTS)
    assert LearningEncoder(encoder, 1, True).kept(tokens, "cpu") is tokens


@pytest.mark.parametrize("layers", [2, -1])
def test_what_stands_in_the_padding_changes_nothing(encoder: Any, layers: int) -> None:
    learning = LearningEncoder(encoder, layers, True).eval()
    (group,) = sentence_batches(sentence_tokens(encoder, TEXTS[:4]), np.arange(4), "cpu")
    filled = Padded(group.places, torch.where(group.mask > 0, group.inputs, 203), group.mask)
    inputs, mask = (torch.nn.functional.pad(part, (0, 5)) for part in (group.inputs, group.mask))
    longer = Padded(group.places, inputs, mask)
    assert (filled.inputs != group.inputs).any()
    with torch.no_grad():
        expected = learning([group])
        for other in (filled, longer):
            torch.testing.assert_close(learning([other]), expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("layers", [2, -1])
def test_other_texts_of_a_batch_and_their_order_change_nothing(encoder: Any, layers: int) -> None:
    learning = LearningEncoder(encoder, layers, True)
    inputs = learning.kept(sentence_tokens(encoder, TEXTS), "cpu")
    expected = vectors_of(learning, inputs)
    for rows in ([3], [0, 3, 1], [3, 3, 2, 1, 0], [*range(119, -1, -1)]):
        torch.testing.assert_close(vectors_of(learning, inputs, rows), expected[rows], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("layers", [1, -1])
def test_a_step_changes_what_learns_alone_and_the_saved_weights_bring_it_back(
    encoder: Any, layers: int, tmp_path: Path
) -> None:
    published = {name: value.clone() for name, value in encoder.state_dict().items()}
    tokens = sentence_tokens(encoder, TEXTS)
    learning = LearningEncoder(encoder, layers, True)
    reader = SentenceReader(1, WIDTH, SentenceConfig(inputs="vector", learning_layers=layers), 8, learning)
    before = vectors_of(learning, tokens)
    optimizer = torch.optim.SGD(reader.parameters(), 1.0)
    reader.train()
    batch = text_batch(Texts(None, Ragged.from_rows([[]] * len(TEXTS)), tokens), ALL, torch.device("cpu"))
    reader(batch)[:, 0].sum().backward()
    assert all(weight.grad is not None for weight in reader.parameters())
    optimizer.step()
    after = vectors_of(learning, tokens)
    assert (after - before).abs().max() > 1e-3
    assert all(torch.equal(value, published[name]) for name, value in encoder.state_dict().items())
    save_file(reader.state_dict(), tmp_path / "reader.safetensors")
    names = [name for name in load_file(tmp_path / "reader.safetensors") if name.startswith("encoder.")]
    assert any("word_embeddings" in name for name in names) == (layers == -1)
    again = LearningEncoder(encoder, layers, True)
    assert torch.equal(vectors_of(again, tokens), before)
    other = SentenceReader(1, WIDTH, reader.config, 8, again)
    other.load_state_dict(load_file(tmp_path / "reader.safetensors"))
    assert torch.equal(vectors_of(again, tokens), after)


def test_more_layers_than_there_are_is_an_error(encoder: Any) -> None:
    with pytest.raises(ConfigError, match=r"sentence\.learning_layers: 7 of an encoder that has 6 layers"):
        LearningEncoder(encoder, 7, True)


def test_an_encoder_without_layers_is_an_error() -> None:
    with pytest.raises(ConfigError, match=r"sentence\.learning_layers: the encoder 'static' has no layers"):
        LearningEncoder(load(EncoderConfig(name="static"), "cpu"), 1, True)


def test_an_encoder_that_cannot_be_cut_is_an_error(encoder: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cut is checked on two texts: here the upper part would lose a layer."""
    cut = learning_encoder._cut

    def wrong(network: Any, layers: int) -> Any:
        lower, upper = cut(network, layers)
        del upper.encoder.layer[0]
        return lower, upper

    monkeypatch.setattr(learning_encoder, "_cut", wrong)
    with pytest.raises(ConfigError, match="BertModel cannot be cut between two of its layers: choose 0 or -1"):
        LearningEncoder(encoder, 2, True)
