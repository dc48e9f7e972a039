"""The conformance test for methods, the suite's own and anyone's. In a plugin's tests one line runs it:

    from benchmark.conformance import check_method

    def test_my_method_conforms():
        check_method("mine")          # the entry-point name

It checks the contract of `benchmark.types.method` on a small made-up catalogue: the shapes, that the same seed gives
the same result, that data in odd shapes (one item, equal texts, a user without history, an empty query) is served, that
new items get IDs or are ranked (`assign`, `extend`) where a method says that it can, also after `save` and `load`, and
that importing the module does not import torch, which `benchmark run` needs to start fast.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.config import flatten
from benchmark.errors import BenchmarkError, ConfigError
from benchmark.generative.start import load_start
from benchmark.registry import find, load
from benchmark.types.arrays import Float32, Int32
from benchmark.types.codes import Codes, checked_codes
from benchmark.types.data import Corpus, Histories, QuerySet
from benchmark.types.method import Context, Indexer, Method, Recommender, Retriever
from benchmark.types.rankings import Rankings, check_rankings

KINDS = ("red", "blue", "green", "soft", "hard", "round")
THINGS = ("lamp", "brush", "soap", "cable", "shirt")
KNOWN = 50  # items of the catalogue that are there at `fit` where others are new


def check_method(name: str, **settings: Any) -> None:
    """Raise AssertionError, naming the broken rule, unless the registered method keeps the contract.

    `settings` go into the method's configuration, e.g. smaller sizes for a catalogue of 60 items.
    """
    cls = load("method", name)
    assert isinstance(cls, type) and issubclass(cls, Method), f"{name}: it is not a subclass of Method"
    assert (cls.__doc__ or "").strip(), f"{name}: the class has no docstring; `benchmark list` shows its first line"
    _assert_light_import(find("method", name).module)
    try:
        cls.Config.model_validate({"no_such_key": 1})
    except ValueError:
        pass
    else:
        raise AssertionError(f"{name}: its configuration accepts unknown keys; derive it from MethodConfig")
    with tempfile.TemporaryDirectory() as folder:
        for kind, check in ((Indexer, _indexer), (Retriever, _retriever), (Recommender, _recommender)):
            if issubclass(cls, kind):
                check(name, cls, settings, Path(folder))
                return
    raise AssertionError(f"{name}: it is not an Indexer, Retriever or Recommender")


def small_corpus(n_items: int = 60, *, equal_texts: bool = False) -> Corpus:
    """Return a made-up catalogue with titles, brands and two-level categories."""
    import pyarrow as pa

    rows = range(n_items)
    thing = [THINGS[row % len(THINGS)] for row in rows]
    titles = ["the same" if equal_texts else f"{KINDS[row % 7 % 6]} {thing[row]} number {row}" for row in rows]
    table = pa.table(
        {
            "id": [f"item{row}" for row in rows],
            "title": titles,
            "brand": [f"brand{row % 3}" for row in rows],
            "categories": [["things", thing[row]] for row in rows],
        }
    )
    return Corpus(table, ("title", "brand"), fingerprint=f"conformance-{n_items}-{equal_texts}")


def _context(folder: Path, seed: int) -> Context:
    work = Path(tempfile.mkdtemp(dir=folder))
    return Context(seed=seed, work=work, embedder=_embed)


def _embed(corpus: Corpus, encoder: Any, context: Context) -> Float32:
    """Embed a text as the mean of one random vector per word: fast, and like texts come out alike."""
    vectors = []
    for text in corpus.texts():
        seeds = [int.from_bytes(word.encode()[:8], "little") for word in text.split()]
        vectors.append(np.mean([np.random.default_rng(seed).normal(size=16) for seed in seeds], axis=0))
    return np.asarray(vectors, np.float32)


def _indexer(name: str, cls: Any, settings: dict[str, Any], folder: Path) -> None:
    def fit(corpus: Corpus, seed: int) -> Codes:
        context, method = _context(folder, seed), cls(cls.Config(**settings))
        learned = method.fit(corpus, context)
        try:
            codes = checked_codes(learned, corpus.ids, "fit")
            method.save_initial_weights(context.work / "start")
            load_start(context.work / "start", codes.sizes)
        except BenchmarkError as error:
            raise AssertionError(f"{name}: {error}") from None
        return codes

    sizes = flatten(cls.Config(**settings).model_dump())
    for key in cls.at_most_items:
        assert isinstance(sizes.get(key), int), (
            f"{name}: at_most_items names '{key}', which is not a whole-number setting of Config"
        )
    corpus = small_corpus()
    first, again = fit(corpus, 0), fit(corpus, 0)
    assert np.array_equal(first.values, again.values), f"{name}: the same seed gave other codes"
    for odd in (small_corpus(1), small_corpus(equal_texts=True)):
        try:
            fit(odd, 0)
        except ConfigError:  # a codebook larger than the corpus may be refused, with a message
            continue
    unique = first.with_counter()
    assert len(np.unique(unique.values, axis=0)) == len(corpus), f"{name}: the counter does not make its IDs unique"
    if cls.assigns():
        _assigning(name, cls, settings, folder)


def _assigning(name: str, cls: Any, settings: dict[str, Any], folder: Path) -> None:
    """An indexer that assigns IDs: its own items keep theirs, new ones get some in the same codebooks."""
    corpus, method = small_corpus(), cls(cls.Config(**settings))
    own, new = (replace(corpus, table=corpus.table.slice(*part)) for part in ((0, KNOWN), (KNOWN, len(corpus) - KNOWN)))
    try:
        codes = method.fit(own, _context(folder, 0))
    except ConfigError:  # the settings fit the whole catalogue, not a part of it
        return
    for again in range(2):
        assigned = method.assign(own)
        assert isinstance(assigned, Codes), f"{name}: assign must return Codes, not {type(assigned).__name__}"
        assert assigned.sizes == codes.sizes, f"{name}: assign has codebooks {assigned.sizes}, fit {codes.sizes}"
        assert np.array_equal(assigned.values, codes.values), f"{name}: assign gave items of fit other codes" + (
            ", after it had assigned codes to new items" if again else ""
        )
        found = method.assign(new)
        assert len(found) == len(new), f"{name}: assign gave {len(found)} codes for {len(new)} items"
        assert found.sizes == codes.sizes, f"{name}: assign has codebooks {found.sizes}, fit {codes.sizes}"
    _saving(name, cls, settings, folder, method, own, codes)


def _saving(
    name: str, cls: Any, settings: dict[str, Any], folder: Path, method: Any, own: Corpus, codes: Codes
) -> None:
    """What was saved assigns the same IDs, in a method that was never fitted."""
    again, context = cls(cls.Config(**settings)), _context(folder, 0)
    try:
        method.save(context.work / "indexer")
    except BenchmarkError as error:
        raise AssertionError(
            f"{name}: what it has learned cannot be kept for `benchmark ids assign`: {error}"
        ) from None
    again.load(context.work / "indexer", context)
    assert np.array_equal(again.assign(own).values, codes.values), (
        f"{name}: after save and load, assign gave other codes"
    )


def _retriever(name: str, cls: Any, settings: dict[str, Any], folder: Path) -> None:
    texts = ["red lamp", "brush brand1", "", "unheard-of words ☃", "number 7"]

    def search(corpus: Corpus, k: int) -> Rankings:
        method = cls(cls.Config(**settings))
        method.fit(corpus, _queries(corpus), _context(folder, 0))
        return _checked(name, method.search(texts, k), len(texts), len(corpus), k)

    corpus = small_corpus()
    first, again = search(corpus, 10), search(corpus, 10)
    assert np.array_equal(first.items, again.items), f"{name}: the same seed gave other rankings"
    search(corpus, len(corpus) + 5)
    search(small_corpus(1), 10)
    search(small_corpus(equal_texts=True), 10)
    if cls.extends():
        own, method = replace(corpus, table=corpus.table.slice(0, KNOWN)), cls(cls.Config(**settings))
        method.fit(own, _queries(own), _context(folder, 0))
        before = _checked(name, method.search(texts, 10), len(texts), KNOWN, 10)
        method.extend(corpus)
        _checked(name, method.search(texts, len(corpus) + 5), len(texts), len(corpus), len(corpus) + 5)
        method.extend(own)
        after = _checked(name, method.search(texts, 10), len(texts), KNOWN, 10)
        assert np.array_equal(before.items, after.items), f"{name}: extend with the items of fit gave other rankings"


def _recommender(name: str, cls: Any, settings: dict[str, Any], folder: Path) -> None:
    corpus = small_corpus()
    random = np.random.default_rng(0)
    lengths = np.array([0, 1, 2, *random.integers(3, 9, 27)])
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    items = random.integers(0, len(corpus), int(lengths.sum())).astype(np.int32)
    histories = Histories(tuple(f"user{row}" for row in range(len(lengths))), offsets, items)
    validation: Int32 = random.integers(0, len(corpus), len(histories)).astype(np.int32)
    validation[:3] = -1

    def recommend() -> Rankings:
        method = cls(cls.Config(**settings))
        method.fit(corpus, histories, validation, _context(folder, 0))
        return _checked(name, method.recommend(histories, 10), len(histories), len(corpus), 10)

    first, again = recommend(), recommend()
    assert np.array_equal(first.items, again.items), f"{name}: the same seed gave other rankings"


def _checked(name: str, rankings: Any, n_queries: int, n_items: int, k: int) -> Rankings:
    assert isinstance(rankings, Rankings), f"{name}: must return Rankings, not {type(rankings).__name__}"
    try:
        check_rankings(rankings, n_queries, n_items, k)
    except BenchmarkError as error:
        raise AssertionError(f"{name}: {error}") from None
    return rankings


def _queries(corpus: Corpus) -> QuerySet:
    rows = np.arange(len(corpus), dtype=np.int32)
    ids, grades = tuple(f"q{row}" for row in rows), np.ones(len(rows), np.int32)
    return QuerySet("made-up", ids, tuple(corpus.texts()), rows, rows, grades)


def _assert_light_import(module: str) -> None:
    code = f"import sys, {module}; sys.exit('torch' in sys.modules and 'it imports torch; do so inside the methods')"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, f"importing {module}: {done.stderr.strip()}"
