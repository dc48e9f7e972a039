"""What tests make smaller than users have it, in their own process and in those that they fork."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

TIMED_QUERIES = 5  # of the 200 that a ranking asks once more, one at a time, for its latency
encoder: Path | None = None  # what `default` stands for at present; None: the packaged encoder


@contextmanager
def unflushed() -> Iterator[None]:
    """Do not wait for the disk: no file must outlive a power cut, and the wait takes as long as much of the work."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda handle: None)
        yield


@contextmanager
def few_timed_queries() -> Iterator[None]:
    """Let rankings measure their latency on few queries: what they rank does not depend on it."""
    from benchmark.metrics import latency

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(latency, "QUERIES", TIMED_QUERIES)
        yield


@contextmanager
def packaged_encoder(folder: Path | None) -> Iterator[None]:
    """Let the encoder `default` be the model in a folder; None changes nothing."""
    if folder is None:
        yield
        return
    from benchmark.learning import encoders

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encoders, "_packaged", lambda: folder)
        patch.setattr("smaller.encoder", folder)
        yield
