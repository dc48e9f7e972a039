"""The keys of a query: what the language model writes, and what the query itself says.

    title keys   </s> title @@   whole titles only
    body keys    up to 10 tokens, from the texts or across a title's end
    query keys   n-grams of 1 to 3 words of the query that occur in the corpus, each word as written and capitalised,
                 scored like body keys
    unigrams     the log-probabilities of the body's first token

Source: Bevilacqua et al., NeurIPS 2022, section 3 and the released code.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import torch

from benchmark.methods.seal.config import DecodingConfig
from benchmark.methods.seal.decoding import generate
from benchmark.methods.seal.fm_index import FMIndex
from benchmark.methods.seal.model import Encoded, LanguageModel
from benchmark.methods.seal.scoring import Keys
from benchmark.types.arrays import Float32

WORD = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True)
class QueryKeys:
    """N-grams that occur in the corpus with their log-probabilities, and those of all first tokens [V]."""

    ngrams: Keys
    first: Float32


@torch.inference_mode()
def query_keys(
    model: LanguageModel, index: FMIndex, queries: Sequence[str], config: DecodingConfig
) -> list[QueryKeys]:  # fmt: skip
    """Return the keys of each query."""
    read = model.encode(queries, "body")
    keys, first = generate(model, read, index, beams=config.beams, length=config.body_length)
    titles, _ = generate(
        model, model.encode(queries, "title"), index, beams=config.beams, length=config.title_length,
        after=(model.end,), end=model.delimiter,
    )  # fmt: skip
    said = _said(model, read, index, queries, config.query_words)
    unigrams = first.cpu().numpy()
    return [
        QueryKeys(said[row] | keys[row] | {(model.end, *title): score for title, score in titles[row].items()},
                  unigrams[row])
        for row in range(len(queries))
    ]  # fmt: skip


def _said(model: LanguageModel, read: Encoded, index: FMIndex, queries: Sequence[str], most: int) -> list[Keys]:
    """Return the queries' own n-grams that occur in the corpus."""
    texts = [sorted(set(word_ngrams(query, most))) for query in queries]
    tokens = iter(model.words([text for some in texts for text in some]))
    ngrams = [sorted({key for _ in some if (key := tuple(next(tokens)))}) for some in texts]
    pairs = [(row, key) for row, some in enumerate(ngrams) for key in some]
    low, high = index.ranges([key for _, key in pairs])
    pairs = [pair for pair, occurs in zip(pairs, high > low, strict=True) if occurs]
    scores = model.log_probs(read, np.array([row for row, _ in pairs], np.int64), [key for _, key in pairs])
    said: list[Keys] = [{} for _ in queries]
    for (row, key), score in zip(pairs, scores, strict=True):
        said[row][key] = score
    return said


def word_ngrams(query: str, most: int) -> Iterator[str]:
    """Yield the query's n-grams of 1 to `most` words, each word as written and capitalised."""
    words = WORD.findall(query)
    for start in range(len(words)):
        for stop in range(start + 1, min(start + most, len(words)) + 1):
            choices = [sorted({word, word[0].upper() + word[1:]}) for word in words[start:stop]]
            yield from map(" ".join, product(*choices))
