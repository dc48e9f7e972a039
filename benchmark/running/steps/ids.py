"""The stage `ids`: semantic IDs before the dedup counter as codes.npz, with what their indexer hands over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from benchmark.errors import BenchmarkError
from benchmark.generative.start import load_start
from benchmark.running.steps.logs import keep_logs
from benchmark.types.codes import Codes
from benchmark.types.data import Corpus
from benchmark.types.facts import Facts
from benchmark.types.method import Context, Indexer

FILE = "codes.npz"
START = "start"  # the folder of what the indexer hands over to the training of the generative part


def learn_ids(folder: Path, method: Indexer[Any], label: str, corpus: Corpus, context: Context) -> Facts:
    """Let an indexer learn the items' IDs."""
    codes = method.fit(corpus, context)
    if len(codes) != len(corpus):
        raise BenchmarkError(f"{label}: {len(codes)} codes for {len(corpus)} items")
    method.save_initial_weights(folder / START)
    load_start(folder / START, codes.sizes)  # what does not fit is refused here, not when it is used
    np.savez(folder / FILE, values=codes.values, sizes=np.asarray(codes.sizes))
    keep_logs(context.work, folder)
    return context.facts


def read_codes(folder: Path) -> Codes:
    """Return the IDs of a finished stage."""
    saved = np.load(folder / FILE)
    return Codes(saved["values"], tuple(int(size) for size in saved["sizes"]))
