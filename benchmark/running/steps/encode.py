"""The stage `encode`: text embeddings [n, dim] as embeddings.npy."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmark.code_version import folder_version
from benchmark.config import EncoderConfig
from benchmark.learning.encoders import embed, resolve
from benchmark.running.steps.logs import keep_logs
from benchmark.types.arrays import Float32
from benchmark.types.data import Corpus
from benchmark.types.facts import Facts
from benchmark.types.method import Context

FILE = "embeddings.npy"


def encode_items(
    folder: Path, corpus: Corpus, encoder: EncoderConfig, context: Context, withheld: NDArray[np.bool_] | None = None
) -> Facts:
    """Embed the items' texts; those `withheld` [n_items] apart from the others, and an encoder never learns from them.

    Even a batch that a known item shares with a withheld one would round its vector differently.
    """
    return encode_texts(folder, corpus.texts(), encoder, context, withheld)


def encode_texts(
    folder: Path, texts: Sequence[str], encoder: EncoderConfig, context: Context,
    withheld: NDArray[np.bool_] | None = None,
) -> Facts:  # fmt: skip
    """Embed texts; `withheld` as in `encode_items`."""
    vectors = embed(list(texts), encoder, context, withheld)
    np.save(folder / FILE, vectors)
    keep_logs(context.work, folder)
    return Facts(dim=int(vectors.shape[1]))


def read_embeddings(folder: Path, *, mapped: bool = False) -> Float32:
    """Return the embeddings of a finished stage; `mapped` leaves them on the disk."""
    vectors: Float32 = np.load(folder / FILE, mmap_mode="r" if mapped else None)
    return vectors


def model_version(encoder: EncoderConfig) -> list[str | None]:
    """Return what an encoder's name stands for, and the version of a local folder."""
    return [resolve(encoder.name), folder_version(encoder.name)]
