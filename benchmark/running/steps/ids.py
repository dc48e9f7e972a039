"""The stage `ids`: semantic IDs before the dedup counter, what their indexer has learned, and initial weights.

    codes.npz      int32 codes [n_items, length] and the codebooks' sizes
    start/         initial weights of the generative part, where the indexer has any
    indexer/       what `Indexer.save` wrote, for `benchmark ids assign`
    indexer.json   {"format": 1, "method", "encoders", "columns": of the items}, or {"format": 1, "problem": why not}

Those of withheld items, where there are any, are assigned after the others were learned.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmark.config import MethodConfig, encoders
from benchmark.errors import BenchmarkError
from benchmark.files import remove, write_json
from benchmark.generative.start import load_start
from benchmark.learning.unique_ids import COUNTER, make_unique, place_new
from benchmark.running.steps.encode import model_version
from benchmark.running.steps.logs import keep_logs
from benchmark.types.codes import Codes, checked_codes
from benchmark.types.data import Corpus
from benchmark.types.facts import Facts
from benchmark.types.method import Context, Indexer

FILE = "codes.npz"
START = "start"  # the folder of the initial weights for the training of the generative part
INDEXER = "indexer"
FORMAT = 1  # of indexer.json


def learn_ids(
    folder: Path, method: Indexer[Any], label: str, corpus: Corpus, context: Context, new: Corpus | None = None,
    withheld: NDArray[np.bool_] | None = None,
) -> Facts:  # fmt: skip
    """Let an indexer learn IDs, and assign some to `new` items: those `withheld` of all [n_items]."""
    codes = checked_codes(method.fit(corpus, context), corpus.ids, f"fit of {label}")
    method.save_initial_weights(folder / START)
    load_start(folder / START, codes.sizes)  # what does not fit is refused here, not when it is used
    codes = _unique(method, corpus, codes, context)
    if new is not None and withheld is not None:
        codes = codes.joined(assigned(method, label, new, codes), withheld)
    _keep_indexer(method, corpus, folder)
    np.savez(folder / FILE, values=codes.values, sizes=np.asarray(codes.sizes))
    keep_logs(context.work, folder)
    return context.facts


def unique_by(method: Indexer[Any]) -> str:
    """Return how an indexer is asked to tell items with equal codes apart: by the counter, where it does not say."""
    return str(getattr(method.config, "unique_by", COUNTER))


def _unique(method: Indexer[Any], corpus: Corpus, codes: Codes, context: Context) -> Codes:
    """Return the codes with collisions resolved as the configuration says; what moved becomes a note."""
    if (by := unique_by(method)) == COUNTER:
        return codes
    unique = make_unique(codes, by, lambda rows: method.code_distances(corpus, codes, rows))
    note = f"unique_by={by} gave {unique.moved:,} of {len(codes):,} items another last code."
    if unique.crowded:
        note = f"{note[:-1]}; {unique.crowded:,} items share prefixes with more items than codes, and were left."
    context.note(note)
    return unique.codes


def _keep_indexer(method: Indexer[Any], corpus: Corpus, folder: Path) -> None:
    """Write what the indexer has learned, or why it cannot be kept."""
    about: dict[str, Any] = {
        "format": FORMAT, "method": type(method).__name__, "encoders": versions_of(method.config),
        "columns": corpus.table.column_names,
    }  # fmt: skip
    try:
        if not method.assigns():
            raise BenchmarkError(f"{type(method).__name__} cannot assign IDs to new items: it has no method `assign`")
        method.save(folder / INDEXER)
    except BenchmarkError as error:
        remove(folder / INDEXER)
        about = {"format": FORMAT, "problem": str(error)}
    write_json(folder / f"{INDEXER}.json", about)


def read_indexer(folder: Path, method: Indexer[Any], context: Context) -> list[str]:
    """Let an indexer become what a finished stage has learned; return the columns of the items that it learned from.

    Raises BenchmarkError where that cannot be.
    """
    path = folder / f"{INDEXER}.json"
    try:
        about = json.loads(path.read_text("utf-8"))
        if about["format"] != FORMAT:
            raise BenchmarkError(f"{path}: format {about['format']!r}; this version reads {FORMAT}")
        if "problem" in about:
            raise BenchmarkError(about["problem"])
        columns, learned_with = [str(name) for name in about["columns"]], about["encoders"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BenchmarkError(f"{path}: cannot be read ({error})") from error
    if (now := versions_of(method.config)) != learned_with:
        raise BenchmarkError(f"these IDs were learned with the encoders {learned_with}, which are now {now}")
    method.load(folder / INDEXER, context)
    return columns


def versions_of(config: MethodConfig) -> list[list[str | None]]:
    """Return what the names of the configuration's encoders stand for, and the versions of local folders."""
    return [model_version(encoder) for encoder in encoders(config)]


def assigned(method: Indexer[Any], label: str, corpus: Corpus, known: Codes) -> Codes:
    """Return the codes that an indexer assigns to new items, in the codebooks and by the rule of the `known` ones."""
    codes = _assigned(method, label, corpus, known.sizes)
    if unique_by(method) == COUNTER:
        return codes
    return place_new(known, codes, lambda rows: method.code_distances(corpus, codes, rows))


def _assigned(method: Indexer[Any], label: str, corpus: Corpus, sizes: tuple[int, ...]) -> Codes:
    codes = checked_codes(method.assign(corpus), corpus.ids, f"assign of {label}")
    if codes.sizes != sizes:
        raise BenchmarkError(f"{label}: assign gave codes of codebooks {codes.sizes}, fit has learned {sizes}")
    return codes


def read_codes(folder: Path) -> Codes:
    """Return the IDs of a finished stage."""
    saved = np.load(folder / FILE)
    return Codes(saved["values"], tuple(int(size) for size in saved["sizes"]))
