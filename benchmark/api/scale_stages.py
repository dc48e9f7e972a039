"""The stages of a run over a catalogue, each as its own process can measure it: `benchmark bench scale`.

Each stage reads what the ones before have left in one folder, prepares outside the clock, and says what is measured:

    with clock("bm25: index"):
        retriever.fit(corpus, None, context)

Peak memory is that of the process while the clock runs, with what was prepared and the libraries that are loaded.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np

from benchmark.config import EncoderConfig
from benchmark.data.dataset import Dataset, open_dataset
from benchmark.files import write_lines
from benchmark.registry import load
from benchmark.running.memory import peak_memory, reset_peak_memory
from benchmark.running.plan import make_variants
from benchmark.running.steps.encode import encode_items, read_embeddings
from benchmark.running.steps.ids import learn_ids, read_codes
from benchmark.types.arrays import Float32
from benchmark.types.codes import Codes
from benchmark.types.data import QuerySet
from benchmark.types.method import Context, Indexer

ENCODER = EncoderConfig(name="static")
INDEXERS = ("rqkmeans", "hc", "rqvae")
PRESET = "small"
RANKS = 20


@dataclass
class Clock:
    """Times what stands in its `with` blocks: seconds, processor seconds of this process and its children, memory."""

    measured: list[dict[str, Any]] = field(default_factory=list)

    @contextmanager
    def __call__(self, name: str) -> Iterator[dict[str, Any]]:
        """Measure a block under a name; what it puts under `note` is shown beside the numbers."""
        reset_peak_memory()
        row: dict[str, Any] = {"name": name}
        started, used = time.perf_counter(), _processor_seconds()
        yield row
        row["seconds"], row["cpu"] = time.perf_counter() - started, _processor_seconds() - used
        row["peak"] = peak_memory()["cpu"]
        self.measured.append(row)


def _processor_seconds() -> float:
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


@dataclass
class Place:
    """The folder that the stages of one catalogue share."""

    folder: Path
    items: int

    @property
    def spec(self) -> str:
        """The data set."""
        return f"planted:items={self.items}"

    @property
    def cache(self) -> Path:
        """The cache of a run in this folder: the results of `run` find the data set there."""
        return self.runs / ".cache"

    @property
    def runs(self) -> Path:
        """Results."""
        return self.folder / "runs"

    @cached_property
    def dataset(self) -> Dataset:
        """The data set, opened."""
        return open_dataset(self.spec, cache=self.cache)

    @property
    def test_queries(self) -> QuerySet:
        """The judged test queries."""
        found = self.dataset.queries("judged", "test")
        assert found is not None
        return found

    @property
    def vectors(self) -> Float32:
        """The items' embeddings, a copy of the caller's own."""
        return read_embeddings(self.folder / "encoded")

    @property
    def codes(self) -> Codes:
        """The IDs that the trie and the beam search are measured with."""
        return read_codes(self.folder / INDEXERS[0])

    def new_folder(self, name: str) -> Path:
        """Return an empty folder for what a stage leaves behind."""
        folder = self.folder / name
        folder.mkdir(parents=True)
        return folder


def build_data(place: Place, clock: Clock) -> None:
    with clock("data set: built"):
        _ = place.dataset


def parse_data(place: Place, clock: Clock) -> None:
    with clock("data set: parsed once"):
        _load(place)


def open_data(place: Place, clock: Clock) -> None:
    with clock("data set: opened"):
        _load(place)


def _load(place: Place) -> None:
    _ = place.dataset.corpus(), place.dataset.histories(), place.test_queries


def encode(place: Place, clock: Clock) -> None:
    corpus, folder = place.dataset.corpus(), place.new_folder("encoded")
    with clock("encoder `static`"):
        encode_items(folder, corpus, ENCODER, Context())


def learn(name: str) -> Callable[[Place, Clock], None]:
    """Return the stage of an indexer."""

    def stage(place: Place, clock: Clock) -> None:
        corpus, folder = place.dataset.corpus(), place.new_folder(name)
        context = Context(embedder=lambda *_: place.vectors)
        variant = make_variants([name], PRESET, {})[0]
        method = variant.cls(variant.config)
        with clock(f"IDs: {name}") as row:
            learn_ids(folder, cast(Indexer[Any], method), name, corpus, context)
        codes = read_codes(folder).values
        row["note"] = f"{len(np.unique(codes, axis=0)):,} different IDs"

    return stage


def build_trie(place: Place, clock: Clock) -> None:
    from benchmark.generative.trie import Trie
    from benchmark.generative.vocabulary import CodeVocabulary

    codes = place.codes
    with clock("trie") as row:
        unique = codes.with_counter()
        trie = Trie.build(CodeVocabulary(unique.sizes, first=1).encode(unique), eos=0)
    row["note"] = f"{trie.nbytes / 1e6:.0f} MB, {trie.n_nodes:,} nodes"


def search_beam(place: Place, clock: Clock) -> None:
    from benchmark.generative.bench_beam import FEW, measure

    codes = place.codes.with_counter()
    with clock("beam search, both catalogues") as row:
        found = measure(codes)
    row["note"] = f"{found.milliseconds:.2f} ms a query, {found.of_few:.2f} times those over {FEW:,} of the IDs"


def index_words(place: Place, clock: Clock) -> None:
    corpus, queries, retriever = place.dataset.corpus(), place.test_queries, load("method", "bm25")()
    context = Context()
    with clock("bm25: index") as row:
        retriever.fit(corpus, None, context)
    row["note"] = f"{context.facts['index_bytes'] / 1e6:.0f} MB"
    _search("bm25: search", clock, lambda: retriever.search(queries.texts, RANKS), len(queries))


def index_vectors(place: Place, clock: Clock) -> None:
    from benchmark.learning.dense import DenseIndex, IndexConfig
    from benchmark.learning.encoders import embed

    ids, queries = place.dataset.corpus().ids, embed(list(place.test_queries.texts), ENCODER, Context())
    vectors = place.vectors
    with clock("dense: index") as row:
        index = DenseIndex(vectors, ids, IndexConfig(), sample=queries, seed=0, gpu=False)
    row["note"] = f"{index.bytes / 1e6:.0f} MB"
    _search("dense: search", clock, lambda: index.search(queries, RANKS), len(queries))


def _search(name: str, clock: Clock, search: Callable[[], object], n_queries: int) -> None:
    with clock(name) as row:
        search()
    row["note"] = f"{1000 * row['cpu'] / n_queries:.1f} ms a query"


def score(place: Place, clock: Clock) -> None:
    from benchmark.api.run import run

    codes, file = place.codes, place.folder / "rqkmeans.tsv"
    rows = ("-".join(map(str, row)) for row in codes.values.tolist())
    write_lines(file, (f"{item}\t{row}\n" for item, row in zip(place.dataset.corpus().ids, rows, strict=True)))
    with clock("results: IDs from a file"):
        run(ids=[file], dataset=place.spec, tasks="id-quality", runs=place.runs, quiet=True)
    with clock("results: popularity"):
        run("popularity", place.spec, runs=place.runs, quiet=True)
    with clock("results: bm25"):
        run("bm25", place.spec, runs=place.runs, quiet=True)


def report(place: Place, clock: Clock) -> None:
    from benchmark.api.results import load_results

    with clock("report: tables"):
        load_results(place.runs).table().text("md")
    with clock("report: HTML") as row:
        page = load_results(place.runs).table().text("html")
    row["note"] = f"{len(page.encode()) / 1e6:.2f} MB"


def verify_results(place: Place, clock: Clock) -> None:
    from benchmark.verification.verify import verify

    with clock("verify") as row:
        found = verify(place.runs, place.runs)
    row["note"] = f"{found.findings.checked:,} numbers, {len(found.findings.failures)} do not follow"


STAGES: dict[str, Callable[[Place, Clock], None]] = {
    "build": build_data,
    "parse": parse_data,
    "open": open_data,
    "encode": encode,
    **{name: learn(name) for name in INDEXERS},
    "trie": build_trie,
    "beam": search_beam,
    "bm25": index_words,
    "dense": index_vectors,
    "score": score,
    "report": report,
    "verify": verify_results,
}

if __name__ == "__main__":
    stage, folder, items = sys.argv[1:]
    measuring = Clock()
    STAGES[stage](Place(Path(folder), int(items)), measuring)
    print(json.dumps(measuring.measured))
