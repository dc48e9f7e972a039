"""Encoders against transformers used by hand, on the packaged MiniLM."""

import json
import shutil
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmark.config import EncoderConfig
from benchmark.errors import BenchmarkError, ConfigError
from benchmark.generative.tokens import tokenize
from benchmark.learning import encoders
from benchmark.learning.encoders import PACKAGED, embed, load, resolve
from benchmark.learning.static_encoder import word_tokenizer
from benchmark.types.method import Context

TEXTS = ["title: red lamp", "title: a much longer description of a soft green hair brush, brand: Acme", "soap", ""]
SPEC = find_spec(PACKAGED)
MODEL = Path(str(SPEC.origin)).parent / "model" if SPEC else Path("missing")


def context(folder: Path) -> Context:
    return Context(seed=0, work=folder)


def by_hand(pooling: str) -> np.ndarray:
    """Embed with transformers alone."""
    from transformers import AutoModel, AutoTokenizer

    model, tokenizer = AutoModel.from_pretrained(MODEL).eval(), AutoTokenizer.from_pretrained(MODEL)
    rows = []
    for text in TEXTS:
        batch = tokenizer([text], return_tensors="pt")
        with torch.inference_mode():
            hidden = model(**batch).last_hidden_state[0]
        rows.append(hidden[0] if pooling == "cls" else hidden.mean(0))
    return torch.stack(rows).numpy()


@pytest.mark.parametrize("pooling", ["default", "mean", "cls"])
def test_embeddings_are_those_of_transformers(tmp_path: Path, pooling: str) -> None:
    config = EncoderConfig(name=str(MODEL), pooling=pooling, normalize=False)
    found = embed(TEXTS, config, context(tmp_path))
    expected = by_hand(pooling)
    if pooling == "default":  # the packaged model ends with a normalisation of its own
        expected = expected / np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_the_default_encoder_is_the_packaged_one_and_gives_unit_vectors(tmp_path: Path) -> None:
    assert resolve("default") == "packaged:all-MiniLM-L6-v2" and resolve("x/y") == "x/y"
    found = embed(TEXTS, EncoderConfig(), context(tmp_path))
    assert found.dtype == np.float32 and found.shape == (4, 384)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("normalize", [False, True])
def test_the_static_encoder_is_the_mean_of_the_rows_of_a_texts_tokens(tmp_path: Path, normalize: bool) -> None:
    """Word pieces of vocab.txt by hand, their rows of model.safetensors, and nothing of the network's layers."""
    from safetensors.numpy import load_file

    rows = load_file(MODEL / "model.safetensors")["embeddings.word_embeddings.weight"]
    number = {word: row for row, word in enumerate((MODEL / "vocab.txt").read_text("utf-8").split("\n"))}
    pieces = {
        "Red lamp": ["red", "lamp"],
        "red": ["red"],
        "unhappier lamps.": ["un", "##ha", "##pp", "##ier", "lamps", "."],
    }
    expected = np.stack([rows[[number[piece] for piece in words]].mean(0) for words in pieces.values()])
    if normalize:
        expected = expected / np.linalg.norm(expected, axis=1, keepdims=True)
    config = EncoderConfig(name="static", normalize=normalize)
    np.testing.assert_allclose(embed(list(pieces), config, context(tmp_path)), expected, atol=1e-6)


def test_the_static_encoder_reads_no_more_tokens_than_it_may_and_takes_a_text_without_any(tmp_path: Path) -> None:
    config = EncoderConfig(name="static", max_length=2)
    long, short, empty = embed(["red lamp of glass", "red lamp", ""], config, context(tmp_path))
    np.testing.assert_array_equal(long, short)
    assert not empty.any()


@pytest.mark.parametrize(("key", "value"), [("pooling", "cls"), ("simcse_epochs", 1)])
def test_the_static_encoder_refuses_what_needs_layers(tmp_path: Path, key: str, value: object) -> None:
    with pytest.raises(ConfigError, match=rf"encoder\.{key}: .*static"):
        embed(TEXTS, EncoderConfig(name="static", **{key: value}), context(tmp_path))


