"""Rankings from a file (`run-file`): what any other system retrieved or recommended, scored like the suite's own rows.

    X.trec, X.run, X.txt    query Q0 item rank score tag    a TREC run; query = user in recommendation
    X.csv                   query,item,score                with or without a header line

    benchmark run --methods bm25 --run-file mine=run.trec --dataset demo --tasks search
    benchmark run --run-file 'mine=run-{seed}.trec' --seeds 0,1,2 --dataset demo --tasks recommendation

Items are ordered by score, equal scores by item id descending, as trec_eval does. Every item must be one of the data
set's. Queries that the data set does not ask are left out; one that the file lacks finds nothing and counts 0. Results
beyond the depth that all rows are ranked to are cut off. Source of the form: https://trec.nist.gov (trec_eval).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field, model_validator

from benchmark.config import MethodConfig
from benchmark.errors import DataError, require
from benchmark.files import digest, file_digest, home_path
from benchmark.types.data import Corpus
from benchmark.types.method import Context, Precomputed
from benchmark.types.rankings import Rankings
from benchmark.types.trec import SEED, Run, one_score_note, ranking_files, read_ranking_file


class RunFileConfig(MethodConfig):
    """Which file, or which files where the name has {seed}. Contents, not paths, decide whether a result is new."""

    path: str = Field("", exclude=True, description="the file: --run-file LABEL=FILE; {seed} stands for the seed")
    content: str = Field("", description="hash of the file or files, filled in")

    @model_validator(mode="before")
    @classmethod
    def _hash(cls, values: Any) -> Any:
        if isinstance(values, dict) and values.get("path"):
            return {**values, "content": _content(home_path(values["path"]))}
        return values


def _content(path: Path) -> str:
    named = SEED in path.name  # then a name says which seed a file is of
    return digest([[file.name if named else "", file_digest(file)] for file in ranking_files(path)])[:16]


class RunFile(Precomputed[RunFileConfig]):
    """Rankings that another program wrote to a TREC run or CSV file: `--run-file LABEL=FILE`."""

    def check(self, corpus: Corpus) -> None:
        """Raise DataError for a damaged file, and for an item that is not among these."""
        require(bool(self.config.path), "run-file.path", "name the file with --run-file LABEL=FILE")
        for file in ranking_files(home_path(self.config.path)):
            _rows(file, read_ranking_file(file), corpus)

    def ranked(self, names: Sequence[str], corpus: Corpus, k: int, context: Context) -> Rankings:
        """Return the first k items of each user or query, by name; -1 where the file has fewer.

        Raises DataError where the file has none of them, was changed meanwhile, or is damaged.
        """
        pattern = home_path(self.config.path)
        if _content(pattern) != self.config.content:
            raise DataError(f"{pattern}: changed while this command was running; call it again")
        path = pattern.with_name(pattern.name.replace(SEED, str(context.seed)))
        if not path.is_file():
            raise DataError(f"{path}: no such file, for seed {context.seed}")
        run = read_ranking_file(path)
        rows = _rows(path, run, corpus)
        asked = [name for name in names if name in rows]
        if not asked:
            example = next(iter(rows), "none")
            raise DataError(f"{path}: it has none of the {len(names):,} that are asked for (e.g. '{names[0]}'), but "
                            f"others ('{example}'); a run of another task or data set?")  # fmt: skip
        _note(context, len(names) - len(asked), len(rows) - len(asked), sum(len(rows[name]) > k for name in asked), k)
        if said := one_score_note(path, (run[name] for name in asked), "users or queries"):
            context.note(f"run-file: {said}.")
        items, scores = np.full((len(names), k), -1, np.int32), np.zeros((len(names), k), np.float32)
        for place, name in enumerate(names):
            best = rows.get(name, [])[:k]
            items[place, : len(best)] = [row for row, _ in best]
            scores[place, : len(best)] = np.arange(len(best), 0, -1)  # the order is the file's; its scores may be any
        return Rankings(items, scores)


def _note(context: Context, lacking: int, others: int, deep: int, k: int) -> None:
    said = {
        f"{lacking:,} users or queries are not in the file and count 0": lacking,
        f"{others:,} users or queries of the file are not asked for": others,
        f"{deep:,} rankings of the file are longer than {k} and were cut": deep,
    }
    for text in (text for text, count in said.items() if count):
        context.note(f"run-file: {text}.")


def _rows(path: Path, run: Run, corpus: Corpus) -> dict[str, list[tuple[int, float]]]:
    """Return the row of each item, in the run's order. Raises DataError for items that the data set does not have."""
    unknown = {item for items in run.values() for item in items if item not in corpus.row_of}
    if unknown:
        raise DataError(
            f"{path}: {len(unknown):,} of its items are not in the data set, e.g. '{min(unknown)}'; "
            "a run may only name items of the catalogue that it is scored on"
        )
    if not run:
        raise DataError(f"{path}: it holds no ranking")
    return {name: [(corpus.row_of[item], score) for item, score in items.items()] for name, items in run.items()}
