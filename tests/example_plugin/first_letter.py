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
        titles = [text.ljust(self.config.letters) for text in corpus.texts(["title"])]
        codes = np.array([[ord(sign) % 64 for sign in title[7 : 7 + self.config.letters].ljust(self.config.letters)]
                          for title in titles], np.int32)
        return Codes(codes, sizes=(64,) * self.config.letters)
