"""Other people's files: written in miniature, imported by the command line, read back."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

from benchmark.cli.main import main
from benchmark.data.dataset import Dataset, open_dataset


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    data = text.encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def jsonl(path: Path, *records: dict[str, Any]) -> Path:
    return write(path, "".join(json.dumps(record) + "\n" for record in records))


def imported(tmp_path: Path, *words: str | Path, check: bool = True) -> Dataset:
    """Import by the command line and read the whole folder back."""
    target = tmp_path / "imported"
    form, *rest = (str(word) for word in words)
    options = next((place for place, word in enumerate(rest) if word.startswith("--")), len(rest))
    assert main(["import", form, *rest[:options], str(target), *rest[options:]]) == 0
    dataset = open_dataset(str(target), cache=tmp_path / "cache", check=check)
    dataset.counts()
    return dataset


def rows(dataset: Dataset, *fields: str) -> list[tuple[Any, ...]]:
    table = dataset.corpus().table
    return list(zip(*(table.column(field).to_pylist() for field in fields), strict=True))


def histories(dataset: Dataset) -> dict[str, list[str]]:
    ids, found = dataset.corpus().ids, dataset.histories()
    return {user: [ids[item] for item in found[row]] for row, user in enumerate(found.users)}


def notes(dataset: Dataset) -> str:
    return "\n".join(dataset.about["notes"])
