"""Which stages a cell goes through, and what decides each one: its key changes with nothing else.

encode -> ids -> train.<task> -> rank.<task>        (indexers)
                                 rank.<task>        (retrievers and recommenders)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from benchmark.code_version import code_version, folder_version, model_folders
from benchmark.config import EncoderConfig, encoders
from benchmark.data.cold_start import KnownItems
from benchmark.data.dataset import Dataset
from benchmark.data.protocols import withholds_items
from benchmark.files import digest
from benchmark.running import first_look
from benchmark.running.cells import Cell, Plan
from benchmark.running.steps.encode import encode_items, encode_texts, model_version
from benchmark.running.steps.fit_and_rank import fit_and_rank
from benchmark.running.steps.ids import learn_ids
from benchmark.running.steps.rank_ids import rank_ids
from benchmark.running.steps.train import train_recommendation
from benchmark.running.store import Stage, Store

TASK_DATA = {"recommendation": "sequences", "search": "queries"}
READER_KEYS = {
    "text": frozenset({"backbone", "scratch", "start", "max_source"}),
    "ids": frozenset({"ids", "start", "pairs", "max_source"}),
    "items": frozenset({"items", "decoder", "start"}),
    "sentence": frozenset({"sentence", "decoder"}),
}
RANK_KEYS = frozenset({"beams", "scorer", "length_penalty"})


@dataclass(frozen=True)
class Stages:
    """The stages of a plan's cells, whether they are cached or not."""

    plan: Plan
    store: Store

    def of(self, cell: Cell) -> list[Stage]:
        """Return the stages that decide a cell, in order."""
        stages = []
        if cell.variant.kind == "indexer":
            stages += [self.encode(encoder, cell.seed) for encoder in encoders(cell.variant.config)]
            stages.append(self.ids(cell))
        if cell.task != "id-quality":
            if cell.variant.kind == "indexer":
                stages.append(self.train(cell))
            stages.append(self.rank(cell))
        return stages

    def encode(self, encoder: EncoderConfig, seed: int, fields: tuple[str, ...] | None = None) -> Stage:
        """Embeddings of all items, read from the plan's text fields or from others."""
        decided_by = {
            **self._data(),
            "text_fields": fields or self.plan.protocol.text_fields,
            "encoder": encoder.model_dump(),
            "model": model_version(encoder),
            "seed": seed if encoder.simcse_epochs else None,
            "code": code_version(encode_items),
        }
        return self.store.stage("encode", decided_by)

    def encode_queries(self, encoder: EncoderConfig, texts: Sequence[str]) -> Stage:
        """Embeddings of query texts."""
        decided_by = {
            "texts": digest(list(texts)),
            "encoder": encoder.model_dump(),
            "model": model_version(encoder),
            "code": code_version(encode_texts),
        }
        return self.store.stage("encode-queries", decided_by)

    def ids(self, cell: Cell) -> Stage:
        """Semantic IDs before the dedup counter."""
        variant = cell.variant
        decided_by = {
            **self._data(),
            "method": variant.method,
            "config": variant.config.model_dump(mode="json"),
            "models": model_folders(variant.config),
            "encode": [self.encode(encoder, cell.seed).key for encoder in encoders(variant.config)],
            "seed": cell.seed,
            "code": [variant.code, code_version(learn_ids), code_version(encode_items)],  # `context.embed`
        }
        return self.store.stage("ids", decided_by)

    def train(self, cell: Cell) -> Stage:
        """The trained reader and ID decoder of an indexer's task."""
        config = cell.variant.generative
        assert config is not None
        settings = config.recommendation if cell.task == "recommendation" else config.search
        keys = READER_KEYS[settings.reader] | {cell.task}
        keys |= RANK_KEYS if settings.evaluations else frozenset()  # validation ranks
        keys |= {"pairs"} if (settings.reader, cell.task) == ("text", "recommendation") else frozenset()
        models: list[Any] = []
        if settings.reader == "text":
            models = [folder_version(config.backbone)]
        elif settings.reader == "ids":
            models = [folder_version(config.ids.backbone)]
        elif settings.reader == "sentence":
            models = [model_version(config.sentence.encoder)]
        elif config.items.vectors in ("text", "both"):
            models = [self.encode(config.items.encoder, cell.seed).key]
        queries = self.plan.dataset.training_queries(self.plan.protocol.query_set)
        decided_by = {
            **self._data(TASK_DATA[cell.task]),
            **(self._histories() if cell.task == "recommendation" else {}),
            "training_queries": queries if cell.task == "search" else None,
            "ids": self.ids(cell).key,
            "config": config.model_dump(include=set(keys), mode="json"),
            "models": models,
            "seed": cell.seed,
            "code": code_version(train_recommendation),
        }
        return self.store.stage(f"train.{cell.task}", decided_by)

    def rank(self, cell: Cell) -> Stage:
        """The ranked items of every test user or query."""
        variant, config = cell.variant, cell.variant.generative
        protocol = self.plan.protocol
        decided_by = {**self._task_data(cell), "depth": protocol.depth, "seed": cell.seed}
        decided_by |= first_look.decided_by(protocol)
        if config is not None:
            keys = RANK_KEYS | {"search_error_queries"} | ({"history"} if cell.task == "recommendation" else set())
            decided_by |= {
                "train": self.train(cell).key,
                "config": config.model_dump(include=set(keys), mode="json"),
                "code": code_version(rank_ids),
            }
        else:
            decided_by |= {
                "method": variant.method,
                "config": variant.config.model_dump(mode="json"),
                "models": model_folders(variant.config),
                "code": [variant.code, code_version(fit_and_rank)],
                "embeddings": code_version(encode_items),  # for `context.embed`
            }
        return self.store.stage(f"rank.{cell.task}", decided_by)

    def _data(self, *parts: str) -> dict[str, Any]:
        hashes = {part: self.plan.dataset.parts.get(part) for part in ("items", *parts)}
        code = code_version(Dataset)
        return {"text_fields": self.plan.protocol.text_fields, "code of data": code, **hashes, **self._withheld}

    @cached_property
    def _withheld(self) -> dict[str, Any]:
        """What decides which items are withheld from learning: nothing where none are."""
        split = self.plan.protocol.split
        return {"withheld": [split, code_version(KnownItems)]} if withholds_items(split) else {}

    def _task_data(self, cell: Cell) -> dict[str, Any]:
        protocol, search = self.plan.protocol, cell.task == "search"
        decided_by = {**self._data(TASK_DATA[cell.task]), "query_set": protocol.query_set if search else None}
        return decided_by | ({"self_retrieval": protocol.self_retrieval} if search else self._histories())

    def _histories(self) -> dict[str, Any]:
        """What decides histories besides their file: nothing where they are read and split as the papers do."""
        chosen = self.plan.protocol.of_histories
        return {**chosen, "times": self.plan.dataset.parts.get("times")} if chosen else {}
