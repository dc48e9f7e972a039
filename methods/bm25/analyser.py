"""From text to term numbers: lower case, words, Lucene's 33 English stop words, Snowball English stems.

A word is a run of word characters. Chinese characters and hiragana, which are written without spaces, are a word each,
as in Unicode's word boundaries (UAX #29) and Lucene's StandardAnalyzer; katakana and hangul stay in runs.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from benchmark.methods.bm25.config import BM25Config

UNSPACED = "\u3005\u3007\u3041-\u3096\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
WORD = re.compile(rf"[^\W{UNSPACED}]+|[{UNSPACED}]")


class Analyser:
    """Turns text into term numbers; every distinct word is looked up and stemmed once."""

    def __init__(self, config: BM25Config) -> None:
        import Stemmer
        from bm25s.stopwords import STOPWORDS_EN

        self.stem: Callable[[str], str] = Stemmer.Stemmer("english").stemWord if config.stem else str
        self.terms: dict[str, int] = {}  # stem -> term number
        self.words: dict[str, int] = dict.fromkeys(STOPWORDS_EN, -1) if config.stop_words else {}  # -1: dropped

    def learn(self, text: str) -> list[int]:
        """Return the terms of a document; new words get numbers."""
        found = []
        for word in WORD.findall(text.lower()):
            term = self.words.get(word)
            if term is None:
                term = self.words[word] = self.terms.setdefault(self.stem(word), len(self.terms))
            if term >= 0:
                found.append(term)
        return found

    def known(self, text: str) -> list[int]:
        """Return the terms of a query that the index knows."""
        words = WORD.findall(text.lower())
        terms = (self.words[word] if word in self.words else self.terms.get(self.stem(word), -1) for word in words)
        return [term for term in terms if term >= 0]
