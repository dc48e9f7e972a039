"""Planted data sets: product catalogues, histories and queries whose hierarchy is known, from a written lexicon.

Every item belongs to a leaf of departments > categories > sub-categories; the full path is its label. Titles and
descriptions are built from words of the leaf, the category and the department (siblings share the latter two) and
from styles, colours and selling points that say nothing about the label; `noise` of the telling words come from
another leaf. No text holds a category path.

Users prefer one or two leaves. The next item is often the fixed companion of the last one (what is bought together),
else a popular item (Zipf) of the same leaf, a sibling leaf, another preferred leaf or, with `noise`, of any leaf.

Queries use words that occur in no item text: a shopper's other words for the leaf, with attributes (finish, colour)
of the wanted items; relevant are all items of that leaf with these attributes. Words: words.toml.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import ClassVar

from benchmark.config import MethodConfig
from benchmark.data.dataset import DatasetBuilder
from benchmark.datasets.planted import queries, users
from benchmark.datasets.planted.catalogue import Catalogue, DemoConfig, PlantedConfig


class Planted(DatasetBuilder[PlantedConfig]):
    """A synthetic catalogue with a known hierarchy, drifting users and queries in other words, of any size."""

    name: ClassVar[str] = "planted"
    title: ClassVar[str] = "Planted hierarchy"

    def build(self, folder: Path) -> None:
        """Write items, sequences, queries and judgments."""
        catalogue = Catalogue(self.config)
        with (folder / "items.jsonl").open("w", encoding="utf-8") as file:
            file.writelines(catalogue.item_lines())
        interactions = users.write(catalogue, folder)
        asked, made = self.config.train_queries, queries.write(catalogue, folder)
        notes = [f"{made:,} training queries, not {asked:,}: so many of those drawn differ"] * (made < asked)
        changed = self.config.model_dump(exclude_defaults=True, exclude={"items", "seed"})
        facts = [f"{self.config.items:,} items", f"seed {self.config.seed}", *(f"{k}={v}" for k, v in changed.items())]
        (folder / "dataset.toml").write_text(
            f'name = "{self.name}"\ntitle = "{self.title} ({", ".join(facts)})"\n'
            'source = "generated; words written for this suite"\nlicence = "Apache-2.0"\n'
            'tasks = ["id-quality", "recommendation", "search"]\n'
            f"notes = {json.dumps(notes)}\n\n"
            f"[expect]\nitems = {self.config.items}\nusers = {self.config.users}\n"
            f"interactions = {interactions}\n",
            "utf-8",
        )


class Demo(Planted):
    """A small planted catalogue (800 items, 48 sub-categories) that every method learns in seconds on a CPU."""

    Config: ClassVar[type[MethodConfig]] = DemoConfig
    name: ClassVar[str] = "demo"
    title: ClassVar[str] = "Demo catalogue"
