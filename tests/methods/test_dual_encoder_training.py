"""Fine-tuning a tiny random BERT: what it learns, that a kill changes nothing, and what odd data do."""

import json
import os
from pathlib import Path

import commands
import numpy as np
import pyarrow as pa
import pytest

from benchmark.conformance import small_corpus
from benchmark.errors import BenchmarkError, ConfigError
from benchmark.methods.dual_encoder.config import DualEncoderConfig
from benchmark.methods.dual_encoder.retriever import DualEncoder
from benchmark.sealing import SEAL
from benchmark.types.data import Corpus, QuerySet
from benchmark.types.method import Context


@pytest.fixture
def tiny(small_bert):
    return small_bert


def config_of(tiny, **changes):
    training = {"steps": 6, "batch_size": 8, "learning_rate": 1e-3, "checkpoint_seconds": 0}
    training |= changes.pop("training", {})
    encoder = {"name": str(tiny), "pooling": "mean", "max_length": 32} | changes.pop("encoder", {})
    return DualEncoderConfig.model_validate({"encoder": encoder, "training": training, **changes})


def corpus_of(texts):
    ids = [f"d{row:02d}" for row in range(len(texts))]
    return Corpus(pa.table({"id": ids, "title": pa.array(texts, pa.string())}), fields=("title",))


def queries_for(corpus, texts=None):
    """One query per item: the item's own text unless another is given."""
    rows = np.arange(len(corpus), dtype=np.int32)
    texts = corpus.texts() if texts is None else texts
    return QuerySet("made-up", [f"q{row}" for row in rows], texts, rows, rows, np.ones(len(rows), np.int32))


def fitted(config, corpus, work, queries=None, progress=None):
    context = Context(seed=0, work=work) if progress is None else Context(seed=0, work=work, progress=progress)
    method = DualEncoder(config)
    method.fit(corpus, queries, context)
    return method, context


