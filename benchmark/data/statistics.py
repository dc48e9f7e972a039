"""The statistics of a data set: the paper's table of sizes, and what makes a set easy, hard or unfair.

Sizes as the paper counts them: recommendation has the pre-sampled training pairs (5 per user), one validation and one
test target per user; search has queries and labels per split.

Label leak: the share of items whose text gives away the category that ID quality is scored against. A category name
is in a text when all its words are, after stemming, in any order.

Empty fields: the share of items that each text field says nothing of.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from benchmark.data.splits import leave_one_out, sampled_pairs
from benchmark.data.ties import tie_facts
from benchmark.types.item_text import document_texts, items_with

if TYPE_CHECKING:
    from benchmark.data.dataset import Dataset
    from benchmark.types.data import Corpus, Histories

CHUNK = 4096  # items whose texts are in memory at once
Value = int | float
_WORD = re.compile(r"\w+")
_JOINING = frozenset({"a", "an", "and", "for", "in", "of", "or", "the", "to", "with"})


def statistics(dataset: Dataset) -> dict[str, dict[str, Value]]:
    """Return group -> name -> value; groups that the data set has no part for are left out.

    Words are counted without the names of the fields; shares lie in [0, 1].
    """
    counts = dataset.counts()
    corpus = dataset.corpus()
    groups: dict[str, dict[str, Value]] = {
        "items": {
            "items": counts["items"], "labelled": counts["labelled items"], "labels": counts["distinct labels"]
        },
        "words of text": _lengths([len(text.split()) for text in _texts(corpus)]),
        "share of items without": empty_fields(corpus),
    }  # fmt: skip
    if "users" in counts:
        histories = dataset.histories()
        groups["recommendation"] = {
            "users": counts["users"], "interactions": counts["interactions"], **_pairs(histories)
        }  # fmt: skip
        groups["history length"] = _lengths(histories.lengths)
    searches = {name: value for name, value in counts.items() if name.endswith((" queries", " judgments"))}
    if searches:
        groups["search"] = dict(searches)
    facts = dataset.about.get("facts", {})
    if "users" in counts:
        times = dataset.times() if dataset.times_file else None
        groups["ties" if dataset.times_file else "order of ids"] = dict(tie_facts(histories, times, corpus.ids))
    if facts and not dataset.times_file:
        groups["time stamps"] = {name.replace("_", " "): value for name, value in facts.items()}
    if counts["labelled items"]:
        groups["label leak"] = label_leak(corpus)
    return groups


def _texts(corpus: Corpus) -> Iterator[str]:
    """Yield every item's text; a few thousand are in memory at a time."""
    for start in range(0, len(corpus), CHUNK):
        yield from document_texts(corpus.table.slice(start, CHUNK), corpus.fields)


def empty_fields(corpus: Corpus) -> dict[str, Value]:
    """Return for each text field the share of items that have nothing in it."""
    names = [name for name in corpus.table.column_names if name not in ("id", "categories")]
    return {name: round(1 - number / len(corpus), 4) for name, number in items_with(corpus.table, names).items()}


def _pairs(histories: Histories) -> dict[str, Value]:
    split = leave_one_out(histories)
    return {
        "training pairs": len(sampled_pairs(split.train, seed=0).user),
        "validation targets": int((split.validation >= 0).sum()),
        "test targets": int((split.test_targets >= 0).sum()),
    }


def _lengths(values: Sequence[int] | np.ndarray) -> dict[str, Value]:
    return {
        "mean": round(float(np.mean(values)), 2), "median": float(np.median(values)), "max": int(np.max(values))
    }  # fmt: skip


def label_leak(corpus: Corpus) -> dict[str, Value]:
    """Return the share of labelled items whose text names their most special category, and any but the first.

    The first level is left out of the second share: in a set of one department all items have it in common.
    """
    from Stemmer import Stemmer

    stemmer = Stemmer("english")
    stems: dict[str, frozenset[str]] = {}

    def words(text: str) -> frozenset[str]:
        return frozenset(stemmer.stemWords(_WORD.findall(text.lower())))

    special = anywhere = labelled = 0
    for text, path in zip(_texts(corpus), corpus.paths, strict=True):
        if not path:
            continue
        for name in path:
            if name not in stems:
                stems[name] = words(name) - _JOINING
        own = words(text)
        named = [bool(stems[name]) and stems[name] <= own for name in path]
        labelled += 1
        special += named[-1]
        anywhere += any(named[1:] or named)
    return {"most special category": round(special / labelled, 4), "any below the first": round(anywhere / labelled, 4)}
