"""BEIR folders: a corpus, queries and one file of judgments for each split.

    corpus.jsonl    {"_id", "title", "text", ...}           text becomes the description; other keys are left out
    queries.jsonl   {"_id", "text", ...}
    qrels/{train,dev,test}.tsv    query-id TAB corpus-id TAB score, with a header

Source: Thakur et al., BEIR, NeurIPS 2021 Datasets and Benchmarks.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

from benchmark.data.dataset import SPLITS
from benchmark.data.importing import Argument, Importer
from benchmark.data.layout import find_part
from benchmark.data.writing import FolderWriter
from benchmark.datasets.delimited import read_delimited
from benchmark.errors import DataError, at_line, line_error
from benchmark.fetching.lines import bounded_lines, json_object

READ = ("_id", "title", "text")
QRELS = ("query-id", "corpus-id", "score")


class BEIR(Importer):
    """A BEIR folder: corpus.jsonl, queries.jsonl, qrels/{train,dev,test}.tsv."""

    title: ClassVar[str] = "BEIR"
    example: ClassVar[str] = "beir scifact data/scifact"
    arguments = (Argument("source", "the folder with corpus.jsonl", type=Path),)

    def write(self, arguments: SimpleNamespace, writer: FolderWriter) -> str:
        """Write items, one file of queries for all splits, and judgments."""
        source: Path = arguments.source
        corpus, queries = find_part(source, "corpus.jsonl"), find_part(source, "queries.jsonl")
        if corpus is None:
            raise DataError(f"{source}: holds no corpus.jsonl or corpus.jsonl.gz")
        others: dict[str, None] = {}
        writer.items(self.progress(_documents(corpus, others), "documents"))
        writer.note_left_out(corpus.name, others)
        qrels = {split: path for split in SPLITS if (path := find_part(source / "qrels", f"{split}.tsv"))}
        if not qrels:
            writer.notes.append("qrels/ holds no train.tsv, dev.tsv or test.tsv: without judgments")
            return f"BEIR folder {source.resolve().name}"
        if queries is None:
            raise DataError(f"{source}: has judgments but holds no queries.jsonl")
        known = writer.queries("test", ((place, row.get("_id"), row.get("text")) for place, row in _records(queries)))
        writer.counts["queries"] = writer.counts.pop("test queries")
        for split, path in qrels.items():
            writer.judgments(split, _judgments(path), known)
        return f"BEIR folder {source.resolve().name}"


def _documents(path: Path, others: dict[str, None]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the documents; `others` gets the keys that are left out."""
    for place, row in _records(path):
        others.update(dict.fromkeys(key for key in row if key not in READ))
        yield place, {"id": row.get("_id"), "title": row.get("title"), "description": row.get("text")}


def _records(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for number, line in bounded_lines(path):
        yield at_line(path, number), json_object(path, number, line)


def _judgments(path: Path) -> Iterator[tuple[str, object, object, object]]:
    for place, row in read_delimited(path, "\t", quoted=False):
        if tuple(row) != QRELS:
            raise line_error(path, 1, f"expected the header {' TAB '.join(QRELS)}, got {' TAB '.join(row)[:80]}")
        yield place, row["query-id"], row["corpus-id"], row["score"]