@pytest.mark.parametrize("normalize", [True, False])
def test_zero_shot_rankings_are_the_inner_products_of_the_encoder_used_by_hand(tiny, tmp_path, normalize):
    import torch
    from transformers import AutoModel, AutoTokenizer

    model, tokenizer = AutoModel.from_pretrained(tiny).eval(), AutoTokenizer.from_pretrained(tiny)

    def by_hand(texts):
        rows = []
        for text in texts:
            batch = tokenizer([text], return_tensors="pt", truncation=True, max_length=32)
            with torch.inference_mode():
                rows.append(model(**batch).last_hidden_state[0].mean(0).numpy())
        rows = np.stack(rows)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True) if normalize else rows

    config = config_of(
        tiny, fine_tune=False, query_prefix="query: ", document_prefix="passage: ", encoder={"normalize": normalize}
    )
    corpus, asked = small_corpus(), ["red lamp", "", "brush brand1"]
    method, context = fitted(config, corpus, tmp_path)
    found = method.search(asked, 60)
    documents = by_hand([f"passage: {text}" for text in corpus.texts()])
    scores = by_hand([f"query: {text}" for text in asked]) @ documents.T
    np.testing.assert_allclose(found.scores, -np.sort(-scores, axis=1), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(np.take_along_axis(scores, found.items, 1), found.scores, rtol=1e-4, atol=1e-5)
    assert context.facts["parameters"] == sum(p.numel() for p in model.parameters())
    assert context.facts["index_bytes"] == documents.astype(np.float32).nbytes


def test_it_learns_which_words_mean_which_item(tiny, tmp_path):
    """Queries share no word with their items, so only training can tell; nearly all are found after it."""
    words = ["amber", "birch", "coral", "denim", "ember", "fjord", "grape", "hazel", "ivory", "jade", "khaki", "lemon"]
    corpus, asked = corpus_of(words), [f"{17 * row + 100}" for row in range(len(words))]
    queries = queries_for(corpus, asked)

    def reciprocal_rank(config, folder):
        method, _ = fitted(config, corpus, tmp_path / folder, queries)
        items = method.search(asked, len(words)).items
        return float(np.mean([1 / (1 + items[row].tolist().index(row)) for row in range(len(words))]))

    for folder in ("before", "after"):
        (tmp_path / folder).mkdir()
    assert reciprocal_rank(config_of(tiny, fine_tune=False), "before") < 0.5
    longer = {"steps": 60, "batch_size": 12, "learning_rate": 5e-3, "checkpoint_seconds": 60}
    assert reciprocal_rank(config_of(tiny, training=longer), "after") > 0.9
    log = [json.loads(line) for line in (tmp_path / "after" / "fine-tune.log.jsonl").read_text().splitlines()]
    assert [record["step"] for record in log][-1] == 60 and {record["stage"] for record in log} == {"fine-tune"}
    assert np.mean([record["loss"] for record in log[-10:]]) < 0.5 * np.mean([record["loss"] for record in log[:10]])


class Killed(Exception):
    pass


def killed_at(stage, step):
    """A progress bar that ends the process's work at a step of a stage."""

    def progress(iterable, title, total=None):
        for number, value in enumerate(iterable):
            if title == stage and number == step:
                raise Killed
            yield value

    return progress


@pytest.mark.parametrize("kills", [[("fine-tune", 3), ("fine-tune", 5)], [("encode", 0)]])
def test_a_killed_training_goes_on_to_the_same_weights_and_log(tiny, tmp_path, kills):
    """Dropout is on, the second kill comes to a resumed training, the last one to a finished training."""
    corpus = small_corpus()
    config = config_of(tiny, training={"steps": 8, "accumulation": 2})
    for folder in ("whole", "killed"):
        (tmp_path / folder).mkdir()
    whole, _ = fitted(config, corpus, tmp_path / "whole", queries_for(corpus))
    for stage, step in kills:
        with pytest.raises(Killed):
            fitted(config, corpus, tmp_path / "killed", queries_for(corpus), killed_at(stage, step))
    left = sorted(path.name for path in (tmp_path / "killed" / "fine-tune").glob("checkpoint-*"))
    assert len(left) == 1
    resumed, _ = fitted(config, corpus, tmp_path / "killed", queries_for(corpus))
    expected = whole.model.state_dict()
    for name, value in resumed.model.state_dict().items():
        assert (value == expected[name]).all(), name
    np.testing.assert_array_equal(whole.index.vectors, resumed.index.vectors)
    logs = [(tmp_path / folder / "fine-tune.log.jsonl").read_bytes() for folder in ("whole", "killed")]
    assert logs[0] == logs[1] and logs[0].count(b"\n") == 8


@pytest.mark.parametrize("damage", ["truncated", "of another training", "not sealed"])
def test_a_damaged_checkpoint_is_not_used(tiny, tmp_path, caplog, damage):
    corpus = small_corpus()
    config = config_of(tiny, training={"steps": 4})
    whole, _ = fitted(config, corpus, tmp_path / "whole", queries_for(corpus))
    with pytest.raises(Killed):
        fitted(config, corpus, tmp_path / "killed", queries_for(corpus), killed_at("fine-tune", 3))
    (checkpoint,) = (tmp_path / "killed" / "fine-tune").glob("checkpoint-*")
    match damage:
        case "truncated":
            (checkpoint / "optimizer.pt").write_bytes(b"")
        case "of another training":
            (tmp_path / "killed").rename(tmp_path / "mine")
        case _:
            (checkpoint / SEAL).unlink()
    work = tmp_path / ("mine" if damage == "of another training" else "killed")
    with caplog.at_level("WARNING", "benchmark"):
        again, _ = fitted(config, corpus, work, queries_for(corpus))
    np.testing.assert_array_equal(whole.index.vectors, again.index.vectors)
    assert len([message for message in caplog.messages if "damaged" in message]) == (damage != "not sealed")


def test_it_says_nothing_and_leaves_no_model_card(tiny, tmp_path, capfd):
    corpus = small_corpus()
    fitted(config_of(tiny), corpus, tmp_path, queries_for(corpus))
    printed = capfd.readouterr()
    assert printed.out == printed.err == ""
    assert not list(tmp_path.rglob("README.md"))


def _train_in_part(folder: str) -> None:
    corpus, work = small_corpus(), Path(folder)
    config = DualEncoderConfig.model_validate_json((work / "config.json").read_text())
    method, _ = fitted(config, corpus, work, queries_for(corpus))
    if os.environ["RANK"] == "0":
        np.save(work / "vectors.npy", method.index.vectors)


def test_two_processes_learn_what_one_learns(tiny, tmp_path):
    """Each has half of every batch, and all documents of the batch as negatives; no dropout, so nothing differs."""
    from transformers import AutoModel

    calm = tmp_path / "calm"
    (tmp_path / "one").mkdir()
    config_file = tmp_path / "config.json"
    for source in tiny.iterdir():
        calm.mkdir(exist_ok=True)
        (calm / source.name).write_bytes(source.read_bytes())
    settings = json.loads((calm / "config.json").read_text())
    settings |= {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    (calm / "config.json").write_text(json.dumps(settings))
    assert AutoModel.from_pretrained(calm).config.hidden_dropout_prob == 0
    config = config_of(calm)
    config_file.write_text(config.model_dump_json())
    corpus = small_corpus()
    alone, _ = fitted(config, corpus, tmp_path / "one", queries_for(corpus))
    commands.together(_train_in_part, 2, str(tmp_path))
    np.testing.assert_allclose(np.load(tmp_path / "vectors.npy"), alone.index.vectors, atol=2e-4)
    started, _ = fitted(config_of(calm, fine_tune=False), corpus, tmp_path / "one")
    assert np.abs(alone.index.vectors - started.index.vectors).max() > 0.05


ODD = ["title", "", "🙂🚀", "商品 索引 测试", "word " * 4000, "title", "title"]


@pytest.mark.parametrize("fine_tune", [True, False])
@pytest.mark.parametrize("texts", [ODD, ["only one"], ["the same"] * 5])
def test_odd_texts_are_embedded_and_copies_stand_by_id_descending(tiny, tmp_path, texts, fine_tune):
    corpus = corpus_of(texts)
    asked = [*texts, "", "unheard ☃", "x" * 20_000]
    method, _ = fitted(config_of(tiny, fine_tune=fine_tune), corpus, tmp_path, queries_for(corpus))
    found = method.search(asked, 10)
    assert found.items.shape == (len(asked), 10) and np.isfinite(found.scores).all()
    for items in found.items:
        assert sorted(items[: len(texts)].tolist()) == list(range(len(texts)))
        for text in set(texts):
            copies = [item for item in items.tolist() if item >= 0 and texts[item] == text]
            assert copies == sorted(copies, reverse=True)


def test_an_approximate_index_reports_its_measured_recall(tiny, tmp_path):
    corpus = small_corpus(200)
    config = config_of(tiny, fine_tune=False, index="ivf")
    _, context = fitted(config, corpus, tmp_path, queries_for(corpus))
    assert 0.98 <= context.facts["index_recall@100"] <= 1 and context.facts["index_effort"] >= 1


def test_wrong_use_is_explained(tiny, tmp_path):
    corpus = small_corpus()
    with pytest.raises(BenchmarkError, match="before fit"):
        DualEncoder(config_of(tiny)).search(["lamp"], 3)
    with pytest.raises(BenchmarkError, match="no training queries"):
        fitted(config_of(tiny), corpus, tmp_path)
    with pytest.raises(ConfigError, match=r"training\.batch_size: 8 cannot be cut into 3 equal parts"):
        fitted(config_of(tiny, training={"accumulation": 3}), corpus, tmp_path, queries_for(corpus))
    with pytest.raises(ConfigError, match="fp16 needs a GPU"):
        fitted(config_of(tiny, training={"precision": "fp16"}), corpus, tmp_path, queries_for(corpus))
    config = config_of(tiny)
    hot = config.training.model_copy(update={"learning_rate": 1e30})  # far beyond what a configuration allows
    with pytest.raises(BenchmarkError, match="the loss is not finite at step"):
        fitted(config.model_copy(update={"training": hot}), corpus, tmp_path, queries_for(corpus))
