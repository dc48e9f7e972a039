"""Amazon Reviews 2023 by name (`instrument-2023`, `scientific-2023`, `games-2023`): upstream's 5-core and metadata.

    benchmark/5core/rating_only/<Category>.csv.gz      user_id,parent_asin,rating,timestamp (ms)
    raw/meta_categories/meta_<Category>.jsonl.gz       parent_asin, title, description, store, price, categories, ...

Upstream keeps the earliest review of a user on an item, then the 5-core; its split `last_out` of the same reviews is
the leave-one-out split of this suite. All ratings count. Everything else is as `benchmark import amazon-2023` reads it.
Nobody judged product searches for these items here: search has simulated known-item queries.

Source: Hou et al., Bridging Language and Items for Retrieval and Recommendation, arXiv 2403.03952, and the scripts of
hyp1231/AmazonReviews2023. The counts are those of the papers that compare on these three sets.

Checked against public loaders: addresses, names, columns. The real files were not to be had, so the counts are not
checked against them: a download that has others stops.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

from benchmark.config import MethodConfig
from benchmark.data.writing import FolderWriter
from benchmark.datasets.reviews_amazon import Amazon2023
from benchmark.fetching.builder import Built, FetchedDataset


class Category2023(FetchedDataset[MethodConfig]):
    """One category of Amazon Reviews 2023."""

    category: ClassVar[str]

    def build_from(self, raw: Mapping[str, Path], folder: Path) -> Built:
        """Write items and sequences."""
        writer = FolderWriter(folder)
        reviews, metadata = raw[f"{self.category}.csv.gz"], raw[f"meta_{self.category}.jsonl.gz"]
        Amazon2023().write(SimpleNamespace(reviews=reviews, metadata=metadata, core=None), writer)
        return Built(writer.facts, writer.notes)


class Instrument2023(Category2023):
    """Amazon Musical Instruments 2023, 5-core: 24,587 items, 57,439 users (`benchmark data get`)."""

    name: ClassVar[str] = "instrument-2023"
    category: ClassVar[str] = "Musical_Instruments"


class Scientific2023(Category2023):
    """Amazon Industrial and Scientific 2023, 5-core: 25,848 items, 50,985 users (`benchmark data get`)."""

    name: ClassVar[str] = "scientific-2023"
    category: ClassVar[str] = "Industrial_and_Scientific"


class Games2023(Category2023):
    """Amazon Video Games 2023, 5-core: 25,612 items, 94,762 users (`benchmark data get`)."""

    name: ClassVar[str] = "games-2023"
    category: ClassVar[str] = "Video_Games"
