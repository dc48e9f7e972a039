"""The learned indexer of a finished cell, as its stage `ids` has kept it in the cache beside the results."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from benchmark.config import MethodConfig
from benchmark.errors import BenchmarkError, UsageError
from benchmark.registry import load
from benchmark.results.result_files import Result, read_result
from benchmark.results.row_folder import result_folder
from benchmark.running.steps.encode import read_embeddings
from benchmark.running.steps.ids import read_codes, read_indexer
from benchmark.sealing import damage
from benchmark.types.arrays import Float32
from benchmark.types.codes import Codes
from benchmark.types.data import Corpus
from benchmark.types.method import Context, Indexer

ConfigT = TypeVar("ConfigT", bound=MethodConfig)


@dataclass(frozen=True)
class Learned:
    """An indexer that has learned, and what it has given its own items."""

    indexer: Indexer[Any]
    codes: Codes  # before the counter, in the order of ids.tsv
    columns: list[str]  # of the items that it has learned from


def cell_result(cell: Path) -> Result:
    """Return the result of a finished cell of an indexer, or of the one cell in a folder above.

    Raises UsageError for another folder.
    """
    path = result_folder(cell) / "result.json"
    if not path.is_file():
        raise UsageError(f"{cell}: holds no finished cell; give RUNS/<dataset>/<label>, or a folder seed-<n> in it")
    result = read_result(path)
    if result.problem:
        raise BenchmarkError(result.problem)
    if result.kind != "indexer":
        raise UsageError(f"{cell}: {result.label} is a {result.kind} and has no IDs")
    return result


def learned_indexer(result: Result, *, device: str = "cpu", embeddings: bool = False) -> Learned:
    """Return what a cell has learned. Raises BenchmarkError where it was not kept or no longer fits.

    With `embeddings` the indexer reads those of the cell's own items where they were cached, in place of an encoder.
    """
    folder = stage_folder(result, "ids")
    method = load("method", result.method)
    indexer = method(stored_settings(method.Config, result, "method"))
    context = Context(seed=result.seed, device=device, embedder=_cached(result) if embeddings else None)
    return Learned(indexer, read_codes(folder), read_indexer(folder, indexer, context))


def stored_settings(model: type[ConfigT], result: Result, part: str) -> ConfigT:
    """Return the settings of a result as this version reads them. Raises BenchmarkError for another version's."""
    try:
        return model.model_validate(result.config[part])
    except ValueError as error:
        raise BenchmarkError(
            f"{result.folder}: made by another version of {result.method}, whose settings this one cannot read "
            f"({str(error).splitlines()[0]}); call the command that made this cell again"
        ) from None


def stage_folder(result: Result, name: str) -> Path:
    """Return the folder of a stage of a result, in the cache beside it."""
    cache = result.folder.resolve().parents[3] / ".cache"
    folder = cache / name / result.stages.get(name, "none")
    problem = damage(folder) if name in result.stages else "its result is of an older version, which kept none"
    if problem:
        raise BenchmarkError(
            f"{result.folder}: the trained model of {result.label} is missing ({folder}: {problem}). Run the command "
            "of this cell again with a new --runs folder"
        )
    return folder


def _cached(result: Result) -> Any:
    """Return what embeds the items of the cell: the cached vectors, for exactly as many items."""

    def embedder(corpus: Corpus, encoder: Any, context: Context) -> Float32:
        folder = stage_folder(result, "encode")
        vectors = read_embeddings(folder)
        if len(vectors) != len(corpus):
            raise BenchmarkError(f"{folder}: {len(vectors):,} vectors for {len(corpus):,} items")
        return vectors

    return embedder
