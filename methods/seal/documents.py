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
        titles, others = corpus.field("title"), [name for name in corpus.fields if name != "title"]
        described = [any(values) for values in zip(*map(corpus.field, others), strict=True)] or [False] * len(corpus)
        texts = [
            text if has or not title else ""
            for title, has, text in zip(titles, described, corpus.texts(others or ("title",)), strict=True)
        ]
        return cls([_single_spaced(title) for title in titles], [_single_spaced(text) for text in texts])

    def __len__(self) -> int:
        return len(self.texts)


def _single_spaced(text: str) -> str:
    return " ".join(text.split())
