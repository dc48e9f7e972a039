"""The stage `ids`: semantic IDs before the dedup counter as codes.npz, with what their indexer hands over.

Those of withheld items, where there are any, are assigned after the others were learned.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmark.errors import BenchmarkError
from benchmark.generative.start import load_start
from benchmark.running.steps.logs import keep_logs
from benchmark.types.codes import Codes
from benchmark.types.data import Corpus
from benchmark.types.facts import Facts
from benchmark.types.method import Context, Indexer

FILE = "codes.npz"
START = "start"  # the folder of what the indexer hands over to the training of the generative part


def learn_ids(
    folder: Path, method: Indexer[Any], label: str, corpus: Corpus, context: Context, new: Corpus | None = None,
    withheld: NDArray[np.bool_] | None = None,
) -> Facts:  # fmt: skip
    """Let an indexer learn IDs, and assign some to `new` items: those `withheld` of all [n_items]."""
    codes = method.fit(corpus, context)
    if len(codes) != len(corpus):
        raise BenchmarkError(f"{label}: {len(codes)} codes for {len(corpus)} items")
    method.save_initial_weights(folder / START)
    load_start(folder / START, codes.sizes)  # what does not fit is refused here, not when it is used
    if new is not None and withheld is not None:
        codes = codes.joined(_assigned(method, label, new, codes.sizes), withheld)
    np.savez(folder / FILE, values=codes.values, sizes=np.asarray(codes.sizes))
    keep_logs(context.work, folder)
    return context.facts


def _assigned(method: Indexer[Any], label: str, corpus: Corpus, sizes: tuple[int, ...]) -> Codes:
    """Return the codes that an indexer assigns to new items, in the codebooks that it has learned."""
    codes = method.assign(corpus)
    if len(codes) != len(corpus):
        raise BenchmarkError(f"{label}: assign gave {len(codes)} codes for {len(corpus)} items")
    if codes.sizes != sizes:
        raise BenchmarkError(f"{label}: assign gave codes of codebooks {codes.sizes}, fit has learned {sizes}")
    return codes


def read_codes(folder: Path) -> Codes:
    """Return the IDs of a finished stage."""
    saved = np.load(folder / FILE)
    return Codes(saved["values"], tuple(int(size) for size in saved["sizes"]))
