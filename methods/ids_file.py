"""IDs from a file (`ids-file`): what another toolkit learned, scored like any other indexer without running its code.

    X.index.json   {"item": ["<a_12>", "<b_7>", ...]}   LETTER, LC-Rec, MiniOneRec: the letter tells the position
    X.json         {"item": [12, 7, ...]}
    X.tsv          item TAB 12-7-...                     this suite's own ids.tsv

    benchmark run --methods rqvae --ids other.index.json --dataset demo

Items are matched by id. Where no key of the file is an id and the keys are 0 .. n-1, they are row numbers of
items.jsonl, as those toolkits count. Every item needs an ID and every ID an item. IDs may differ in length; codes count
from 0, and a codebook has as many codes as the largest one in the file tells, because the file does not say its size.
A token that the other toolkit appended to tell equal IDs apart stays an ordinary code.
"""

from __future__ import annotations

from typing import Any

from pydantic import Field, model_validator

from benchmark.config import MethodConfig
from benchmark.errors import DataError, require
from benchmark.files import home_path
from benchmark.results.id_files import content_hash, read_ids
from benchmark.types.codes import Codes
from benchmark.types.data import Corpus
from benchmark.types.method import Context, Indexer


class IdsFileConfig(MethodConfig):
    """Which file. Its content, not its path, decides whether a result is computed again."""

    path: str = Field("", exclude=True, description="the file: --ids FILE")
    content: str = Field("", description="hash of the file, filled in")

    @model_validator(mode="before")
    @classmethod
    def _hash(cls, values: Any) -> Any:
        if isinstance(values, dict) and values.get("path"):
            return {**values, "content": content_hash(home_path(values["path"]))}
        return values


class IdsFile(Indexer[IdsFileConfig]):
    """IDs that another program wrote to a file (.index.json, .json or .tsv): `--ids FILE`."""

    def fit(self, corpus: Corpus, context: Context) -> Codes:
        """Return the file's codes [n_items, longest ID], -1 where an ID has none.

        Raises DataError when the file changed or is damaged, ConfigError when it does not fit the items.
        """
        require(bool(self.config.path), "ids-file.path", "name the file with --ids FILE")
        path = home_path(self.config.path)
        if content_hash(path) != self.config.content:
            raise DataError(f"{path}: changed while this command was running; call it again")
        codes, notes = read_ids(path, corpus.ids)
        for note in notes:
            context.log(f"note: {path.name}: {note}")
        context.facts["notes"] = notes  # below the tables
        return codes
