"""Runs a plan: each cell through its cached stages, each number into the cell's result file.

    encode -> ids -> train.<task> -> rank.<task> -> scores        (indexers)
                                     rank.<task> -> scores        (retrievers and recommenders)

Where the split withholds items, everything on the way to `train.<task>` is made from the known ones alone; `ids` then
also holds what the indexer has assigned to the others, and `rank.<task>` ranks all.

A failed cell is kept for the end and never loses another one's work.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from benchmark.config import EncoderConfig, encoders
from benchmark.errors import BenchmarkError
from benchmark.files import full_disk_names, remove_partials, write_text
from benchmark.learning.devices import device_words
from benchmark.learning.encoders import EmbedTexts
from benchmark.learning.processes import process_rank, processes
from benchmark.running.cells import Cell, Plan
from benchmark.running.failures import Failure, Interrupts, explain
from benchmark.running.first_look import FirstLookMaterial
from benchmark.running.material import Material
from benchmark.running.progress import RunProgress
from benchmark.running.record import Scored, or_nothing, write_result
from benchmark.running.stages import Stages
from benchmark.running.steps.encode import encode_items, encode_texts, read_embeddings
from benchmark.running.steps.fit_and_rank import fit_and_rank, keep_run
from benchmark.running.steps.ids import START, learn_ids, read_codes
from benchmark.running.steps.rank_ids import rank_ids
from benchmark.running.steps.rankings import read_rankings
from benchmark.running.steps.train import train_recommendation, train_search
from benchmark.running.store import Stage, Store
from benchmark.types.arrays import Float32
from benchmark.types.codes import Codes
from benchmark.types.curve import Curve, unwatched
from benchmark.types.data import Corpus
from benchmark.types.facts import NESTED_SECONDS, Facts
from benchmark.types.method import Context, Indexer, Precomputed, Recommender, Retriever


@dataclass
class Runner:
    """Executes the cells of one plan; the data set is loaded once, and only when something has to be computed."""

    plan: Plan
    store: Store
    device: str = "cpu"
    progress: RunProgress = field(default_factory=RunProgress)
    log: Callable[[str], None] = lambda message: None
    ended: Callable[[Cell], None] = lambda cell: None  # called after each cell that was missing
    tracker: str = ""  # what shows training curves while they are made (`benchmark.learning.tracking`)
    _codes: dict[str, Codes] = field(default_factory=dict)
    _label: str = ""  # of the cell that is being computed

    def run(self) -> list[Failure]:
        """Compute every missing cell; return those that failed. Raises UsageError for an unknown text field."""
        failures: list[Failure] = []
        with self.progress, Interrupts() as interrupts:
            self.progress.stage("reading the data")
            missing = self.prepare()
            for number, cell in enumerate(missing, 1):
                self.progress.cell(number, len(missing), cell.title)
                if failure := self.compute(cell, interrupts):
                    failures.append(failure)
                    self.log(f"  failed: {failure.reason}")
                self.ended(cell)
        return failures

    def prepare(self) -> list[Cell]:
        """Return the cells that are missing. Where there are any, the data are read: wrong ones are told at once."""
        self._remove_partials()
        missing = [cell for cell in self.plan.cells if not cell.done()]
        if missing:
            _ = self.material.corpus, self.plan.dataset.counts()
        return missing

    def compute(self, cell: Cell, interrupts: Interrupts) -> Failure | None:
        """Compute one cell; what ends it, but for Ctrl-C or the process's end, is a failure that costs no other."""
        try:
            with full_disk_names(cell.folder):
                self._run(cell)
        except BaseException as error:
            if interrupts.cut_short or (isinstance(error, KeyboardInterrupt) and interrupts.pressed):
                raise
            failure = Failure(cell, explain(cell, error, self.store.root.parent / "errors"))
            if processes() > 1:  # the launcher must see it, or the other processes wait for ever
                raise BenchmarkError(f"{cell.title}: {failure.reason}") from error
            return failure
        return None

    def _remove_partials(self) -> None:
        """Remove what killed runs have left half-written where this one reads and writes."""
        folders = {cell.folder for cell in self.plan.cells}
        for folder in {*folders, *(folder.parents[2] for folder in folders), *self.store.root.glob("*")}:
            remove_partials(folder)

    @cached_property
    def stages(self) -> Stages:
        return Stages(self.plan, self.store)

    @cached_property
    def material(self) -> Material:
        kind = Material if self.plan.protocol.limit is None else FirstLookMaterial
        return kind(self.plan.dataset, self.plan.protocol, self.log)

    def _run(self, cell: Cell) -> None:
        self._label = cell.variant.label
        used: dict[str, Stage] = {}
        codes = None
        sequences = cell.task != "search" and "recommendation" in self.plan.dataset.tasks
        histories = self.material.split.train if sequences else None
        if cell.variant.kind == "indexer":
            for i, encoder in enumerate(encoders(cell.variant.config)):
                used[f"encode{i or ''}"] = self._encode(self.material.corpus, encoder, cell.seed)
            used["ids"], codes = self._learn_ids(cell)
        if cell.task == "id-quality":
            assert codes is not None
            scored = Scored.of_codes(codes, self.material.corpus, histories)
        else:
            if codes is not None:
                used[f"train.{cell.task}"] = self._train(cell, codes)
            stage = used[f"rank.{cell.task}"] = self._rank(cell, codes)
            with or_nothing(cell):
                scored = self._score(cell, stage, codes)
        if process_rank() == 0:
            said = self.material.facts_of_protocol
            inputs = self.material.test_users[0] if cell.task == "recommendation" else None
            write_result(
                cell, self.plan, scored, used, codes, self.material.corpus, histories, inputs, said,
                self.material.withheld,
            )  # fmt: skip

    def _context(self, seed: int, work: Path) -> Context:
        return Context(
            seed=seed, work=work, device=self.device, progress=self.progress, log=self.log,
            embedder=self._embed, curve=partial(self._curve, seed, work) if self.tracker else unwatched,
        )  # fmt: skip

    def _curve(self, seed: int, work: Path, training: str) -> Curve:
        """Begin to show a training; a stage that several cells share has the label of the one that computes it."""
        from benchmark.learning.tracking import start_curve

        names = [self.plan.dataset.name, self._label, f"seed-{seed}", work.parent.name, training]
        return start_curve(self.tracker, "/".join(names), self.store.root.parent, self.log)

    def _build(self, stage: Stage, make: Callable[[Path, Path], Mapping[str, Any]], *, collective: bool) -> Stage:
        if self.store.has(stage):
            return stage
        self.progress.stage(stage.name)
        self.store.build(stage, make, device=device_words(self.device), collective=collective)
        self.log(f"  {stage.name}: {stage.cost()['seconds']:.1f} s")
        return stage

    def _encode(self, corpus: Corpus, encoder: EncoderConfig, seed: int) -> Stage:
        known = self.material.known
        withheld = known.withheld if known else None

        def make(folder: Path, work: Path) -> Facts:
            return encode_items(folder, corpus, encoder, self._context(seed, work), withheld)

        stage = self.stages.encode(encoder, seed, corpus.fields)
        return self._build(stage, make, collective=encoder.simcse_epochs > 0)

    def _embed(self, corpus: Corpus, encoder: Any, context: Context) -> Float32:
        config = encoder if isinstance(encoder, EncoderConfig) else EncoderConfig.model_validate(encoder)
        rows = self._rows(corpus)
        stage = self.stages.encode(config, context.seed, corpus.fields)
        if not self.store.has(stage):
            with _nested(context.facts):
                self._encode(replace(self.material.corpus, fields=corpus.fields), config, context.seed)
        vectors: Float32 = read_embeddings(stage.final)[rows]
        return vectors

    def _rows(self, corpus: Corpus) -> Any:
        """Return the rows of a corpus among all items: all, or the known or the withheld ones. Else BenchmarkError."""
        material, known = self.material, self.material.known
        if corpus.table is material.corpus.table:
            return slice(None)
        if known and corpus.table is known.corpus.table:
            return ~known.withheld
        if known and corpus.table is known.new.table:
            return known.withheld
        raise BenchmarkError("embed: only the run's own items can be embedded (other text fields are fine)")

    def _query_embedder(self, facts: Facts) -> EmbedTexts:
        """Return what embeds query texts, each set of texts once; `facts` are those of the stage that asks."""

        def embedder(texts: Sequence[str], encoder: EncoderConfig) -> Float32:
            def make(folder: Path, work: Path) -> Facts:
                return encode_texts(folder, texts, encoder, self._context(0, work))

            stage = self.stages.encode_queries(encoder, texts)
            if not self.store.has(stage):
                with _nested(facts):
                    self._build(stage, make, collective=False)
            return read_embeddings(stage.final, mapped=True)

        return embedder

    def _learn_ids(self, cell: Cell) -> tuple[Stage, Codes]:
        known, corpus, withheld = self.material.known, self.material.learned_corpus, self.material.withheld
        new = known.new if known else None

        def make(folder: Path, work: Path) -> Facts:
            method = cell.variant.cls(cell.variant.config)
            assert isinstance(method, Indexer)
            context = self._context(cell.seed, work)
            return learn_ids(folder, method, cell.variant.label, corpus, context, new, withheld)

        stage = self._build(self.stages.ids(cell), make, collective=True)
        if stage.key not in self._codes:
            self._codes[stage.key] = read_codes(stage.final)
        return stage, self._codes[stage.key]

    def _train(self, cell: Cell, codes: Codes) -> Stage:
        config = cell.variant.generative
        assert config is not None
        start = self.stages.ids(cell).final / START

        def make(folder: Path, work: Path) -> Facts:
            context, unique = self._context(cell.seed, work), codes.with_counter(self.material.withheld)
            unique = self.material.known.codes(unique) if self.material.known else unique
            if cell.task == "recommendation":
                return train_recommendation(folder, unique, self.material, config, context, start)
            embedder = self._query_embedder(context.facts)
            return train_search(folder, unique, self.material, config, context, start, embedder)

        return self._build(self.stages.train(cell), make, collective=True)

    def _rank(self, cell: Cell, codes: Codes | None) -> Stage:
        material, depth, variant = self.material, self.plan.protocol.depth, cell.variant
        _ = material.asked(cell.task), cell.task == "search" and material.train_queries  # loaded here, so not timed

        def make(folder: Path, work: Path) -> Facts:
            context = self._context(cell.seed, work)
            if codes is not None:
                assert variant.generative is not None
                trained = self.stages.train(cell).final
                unique = codes.with_counter(material.withheld)
                return rank_ids(folder, cell.task, unique, trained, material, depth, variant.generative, context)
            method = variant.cls(variant.config)
            if isinstance(method, Precomputed):
                return keep_run(folder, cell.task, method, material, depth, context)
            assert isinstance(method, Retriever | Recommender)
            return fit_and_rank(folder, cell.task, method, material, depth, context)

        return self._build(self.stages.rank(cell), make, collective=codes is None)

    def _score(self, cell: Cell, stage: Stage, codes: Codes | None) -> Scored:
        rankings, further = read_rankings(stage.final), self.plan.metrics
        corpus, ids = self.material.corpus, self.material.corpus.ids
        if cell.task == "search":
            queries = self.material.test_queries
            triples = zip(queries.query_rows, queries.item_rows, queries.grades, strict=True)
            judgments = [(queries.ids[query], ids[item], int(grade)) for query, item, grade in triples]
            judgments += [(queries.ids[query], item, grade) for query, item, grade in queries.absent]
            texts = "".join(f"{name}\t{text}\n" for name, text in zip(queries.ids, queries.texts, strict=True))
            write_text(cell.folder / "queries.search.tsv", texts)
            return Scored.of_rankings(cell, corpus, queries.ids, rankings, judgments, codes, further)
        histories, targets = self.material.test_users
        judgments = [(user, ids[item], 1) for user, item in zip(histories.users, targets, strict=True)]
        scored = Scored.of_rankings(cell, corpus, histories.users, rankings, judgments, codes, further)
        return replace(scored, counts={**scored.counts, **self.material.target_counts()})


@contextmanager
def _nested(facts: Facts) -> Iterator[None]:
    """Note the seconds of a stage that is built, or waited for, inside another, where they do not count."""
    started = time.perf_counter()
    yield
    facts[NESTED_SECONDS] = facts.get(NESTED_SECONDS, 0.0) + time.perf_counter() - started
