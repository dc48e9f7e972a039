"""Runs a plan: each cell through its cached stages, each number into the cell's result file.

    encode -> ids -> train.<task> -> rank.<task> -> scores        (indexers)
                                     rank.<task> -> scores        (retrievers and recommenders)

A failed cell is kept for the end and never loses another one's work.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.config import EncoderConfig, encoders
from benchmark.data.splits import LeaveOneOut, leave_one_out
from benchmark.errors import BenchmarkError
from benchmark.files import write_text
from benchmark.generative.start import load_start
from benchmark.learning.devices import device_words
from benchmark.learning.processes import process_rank, processes
from benchmark.metrics.latency import latency, throughput
from benchmark.running.cells import Cell, Plan
from benchmark.running.record import Scored, write_result
from benchmark.running.stages import Stages
from benchmark.running.store import Stage, Store
from benchmark.types.arrays import Float32, Int32, Int64
from benchmark.types.codes import Codes
from benchmark.types.data import Corpus, Histories, QuerySet
from benchmark.types.facts import NESTED_SECONDS, Facts
from benchmark.types.method import Context, Indexer, Progress, Recommender, Retriever, no_progress
from benchmark.types.rankings import Rankings, check_rankings

START = "start"  # the folder, inside the stage of the IDs, of what their indexer hands over to fine-tuning


@dataclass
class Failure:
    """A cell that could not be computed, with the reason."""

    cell: Cell
    reason: str


@dataclass
class Runner:
    """Executes the cells of one plan; the data set is loaded once, and only when something has to be computed."""

    plan: Plan
    store: Store
    device: str = "cpu"
    progress: Progress = no_progress
    log: Callable[[str], None] = lambda message: None
    _codes: dict[str, Codes] = field(default_factory=dict)

    def run(self) -> list[Failure]:
        """Compute every missing cell; return those that failed. Raises UsageError for an unknown text field."""
        failures: list[Failure] = []
        missing = [cell for cell in self.plan.cells if not cell.done()]
        if missing:
            _ = self.corpus, self.plan.dataset.counts()  # wrong data are reported once, before anything is computed
        for cell in missing:
            self.log(cell.title)
            try:
                self._run(cell)
            except Exception as error:  # one cell's failure must not end the others
                if processes() > 1:  # but the launcher must see it, or the other processes wait for ever
                    raise
                failures.append(Failure(cell, self._explain(cell, error)))
                self.log(f"  failed: {failures[-1].reason}")
        return failures

    def _explain(self, cell: Cell, error: Exception) -> str:
        """Return the message of an error; what is not ours to explain keeps its traceback in a file."""
        if isinstance(error, BenchmarkError):
            return str(error)
        name = f"{cell.variant.label}-{cell.task}-{cell.key}-{cell.seed}.txt"
        trace = self.store.root.parent / "errors" / name
        write_text(trace, traceback.format_exc())
        return f"{type(error).__name__}: {error} (traceback: {trace})"

    @cached_property
    def stages(self) -> Stages:
        return Stages(self.plan, self.store)

    # The data, each part loaded on first use

    @cached_property
    def corpus(self) -> Corpus:
        return self.plan.dataset.corpus(self.plan.protocol.text_fields)

    @cached_property
    def split(self) -> LeaveOneOut:
        split = leave_one_out(self.plan.dataset.histories())
        for reason, users in split.skipped.items():
            if users:
                self.log(f"  note: {users:,} users have {reason}")
        return split

    @cached_property
    def test_users(self) -> tuple[Histories, Int32]:
        """Histories and held-out items of the users that have one."""
        rows = np.flatnonzero(self.split.test_targets >= 0)
        if not len(rows):
            raise BenchmarkError("no user has two events: there is nothing to recommend")
        return self.split.test_inputs.select(rows), self.split.test_targets[rows]

    @cached_property
    def train_queries(self) -> QuerySet:
        queries = self.plan.dataset.queries(self.stages.training_queries, "train")
        assert queries is not None
        return queries

    @cached_property
    def test_queries(self) -> QuerySet:
        queries = self.plan.dataset.queries(self.plan.protocol.query_set, "test")
        if queries is None or not len(queries):
            raise BenchmarkError(f"the query set '{self.plan.protocol.query_set}' has no test queries")
        return queries

    def _run(self, cell: Cell) -> None:
        used: dict[str, Stage] = {}
        codes = None
        sequences = cell.task != "search" and "recommendation" in self.plan.dataset.tasks
        histories = self.split.train if sequences else None
        if cell.variant.kind == "indexer":
            for i, encoder in enumerate(encoders(cell.variant.config)):
                used[f"encode{i or ''}"] = self._embeddings_stage(self.corpus, encoder, cell.seed)
            used["ids"], codes = self._learn_ids(cell)
        if cell.task == "id-quality":
            assert codes is not None
            scored = Scored.of_codes(codes, self.corpus, histories)
        else:
            if codes is not None:
                used[f"train.{cell.task}"] = self._finetune(cell, codes)
            stage = used[f"rank.{cell.task}"] = self._rank(cell, codes)
            scored = self._score(cell, stage, codes)
        if process_rank() == 0:
            write_result(cell, self.plan, scored, used, codes, self.corpus, histories)

    def _context(self, cell: Cell, work: Path) -> Context:
        return Context(
            seed=cell.seed, work=work, device=self.device, progress=self.progress, log=self.log,
            embedder=self._embed,
        )  # fmt: skip

    def _build(self, stage: Stage, make: Callable[[Path, Path], Mapping[str, Any]], *, collective: bool) -> Stage:
        if stage.done:
            return stage
        self.store.build(stage, make, device=device_words(self.device), collective=collective)
        self.log(f"  {stage.name}: {stage.cost()['seconds']:.1f} s")
        return stage

    def _embeddings_stage(self, corpus: Corpus, encoder: EncoderConfig, seed: int) -> Stage:
        from benchmark.learning.encoders import embed

        def make(folder: Path, work: Path) -> Facts:
            context = Context(seed=seed, work=work, device=self.device, progress=self.progress, log=self.log)
            vectors = embed(corpus.texts(), encoder, context)
            np.save(folder / "embeddings.npy", vectors)
            _keep_logs(work, folder)
            return Facts(dim=int(vectors.shape[1]))

        stage = self.stages.encode(encoder, seed, corpus.fields)
        return self._build(stage, make, collective=encoder.simcse_epochs > 0)

    def _embed(self, corpus: Corpus, encoder: Any, context: Context) -> Float32:
        config = encoder if isinstance(encoder, EncoderConfig) else EncoderConfig.model_validate(encoder)
        if corpus.table is not self.corpus.table:
            raise BenchmarkError("embed: only the run's own items can be embedded (other text fields are fine)")
        stage = self.stages.encode(config, context.seed, corpus.fields)
        if not stage.done:
            self._embeddings_stage(corpus, config, context.seed)
            context.facts[NESTED_SECONDS] = context.facts.get(NESTED_SECONDS, 0.0) + stage.cost()["seconds"]
        vectors: Float32 = np.load(stage.final / "embeddings.npy")
        return vectors

    def _query_embedder(self, facts: Facts) -> Callable[[Sequence[str], EncoderConfig], Float32]:
        """Return what embeds query texts, each set of texts once; `facts` are those of the stage that asks."""

        def embedder(texts: Sequence[str], encoder: EncoderConfig) -> Float32:
            from benchmark.learning.encoders import embed

            def make(folder: Path, work: Path) -> Facts:
                context = Context(seed=0, work=work, device=self.device, progress=self.progress, log=self.log)
                vectors = embed(list(texts), encoder, context)
                np.save(folder / "embeddings.npy", vectors)
                return Facts(dim=int(vectors.shape[1]))

            stage = self.stages.encode_queries(encoder, texts)
            if not stage.done:
                self._build(stage, make, collective=False)
                facts[NESTED_SECONDS] = facts.get(NESTED_SECONDS, 0.0) + stage.cost()["seconds"]
            vectors: Float32 = np.load(stage.final / "embeddings.npy", mmap_mode="r")
            return vectors

        return embedder

    def _learn_ids(self, cell: Cell) -> tuple[Stage, Codes]:
        def make(folder: Path, work: Path) -> Facts:
            context, method = self._context(cell, work), cell.variant.cls(cell.variant.config)
            assert isinstance(method, Indexer)
            codes = method.fit(self.corpus, context)
            if len(codes) != len(self.corpus):
                raise BenchmarkError(f"{cell.variant.label}: {len(codes)} codes for {len(self.corpus)} items")
            method.hand_over(folder / START)
            load_start(folder / START, codes.sizes)  # what does not fit is refused here, not when it is used
            np.savez(folder / "codes.npz", values=codes.values, sizes=np.asarray(codes.sizes))
            _keep_logs(work, folder)
            return context.facts

        stage = self._build(self.stages.ids(cell), make, collective=True)
        if stage.key not in self._codes:
            saved = np.load(stage.final / "codes.npz")
            self._codes[stage.key] = Codes(saved["values"], tuple(int(size) for size in saved["sizes"]))
        return stage, self._codes[stage.key]

    def _finetune(self, cell: Cell, codes: Codes) -> Stage:
        from benchmark.generative.finetune import finetune_recommendation, finetune_search
        from benchmark.generative.search_examples import search_examples

        config = cell.variant.generative
        assert config is not None
        start = self.stages.ids(cell).final / START

        def make(folder: Path, work: Path) -> Facts:
            context, unique = self._context(cell, work), codes.with_counter()
            if cell.task == "recommendation":
                facts = finetune_recommendation(
                    folder, unique, self.corpus, self.split.train, config, context, start, self.split.validation
                )
            else:
                queries, development = search_examples(
                    self.plan.dataset, self.stages.training_queries, config.search
                )
                facts = finetune_search(
                    folder, unique, self.corpus, queries, config, context, start, development,
                    self._query_embedder(context.facts),
                )  # fmt: skip
            context.facts.update(facts)
            _keep_logs(work, folder)
            return context.facts

        return self._build(self.stages.train(cell), make, collective=True)

    def _rank(self, cell: Cell, codes: Codes | None) -> Stage:
        depth = self.plan.protocol.depth
        _ = (self.test_queries, self.train_queries) if cell.task == "search" else self.test_users  # not timed

        def make(folder: Path, work: Path) -> Facts:
            context = self._context(cell, work)
            if codes is not None:
                rankings = self._rank_generatively(cell, codes, context)
            else:
                rankings = self._rank_directly(cell, context)
            check_rankings(rankings, self._n_queries(cell), len(self.corpus), depth)
            np.savez(folder / "rankings.npz", items=rankings.items, scores=rankings.scores)
            _keep_logs(work, folder)
            return context.facts

        return self._build(self.stages.rank(cell), make, collective=codes is None)

    def _n_queries(self, cell: Cell) -> int:
        return len(self.test_queries) if cell.task == "search" else len(self.test_users[0])

    def _rank_generatively(self, cell: Cell, codes: Codes, context: Context) -> Rankings:
        from benchmark.generative.finetune import rank_recommendation, rank_search

        config, depth = cell.variant.generative, self.plan.protocol.depth
        assert config is not None
        trained, unique = self.stages.train(cell).final, codes.with_counter()
        if cell.task == "search":
            return rank_search(trained, unique, self.corpus, self.test_queries.texts, depth, config, context)
        return rank_recommendation(trained, unique, self.corpus, self.test_users[0], depth, config, context)

    def _rank_directly(self, cell: Cell, context: Context) -> Rankings:
        import time

        method = cell.variant.cls(cell.variant.config)
        assert isinstance(method, Retriever | Recommender)
        n, started = self._n_queries(cell), time.perf_counter()
        if isinstance(method, Retriever):
            method.fit(self.corpus, self.train_queries, context)
        else:
            method.fit(self.corpus, self.split.train, self.split.validation, context)
        fitted = time.perf_counter()
        rankings = self._ranked(method, np.arange(n))
        seconds = time.perf_counter() - fitted
        context.facts["fit_seconds"] = round(fitted - started, 3)
        context.facts.update(throughput(n, seconds))
        context.facts.update(latency(lambda row: self._ranked(method, np.asarray([row])), n))
        return rankings

    def _ranked(self, method: Retriever[Any] | Recommender[Any], rows: Int64) -> Rankings:
        """Rank items for the test queries or users at these rows."""
        if isinstance(method, Retriever):
            return method.search([self.test_queries.texts[row] for row in rows], self.plan.protocol.depth)
        return method.recommend(self.test_users[0].select(rows), self.plan.protocol.depth)

    def _score(self, cell: Cell, stage: Stage, codes: Codes | None) -> Scored:
        saved = np.load(stage.final / "rankings.npz")
        rankings = Rankings(saved["items"], saved["scores"])
        ids = self.corpus.ids
        if cell.task == "search":
            queries = self.test_queries
            triples = zip(queries.query_rows, queries.item_rows, queries.grades, strict=True)
            judgments = [(queries.ids[query], ids[item], int(grade)) for query, item, grade in triples]
            texts = "".join(f"{name}\t{text}\n" for name, text in zip(queries.ids, queries.texts, strict=True))
            write_text(cell.folder / "queries.search.tsv", texts)
            return Scored.of_rankings(cell, self.corpus, queries.ids, rankings, judgments, codes)
        histories, targets = self.test_users
        judgments = [(user, ids[item], 1) for user, item in zip(histories.users, targets, strict=True)]
        return Scored.of_rankings(cell, self.corpus, histories.users, rankings, judgments, codes)


def _keep_logs(work: Path, folder: Path) -> None:
    for log in sorted(work.glob("*.log.jsonl")):
        (folder / log.name).write_bytes(log.read_bytes())
