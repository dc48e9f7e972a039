"""A method that changes its input gets an error, and the rows beside it are those of a run without it."""

from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import FAST

from benchmark.cli.main import main
from benchmark.config import MethodConfig
from benchmark.registry import registered
from benchmark.types.arrays import Int32
from benchmark.types.codes import Codes
from benchmark.types.data import Corpus, Histories
from benchmark.types.method import Context, Indexer, Recommender
from benchmark.types.rankings import Rankings

pytestmark = pytest.mark.usefixtures("small_encoder")


class Reversing(Indexer[MethodConfig]):
    """Reverses the ids in place, which would detach the ids of all other rows from their items."""

    def fit(self, corpus: Corpus, context: Context) -> Codes:
        ids: Any = corpus.ids
        ids.reverse()
        return Codes(np.zeros((len(ids), 1), np.int32), (1,))


class Recoding(Indexer[MethodConfig]):
    """Writes into codes that it has handed out."""

    def fit(self, corpus: Corpus, context: Context) -> Codes:
        codes = Codes(np.zeros((len(corpus), 1), np.int32), (2,))
        codes.values[0] = 1
        return codes


class Sorting(Recommender[MethodConfig]):
    """Sorts the histories in place."""

    def fit(self, corpus: Corpus, histories: Histories, validation: Int32, context: Context) -> None:
        histories.items.sort()

    def recommend(self, histories: Histories, k: int) -> Rankings:
        raise AssertionError("not reached")


class Peeking(Recommender[MethodConfig]):
    """Changes the validation items."""

    def fit(self, corpus: Corpus, histories: Histories, validation: Int32, context: Context) -> None:
        validation[:] = -1

    def recommend(self, histories: Histories, k: int) -> Rankings:
        raise AssertionError("not reached")


HOSTILE = {
    "reversing": (Reversing, "has no attribute 'reverse'"), "recoding": (Recoding, "read-only"),
    "sorting": (Sorting, "read-only"), "peeking": (Peeking, "read-only"),
}  # fmt: skip


def rows(runs: Path) -> dict[tuple[str, str], bytes]:
    """Everything that the runs leave behind but measured costs and what names their folders."""
    left_out = ("cost.json", ".lock")
    files = (path for path in runs.glob("shop/*/*/*/*") if path.name not in left_out)
    return {(path.relative_to(runs).parts[1], path.name): path.read_bytes() for path in files}


def test_a_method_that_changes_its_input_fails_alone(
    shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, (cls, _) in HOSTILE.items():
        entry = EntryPoint(name, f"test_read_only:{cls.__name__}", "benchmark.methods")
        monkeypatch.setitem(registered("method"), name, entry)

    def run(runs: Path, *methods: str) -> int:
        words = ["run", "--dataset", str(shop), "--methods", ",".join(methods), "--runs", str(runs), "--device", "cpu"]
        return main([*words, "--tasks", "id-quality,recommendation", "--set", "random.codebook_size=8", *FAST])

    assert run(tmp_path / "with", *HOSTILE, "random", "item-knn") == 1
    said = capsys.readouterr().err
    for name, (_, reason) in HOSTILE.items():
        assert any(name in line and reason in line for line in said.splitlines()), (name, said)
    assert run(tmp_path / "without", "random", "item-knn") == 0
    assert rows(tmp_path / "with") == rows(tmp_path / "without")
