"""IDs from a file (`ids-file`): what another toolkit learned, scored like any other indexer without running its code.

    X.index.json   {"item": ["<a_12>", "<b_7>", ...]}   LETTER, LC-Rec, MiniOneRec: the letter tells the position
    X.json         {"item": [12, 7, ...]}               or "12,7,3" (LMIndexer), "<a_12><b_7>", "<s_a_12><s_b_7>"
    X.tsv          item TAB 12-7-...                     this suite's own ids.tsv
    X.jsonl        {"id", "codes"}                       `benchmark ids assign`
    FOLDER         with ids.parquet                      `benchmark ids push`, also as hub:org/name

    benchmark run --methods rqvae --ids other.index.json --dataset demo
    benchmark run --ids other.index.json --ids-order first-seen --dataset demo

Items are matched by id. Keys that are row numbers (0 .. n-1 or 1 .. n), as many toolkits count, are read only with
`--ids-order`, which says what they count: the lines of items.jsonl (`items`), the items as they first appear in
sequences.txt (`first-seen`), or the lines or keys of a file. A wrong order scores like random IDs.

Every item needs an ID and every ID an item. IDs may differ in length; codes count from 0, and a codebook has as many
codes as the largest one in the file tells, because the file does not say its size. A token that the other toolkit
appended to tell equal IDs apart stays an ordinary code.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field, model_validator

from benchmark.config import MethodConfig
from benchmark.errors import DataError, require
from benchmark.files import digest, home_path
from benchmark.results.id_files import content_hash, read_ids
from benchmark.results.id_order import FIRST_SEEN, ITEMS, id_order
from benchmark.types.codes import Codes
from benchmark.types.data import Corpus
from benchmark.types.method import Context, Indexer


class IdsFileConfig(MethodConfig):
    """Which file, and what its row numbers count. Contents, not paths, decide whether a result is computed again."""

    path: str = Field("", exclude=True, description="the file: --ids FILE")
    order: str = Field("", exclude=True, description="what row numbers count: --ids-order items|first-seen|FILE")
    seen: tuple[str, ...] = Field((), exclude=True, description="the items as they are first seen, filled in")
    content: str = Field("", description="hash of the file, filled in")
    counted: str = Field("", description="the order of row numbers, by name or hash, filled in")

    @model_validator(mode="before")
    @classmethod
    def _hash(cls, values: Any) -> Any:
        if isinstance(values, dict) and values.get("path"):
            content = content_hash(home_path(values["path"]))
            return {**values, "content": content, "counted": _counted(values)}
        return values


def _counted(values: Mapping[str, Any]) -> str:
    """Return what stands for an order in the key of a result."""
    order = str(values.get("order", ""))
    if order == FIRST_SEEN:
        return f"{order} {digest(list(values.get('seen', ())))[:16]}"
    return order if order in ("", ITEMS) else content_hash(home_path(order), "--ids-order")


class IdsFile(Indexer[IdsFileConfig]):
    """IDs that another program wrote to a file (.index.json, .json or .tsv): `--ids FILE`."""

    def check(self, corpus: Corpus) -> None:
        """Raise what `fit` would raise of a file that is damaged or does not fit the items."""
        self._read(corpus)

    def fit(self, corpus: Corpus, context: Context) -> Codes:
        """Return the file's codes [n_items, longest ID], -1 where an ID has none.

        Raises DataError when the file changed or is damaged, ConfigError when it does not fit the items.
        """
        codes, notes = self._read(corpus)
        name = Path(self.config.path).name
        for note in notes:
            context.log(f"note: {name}: {note}")
            context.note(note)
        return codes

    def _read(self, corpus: Corpus) -> tuple[Codes, list[str]]:
        require(bool(self.config.path), "ids-file.path", "name the file with --ids FILE")
        path = home_path(self.config.path)
        if content_hash(path) != self.config.content:
            raise DataError(f"{path}: changed while this command was running; call it again")
        return read_ids(path, corpus.ids, id_order(self.config.order, corpus.ids, self.config.seen))
