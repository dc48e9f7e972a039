"""What all tests share: no network, no waiting for the disk, a small shop on disk and a small demo catalogue."""

import gc
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import smaller
from hypothesis import HealthCheck, settings
from pydantic import create_model

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("BENCHMARK_WORKERS", "1")  # the tests themselves run side by side

# The same examples each time, and none is too slow: on a busy machine that says nothing about the suite.
settings.register_profile("suite", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")

# Files of 15 processor seconds and more, the longest first: none of them is begun when the others have ended
LONG = (
    "test_faults.py", "test_pages.py", "test_kill.py", "test_cold_start.py", "test_run.py", "test_tune.py",
    "test_several_processes.py", "test_plugin.py", "test_metric_and_table_plugins.py", "test_stage_keys.py",
    "test_sequential_recommenders.py", "test_lmindexer_training.py", "test_digests.py", "test_figures.py",
    "test_local.py", "test_own_ids_page.py",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the long files first; `make test` keeps this order."""
    items.sort(key=lambda item: LONG.index(item.path.name) if item.path.name in LONG else len(LONG))


def pytest_collection_finish() -> None:
    """Keep the garbage collector off the half a million objects that imports have made: they live for good."""
    gc.collect()
    gc.freeze()


KINDS = {"lamp": ("desk", "floor", "night"), "brush": ("hair", "paint", "tooth"), "soap": ("hand", "dish", "bath")}
# Small enough that a run takes seconds; the suite's own defaults are tested by `make demo`
FAST = [
    word
    for setting in (
        "generative.recommendation.epochs=0", "generative.search.epochs=0",
        "generative.recommendation.steps=6", "generative.search.steps=6", "generative.search_error_queries=3",
        "generative.recommendation.batch_size=32", "generative.search.batch_size=32", "generative.decoder.width=32",
        "generative.scratch.vocabulary_size=400", "generative.scratch.d_model=32", "generative.scratch.d_ff=64",
        "generative.scratch.layers=1", "generative.max_source=24",
    )
    for word in ("--set", setting)
]  # fmt: skip


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set of 60 items, 30 users and 12 judged queries in the neutral layout."""
    folder = tmp_path_factory.mktemp("data") / "shop"
    folder.mkdir()
    random = np.random.default_rng(0)
    things = list(KINDS)
    items = []
    for row in range(60):
        thing = things[row % 3]
        kind = KINDS[thing][row // 3 % 3]
        item = {"id": f"i{row:02}", "title": f"{kind} {thing} number {row}", "categories": ["home", thing, kind]}
        items.append(item | ({"brand": f"brand{row % 4}"} if row % 5 else {}))
    (folder / "items.jsonl").write_text("".join(json.dumps(item) + "\n" for item in items))
    users = [f"u{u} " + " ".join(f"i{i:02}" for i in random.permutation(60)[: 4 + u % 5]) for u in range(30)]
    (folder / "sequences.txt").write_text("\n".join(users) + "\n")
    queries = [(f"q{q}", items[q * 5]) for q in range(12)]
    (folder / "queries.tsv").write_text("".join(f"{name}\t{item['title']}\n" for name, item in queries))
    (folder / "qrels.txt").write_text("".join(f"{name} 0 {item['id']} 1\n" for name, item in queries))
    (folder / "dataset.toml").write_text('name = "shop"\ntitle = "A small shop"\n[expect]\nitems = 60\nusers = 30\n')
    return folder


@pytest.fixture(scope="session", autouse=True)
def light() -> Iterator[None]:
    """No waiting for the disk, and latency measured on five queries, not 200: one at a time is as slow as many."""
    with smaller.unflushed(), smaller.few_timed_queries():
        yield


@pytest.fixture(scope="session")
def small_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of two layers with random weights and a byte-level tokenizer, as transformers saves it."""
    return save_bert(tmp_path_factory.mktemp("bert"), layers=2)


def save_bert(folder: Path, layers: int) -> Path:
    """Save a BERT of width 32 with random weights: its tokens are bytes, 260 with [PAD], [UNK], [CLS] and [SEP]."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast
    from transformers.utils import logging

    logging.disable_progress_bar()
    special = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
    letters = (*special, *sorted(pre_tokenizers.ByteLevel.alphabet()))
    words = Tokenizer(models.BPE({sign: number for number, sign in enumerate(letters)}, [], unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    words.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    names = dict(zip(("pad_token", "unk_token", "cls_token", "sep_token"), special, strict=True))
    PreTrainedTokenizerFast(tokenizer_object=words, **names).save_pretrained(folder)
    sizes = {"hidden_size": 32, "num_hidden_layers": layers, "num_attention_heads": 2, "intermediate_size": 64}
    torch.manual_seed(0)
    BertModel(BertConfig(vocab_size=len(letters), max_position_embeddings=128, **sizes)).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def small_encoder_folder(small_bert: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The random BERT as sentence-transformers saves a model: what the packaged encoder's folder holds."""
    return save_encoder(small_bert, tmp_path_factory.mktemp("encoder"))


def save_encoder(bert: Path, folder: Path) -> Path:
    """Save the mean of a BERT's token states, of length 1, as a model of sentence-transformers."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer

    words = Transformer(str(bert), max_seq_length=64)
    modules = [words, Pooling(words.get_embedding_dimension(), "mean"), Normalize()]
    SentenceTransformer(modules=modules, device="cpu").save(str(folder))
    return folder


@pytest.fixture(scope="module")
def small_encoder(small_encoder_folder: Path) -> Iterator[Path]:
    """The encoder `default` is a random BERT of two layers: loaded and run in a tenth of the packaged one's time."""
    with smaller.packaged_encoder(small_encoder_folder):
        yield small_encoder_folder


@pytest.fixture(scope="module")
def small_demo() -> Iterator[None]:
    """The generated data sets under their own names, with 300 items where no other number is asked for."""
    from benchmark.datasets.planted import Demo, Planted
    from benchmark.datasets.planted.catalogue import DemoConfig, PlantedConfig

    few = {"items": 300, "users": 150, "queries": 20, "train_queries": 200}
    with pytest.MonkeyPatch.context() as patch:
        for builder, config in ((Demo, DemoConfig), (Planted, PlantedConfig)):
            fields: dict[str, Any] = {name: (int, size) for name, size in few.items()}
            patch.setattr(builder, "Config", create_model(config.__name__, __base__=config, **fields))
        yield


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Ctrl-C as a terminal's processes take it, also where the tests run in the background and ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A headless Chromium with a window of 1300 by 900."""
    from browser import Browser

    window = Browser(tmp_path_factory.mktemp("profile"))
    window.size(1300, 900)
    yield window
    window.close()
