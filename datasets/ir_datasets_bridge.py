"""Any collection of the package ir_datasets by its id: documents, queries and judgments, read document by document.

    benchmark import ir-datasets beir/nfcorpus/test data/nfcorpus --train beir/nfcorpus/train --dev beir/nfcorpus/dev

`title` stays the title; `text`, `body`, `abstract` and `contents`, in this order the first that a document has, is the
description; every other field keeps its name. A document with none of them gives its default text. ir_datasets
downloads what it lacks, or says how to get it; the package is optional: pip install "lmindexer-benchmark[ir-datasets]".

Source: MacAvaney et al., Simplified Data Wrangling with ir_datasets, SIGIR 2021.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, ClassVar

from benchmark.data.importing import Argument, Importer
from benchmark.data.writing import FolderWriter
from benchmark.errors import DataError, MissingDependency, UsageError, did_you_mean

BODIES = ("text", "body", "abstract", "contents")
RESERVED = ("id", "category", "categories")  # names that the neutral layout reads in its own way


class IRDatasets(Importer):
    """Any id of the package ir_datasets: its documents, queries and judgments."""

    title: ClassVar[str] = "ir_datasets"
    example: ClassVar[str] = "ir-datasets vaswani data/vaswani"
    arguments = (
        Argument("source", "an id such as beir/scifact/test; its queries are the test queries"),
        Argument("--train", "an id of the same documents: the train queries", metavar="ID"),
        Argument("--dev", "an id of the same documents: the dev queries", metavar="ID"),
    )

    def write(self, arguments: SimpleNamespace, writer: FolderWriter) -> str:
        """Write items, queries and judgments."""
        splits = {"test": arguments.source, "train": arguments.train, "dev": arguments.dev}
        datasets = {split: _load(name) for split, name in splits.items() if name}
        source = datasets["test"]
        if not source.has_docs():
            raise UsageError(f"import ir-datasets: '{arguments.source}' has no documents")
        catalogued = getattr(source, "docs_metadata", None)  # `docs_count` would download and index all documents
        total = catalogued().get("count") if catalogued else None
        writer.items(self.progress(_documents(source, arguments.source), "documents", total))
        for split, dataset in datasets.items():
            name = splits[split]
            if dataset.has_queries() and dataset.has_qrels():
                known = writer.queries(split, _queries(dataset, name))
                writer.judgments(split, _judgments(dataset, name), known)
            elif split == "test":
                writer.notes.append(f"{name} has no queries with judgments")
            else:
                raise UsageError(f"--{split}: '{name}' has no queries with judgments")
        return f"ir_datasets {', '.join(name for name in splits.values() if name)}"


def _load(name: str) -> Any:
    try:
        import ir_datasets
    except ImportError:
        raise MissingDependency(
            'import ir-datasets needs the package ir_datasets: pip install "lmindexer-benchmark[ir-datasets]"'
        ) from None
    try:
        return ir_datasets.load(name)
    except KeyError:
        raise UsageError(f"ir_datasets knows no '{name}'.{_near(name, list(ir_datasets.registry))}") from None


def _near(name: str, known: list[str]) -> str:
    hint = did_you_mean(name, known)
    return hint if "Did you mean" in hint else " Its catalogue: https://ir-datasets.com"


def _documents(dataset: Any, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for number, document in enumerate(_read(dataset.docs_iter, name, "documents"), 1):
        fields = document._asdict()
        item: dict[str, Any] = {"id": fields.pop("doc_id"), "title": fields.pop("title", None)}
        body = next((field for field in BODIES if fields.get(field)), None)
        if body:
            item["description"] = _plain(fields.pop(body))
        elif not item["title"]:  # what the package takes for the text begins with the title, where there is one
            item["description"] = document.default_text()
        item |= {field: _plain(value) for field, value in fields.items() if field not in RESERVED}
        yield f"{name}: document {number}", item


def _plain(value: Any) -> Any:
    """Return JSON: named tuples as objects, bytes (raw pages) as nothing."""
    if isinstance(value, bytes):
        return None
    if hasattr(value, "_asdict"):
        return {key: _plain(part) for key, part in value._asdict().items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return value


def _queries(dataset: Any, name: str) -> Iterator[tuple[str, object, object]]:
    for number, query in enumerate(_read(dataset.queries_iter, name, "queries"), 1):
        yield f"{name}: query {number}", query.query_id, query.default_text()


def _judgments(dataset: Any, name: str) -> Iterator[tuple[str, object, object, object]]:
    for number, judgment in enumerate(_read(dataset.qrels_iter, name, "judgments"), 1):
        yield f"{name}: judgment {number}", judgment.query_id, judgment.doc_id, judgment.relevance


def _read(records: Callable[[], Iterator[Any]], name: str, what: str) -> Iterator[Any]:
    """Yield records; what goes wrong inside the package (no network, a licence to accept) becomes one error."""
    try:
        yield from records()
    except (OSError, RuntimeError, ValueError, UnicodeError, EOFError) as error:
        raise DataError(f"ir_datasets {name}: its {what} cannot be read: {error}") from error
