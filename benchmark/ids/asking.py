"""Questions to a finished cell: a query or a history, answered with items, their IDs and the way to each.

    answerer = Answerer.open(cell)
    answerer.answer("red desk lamp")               # a query, where the cell was trained for search
    answerer.answer("i12 i7")                      # the items of a history, oldest first, for recommendation

The model is the one that the cell's scores are of, as its stage `train.<task>` lies in the cache.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmark.errors import BenchmarkError, UsageError, did_you_mean
from benchmark.generative.config import GenerativeConfig
from benchmark.generative.finetune import open_recommendation, open_search
from benchmark.ids.id_set import IdSet, open_ids
from benchmark.ids.learned import cell_result, stage_folder, stored_settings
from benchmark.results.result_files import Result, read_withheld
from benchmark.running.steps.ids import read_codes
from benchmark.types.codes import Codes
from benchmark.types.data import Corpus, Histories
from benchmark.types.method import Context

if TYPE_CHECKING:
    from benchmark.generative.rank import Ranker, States
from benchmark.generative.seen_items import without_seen

TASKS = ("search", "recommendation")
MOST = 10  # items of an answer


@dataclass(frozen=True)
class Step:
    """One code on the way to an item: how probable it was behind the codes before, and how many items go that way."""

    code: int
    probability: float
    items: int


@dataclass(frozen=True)
class Found:
    """One item of an answer; the last step of its way is the dedup counter."""

    rank: int
    item: str
    title: str
    score: float
    way: tuple[Step, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the item as a JSON value."""
        steps = [{"code": step.code, "probability": step.probability, "items": step.items} for step in self.way]
        return {
            "rank": self.rank, "item": self.item, "title": self.title, "score": self.score,
            "id": [step.code for step in self.way], "way": steps,
        }  # fmt: skip


@dataclass(frozen=True)
class Task:
    """A trained model: what ranks, and what prepares a question for it."""

    ranker: Ranker
    states: Callable[[Any], States]


@dataclass(frozen=True)
class Answerer:
    """A finished cell with the models of its tasks."""

    result: Result
    ids: IdSet
    codes: Codes  # with the dedup counter, in the order of the items
    tasks: Mapping[str, Task]

    @classmethod
    def open(cls, cell: Path, *, task: str = "", device: str = "cpu") -> Answerer:
        """Load what the cell has trained, for one task or for both.

        Raises UsageError where the cell has not been trained for a task, BenchmarkError where the models were not kept.
        """
        result = cell_result(cell)
        trained = [name for name in TASKS if f"train.{name}" in result.stages and task in ("", name)]
        if not trained:
            wanted = task or "search or recommendation"
            raise UsageError(f"{cell}: {result.label} has not been trained for {wanted} (benchmark run --tasks ..)")
        ids = open_ids(str(cell))
        codes = _codes(result, ids)
        corpus, config = _corpus(ids), stored_settings(GenerativeConfig, result, "generative")
        trained = [name for name in trained if name == task or not _reads_texts(name, config)] or trained
        context = Context(seed=result.seed, device=device)
        opened = {}
        for name in trained:
            if _reads_texts(name, config):
                raise UsageError(
                    f"{cell}: its {name} reads the items' texts, which a result does not hold; cells of the readers "
                    "items (vectors=ids) and ids can be asked"
                )
            open_task = open_search if name == "search" else open_recommendation
            opened[name] = Task(*open_task(stage_folder(result, f"train.{name}"), codes, corpus, config, context))
        return cls(result, ids, codes, opened)

    def answer(self, question: str, *, task: str = "", most: int = MOST) -> tuple[str, list[Found]]:
        """Return the task and the best items for a query, or for the items of a history: `most`, or as many as beams.

        Without a task, words of which half or more are items are a history where the cell recommends, else a query.
        Raises UsageError for an empty question and for items that are none.
        """
        words = question.replace(",", " ").split()
        if not words:
            raise UsageError("an empty question: ask with the words of a query, or with the items of a history")
        known = sum(word in self.ids.row_of for word in words)
        of_items = 2 * known >= len(words)
        task = task or ("recommendation" if "recommendation" in self.tasks and of_items else "search")
        if task not in self.tasks:
            hint = "; ask with the items of a history, oldest first" if task == "search" else ""
            raise UsageError(f"{self.result.label} was loaded for {', '.join(self.tasks)}, not {task}{hint}")
        asked: Any = [question] if task == "search" else self._history(words)
        ranker, states = self.tasks[task].ranker, self.tasks[task].states(asked)
        excluded = task == "recommendation" and ranker.config.history == "exclude"
        depth = ranker.config.beams if excluded else min(most, ranker.config.beams)
        ranked = ranker.rank(states, np.zeros(1, np.int64), depth)
        ranked = without_seen(ranked, asked) if excluded else ranked
        rows = ranked.items[0][ranked.items[0] >= 0][:most].astype(np.int64)
        if not len(rows):
            return task, []
        ways = ranker.explain(states, 0, rows)
        scores = ranked.scores[0].tolist()
        return task, [
            self._found(task, rank, row, scores[rank], way)
            for rank, (row, way) in enumerate(zip(rows.tolist(), ways, strict=True))
        ]

    def _history(self, words: Sequence[str]) -> Histories:
        for word in words:
            if word not in self.ids.row_of:
                search = " As a query: --task search." * ("search" in self.tasks)
                hint = did_you_mean(word, self.ids.items, " See: benchmark ids inspect.") + search
                raise UsageError(f"'{word}' is not an item of {self.ids.name}.{hint}")
        rows = np.array([self.ids.row_of[word] for word in words], np.int32)
        return Histories(("asked",), np.array([0, len(rows)], np.int64), rows)

    def _found(self, task: str, rank: int, row: int, score: float, way: Any) -> Found:
        codes = [code for code in self.codes.values[row].tolist() if code >= 0]
        trie = self.tasks[task].ranker.trie
        below = [int(trie.items_below[node]) for node in trie.paths[row][1:].tolist()]
        steps = [Step(code, float(np.exp(way[depth])), below[depth]) for depth, code in enumerate(codes)]
        item = self.ids.items[row]
        about = self.ids.about.get(item)
        return Found(rank + 1, item, about.title if about else "", float(score), tuple(steps))


def _corpus(ids: IdSet) -> Corpus:
    import pyarrow as pa

    titles = [ids.about[item].title if item in ids.about else "" for item in ids.items]
    return Corpus(pa.table({"id": list(ids.items), "title": titles}), ("title",))


def _codes(result: Result, ids: IdSet) -> Codes:
    """Return the IDs with the dedup counter, in codebooks of the sizes that the model was trained with.

    Raises BenchmarkError where the IDs of the cell are not those of its stage.
    """
    codes = read_codes(stage_folder(result, "ids"))
    if not np.array_equal(codes.values, ids.codes.values):
        raise BenchmarkError(f"{result.folder}: ids.tsv does not hold the IDs that its model was trained with")
    withheld = read_withheld(result)
    later = None if withheld is None else np.array([item in withheld for item in ids.items])
    return codes.with_counter(later)


def _reads_texts(task: str, config: GenerativeConfig) -> bool:
    """Return whether the model reads the items' whole texts, which a cell does not keep."""
    if task != "recommendation":
        return False
    by_items = config.recommendation.reader == "items" and config.items.vectors in ("text", "both")
    return by_items or config.recommendation.reader == "text"
