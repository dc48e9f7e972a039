"""Training pairs of SEAL: what the language model reads and what it must write.

    query   || title || +   ->  title @@                     of a relevant document
    query   || body  || +   ->  10 words of its text         where they are like the query
    cut     || title || p   ->  title @@                     of any document: 10 words of its text, or all of it
    title   || body  || p   ->  10 words of its text
    cut     || body  || p   ->  10 other words of its text

Source: Bevilacqua et al., NeurIPS 2022, section 3.1 and the released data scripts. A span begins at a word that is no
stop word, with probability softmax(likeness / temperature), likeness = sum over the query's 3-word windows of the edit
similarity (0 to 1) with the 3 words there. A document without text but with a title lends its title as text.

A pair is a function of the seed and its number; only three small numbers are kept for each.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from benchmark.methods.seal.config import PairsConfig
from benchmark.methods.seal.documents import Documents
from benchmark.types.arrays import Int32, Int64
from benchmark.types.data import QuerySet

WINDOW = 3  # words that are compared
TRIES = 10  # draws of two cuts until they differ and the second begins well


class Kind(IntEnum):
    """What a pair is made from."""

    QUERY_TITLE = 0
    QUERY_SPAN = 1
    CUT_CUT = 2
    CUT_AND_TITLE = 3
    WHOLE_TITLE = 4


@dataclass(frozen=True)
class Pair:
    """One example: `source || part || mark` -> `target`, followed by @@ where the part is a title."""

    source: str
    part: str  # title, body
    mark: str  # + (a query and its document), p (pretraining: a document and itself)
    target: str


class Pairs:
    """All training pairs of a corpus and its training queries, where it has them."""

    def __init__(
        self, documents: Documents, queries: QuerySet | None, config: PairsConfig, seed: int
    ) -> None:  # fmt: skip
        self.documents, self.queries, self.config, self.seed = documents, queries, config, seed
        rows = [*self._supervised(), *self._unsupervised()]
        self.table: Int32 = np.array(rows, np.int32).reshape(-1, 4)  # kind, document, query or -1, first word or -1

    def __len__(self) -> int:
        return len(self.table)

    def __getitem__(self, number: int) -> Pair:
        kind, document, query, start = self.table[number].tolist()
        title = self.documents.titles[document]
        text = self.documents.texts[document] or title
        match kind:
            case Kind.QUERY_TITLE:
                return Pair(self._query(query), "title", "+", title)
            case Kind.QUERY_SPAN:
                return Pair(self._query(query), "body", "+", self._cut(text.split(), start))
            case Kind.WHOLE_TITLE:
                return Pair(text, "title", "p", title)
        words = text.split()
        random = np.random.default_rng([self.seed, number])
        first, second = self._two_cuts(words, random)
        if kind == Kind.CUT_CUT:
            return Pair(self._cut(words, first), "body", "p", self._cut(words, second))
        if random.random() < 0.5:
            return Pair(self._cut(words, first), "title", "p", title)
        return Pair(title, "body", "p", self._cut(words, second))

    def _query(self, row: int) -> str:
        assert self.queries is not None
        return " ".join(self.queries.texts[row].split())

    def _cut(self, words: list[str], start: int) -> str:
        return " ".join(words[start : start + self.config.span_words])

    def _two_cuts(self, words: list[str], random: np.random.Generator) -> tuple[int, int]:
        """Draw where two cuts begin; the second, which is to be generated, not at a stop word."""
        choices = max(1, len(words) - self.config.span_words + 1)
        first = second = 0
        for _ in range(TRIES):
            first, second = random.integers(choices, size=2).tolist()
            if first != second and _begins_well(words[second]):
                break
        return first, second

    def _supervised(self) -> Iterator[tuple[int, int, int, int]]:
        if self.queries is None:
            return
        for query, document in _positives(self.queries, self.config.positives):
            title = self.documents.titles[document]
            words = (self.documents.texts[document] or title).split()
            if title:
                yield from [(Kind.QUERY_TITLE, document, query, -1)] * self.config.titles
            if words and self.config.spans:
                random = np.random.default_rng([self.seed, query, document])
                chances = span_chances(self._query(query), words, self.config.temperature)
                for start in random.choice(len(words), self.config.spans, p=chances).tolist():
                    yield Kind.QUERY_SPAN, document, query, start

    def _unsupervised(self) -> Iterator[tuple[int, int, int, int]]:
        config = self.config
        for document, (title, text) in enumerate(zip(self.documents.titles, self.documents.texts, strict=True)):
            if (text or title).count(" ") >= config.span_words:  # or there are no two cuts
                yield from [(Kind.CUT_CUT, document, -1, -1)] * config.document_spans
            if title and text and title != text:
                yield from [(Kind.CUT_AND_TITLE, document, -1, -1)] * config.document_titles
                yield from [(Kind.WHOLE_TITLE, document, -1, -1)] * config.whole_documents


def span_chances(query: str, words: list[str], temperature: float) -> NDArray[np.float64]:
    """Return the probability of each word of a document to begin a span [n_words]."""
    from rapidfuzz import fuzz, process

    stops = _stop_words()
    starts = [start for start, word in enumerate(words) if word.lower() not in stops] or [0]
    windows = [_window(words, start) for start in starts]
    asked = query.split()
    likeness = np.zeros(len(starts))
    if asked:
        compared = process.cdist([_window(asked, start) for start in range(len(asked))], windows, scorer=fuzz.ratio)
        likeness = compared.sum(0, dtype=np.float64) / 100
    weights = np.exp((likeness - likeness.max()) / temperature)
    chances = np.zeros(len(words))
    chances[starts] = weights / weights.sum()
    return chances


def _window(words: list[str], start: int) -> str:
    return " ".join(words[start : start + WINDOW]).lower()


def _begins_well(word: str) -> bool:
    return word.lower() not in _stop_words() and word[-1] not in "?.!" and word[0] not in "(["


def _stop_words() -> frozenset[str]:
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    words: frozenset[str] = ENGLISH_STOP_WORDS
    return words


def _positives(queries: QuerySet, most: int) -> Iterator[tuple[int, int]]:
    """Yield (query, relevant document), the best grades of each query first, at most `most` of each (0: all)."""
    relevant = np.flatnonzero(queries.grades > 0)
    order: Int64 = relevant[np.lexsort((-queries.grades[relevant], queries.query_rows[relevant]))]
    rows = queries.query_rows[order]
    place = np.arange(len(rows)) - np.searchsorted(rows, rows)
    for judgment in order[place < most] if most else order:
        yield int(queries.query_rows[judgment]), int(queries.item_rows[judgment])
