"""Items as SEAL reads them: a title and a text, both with single spaces between words.

The title is the field `title`, where it is among the run's text fields; the text is the item text of the others
(LMIndexer's data code for SEAL). An item without any of them has its usual stand-in as text.
"""

from __future__ import annotations

from dataclasses import dataclass

from benchmark.types.data import Corpus


@dataclass(frozen=True)
class Documents:
    """Titles and texts of all items, '' where an item has none."""

    titles: list[str]
    texts: list[str]

    @classmethod
    def of(cls, corpus: Corpus) -> Documents:
        """Read a corpus."""
        if "title" not in corpus.fields or "title" not in corpus.table.column_names:
            return cls([""] * len(corpus), [_single_spaced(text) for text in corpus.texts()])
        titles = [title or "" for title in corpus.table.column("title").to_pylist()]
        others = [name for name in corpus.fields if name != "title"]
        texts = [
            text.removeprefix(f"title: {title}").removeprefix(", ") if title else text
            for title, text in zip(titles, corpus.texts(("title", *others)), strict=True)
        ]
        return cls([_single_spaced(title) for title in titles], [_single_spaced(text) for text in texts])

    def __len__(self) -> int:
        return len(self.texts)


def _single_spaced(text: str) -> str:
    return " ".join(text.split())