def test_equal_texts_have_equal_vectors_wherever_they_stand(tmp_path: Path) -> None:
    texts = [*TEXTS, "soap", "another", TEXTS[0]]
    found = embed(texts, EncoderConfig(), context(tmp_path))
    np.testing.assert_array_equal(found[[4, 6]], found[[2, 0]])
    np.testing.assert_allclose(found[:4], embed(TEXTS, EncoderConfig(), context(tmp_path)), atol=1e-5)


def test_simcse_pulls_the_texts_apart(tmp_path: Path, small_encoder_folder: Path) -> None:
    """In-batch negatives push different texts away from each other; the same seed gives the same vectors."""
    things = ("lamp", "soap", "brush")
    texts = [f"title: {kind} {thing}" for kind in ("red", "blue", "soft", "hard") for thing in things]
    plain = EncoderConfig(name=str(small_encoder_folder))
    trained = plain.model_copy(update={"simcse_epochs": 10, "simcse_batch": 12, "simcse_learning_rate": 1e-3})
    before = embed(texts, plain, context(tmp_path))
    after = [embed(texts, trained, context(tmp_path)) for _ in range(2)]
    np.testing.assert_array_equal(*after)
    different = ~np.eye(len(texts), dtype=bool)
    assert (after[0] @ after[0].T)[different].mean() < (before @ before.T)[different].mean() - 0.05
    assert (tmp_path / "simcse.log.jsonl").is_file()


def test_simcse_learns_the_same_from_groups_of_similar_length(
    tmp_path: Path, small_encoder_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without dropout the loss over groups is that over one padded batch."""
    folder = shutil.copytree(small_encoder_folder, tmp_path / "encoder")
    (config,) = (path for path in folder.rglob("config.json") if "hidden_dropout_prob" in path.read_text())
    settings = json.loads(config.read_text()) | {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    config.write_text(json.dumps(settings))
    texts = [" ".join([word] * n) for word in ("lamp", "soap") for n in (1, 2, 3, 5, 9, 14)]
    trained = EncoderConfig(name=str(folder), simcse_epochs=4, simcse_batch=6, simcse_learning_rate=1e-3)
    in_groups = embed(texts, trained, context(tmp_path))
    monkeypatch.setattr(encoders, "SPREAD", 1e9)
    np.testing.assert_allclose(in_groups, embed(texts, trained, context(tmp_path)), atol=1e-4)
    assert np.abs(in_groups - embed(texts, EncoderConfig(name=str(folder)), context(tmp_path))).max() > 0.01


def test_groups_hold_texts_of_similar_length() -> None:
    lengths = [9, 2, 3, 30, 4, 13, 14, 1]
    groups = encoders.length_groups([[0] * length for length in lengths])
    assert [[len(text) for text in group] for group in groups] == [[1], [2, 3], [4], [9, 13], [14], [30]]


def test_an_unknown_pooling_or_model_is_one_message(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"encoder\.pooling: 'max' is none of default, mean, cls"):
        embed(TEXTS, EncoderConfig(name=str(MODEL), pooling="max"), context(tmp_path))
    with pytest.raises(BenchmarkError, match="the encoder 'no/such' cannot be loaded"):
        embed(TEXTS, EncoderConfig(name="no/such"), context(tmp_path))


def test_words_of_the_static_encoder_are_those_of_the_packaged_one() -> None:
    """The reader `sentence` reads word pieces too; asking for few of them changes nothing of the encoder."""
    static, packaged = (load(EncoderConfig(name=name), "cpu") for name in ("static", "default"))
    before = static.encode(TEXTS)
    found, expected = (tokenize(word_tokenizer(model), TEXTS, 3) for model in (static, packaged))
    np.testing.assert_array_equal(found.values, expected.values)
    np.testing.assert_array_equal(static.encode(TEXTS), before)
