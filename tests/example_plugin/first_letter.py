"""An example plugin: the ID of an item is made of the first letters of its text."""

import numpy as np

from benchmark.config import MethodConfig
from benchmark.types.codes import Codes
from benchmark.types.data import Corpus
from benchmark.types.method import Context, Indexer


class FirstLetterConfig(MethodConfig):
    letters: int = 3


class FirstLetter(Indexer[FirstLetterConfig]):
    """IDs from the first letters of the title (a worked example, not a good idea)."""

    def fit(self, corpus: Corpus, context: Context) -> Codes:
        letters = self.config.letters
        starts = [title[:letters].ljust(letters) for title in corpus.field("title")]
        return Codes(np.array([[ord(sign) % 64 for sign in start] for start in starts], np.int32), (64,) * letters)
