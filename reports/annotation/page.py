"""Writes the judges' page (one HTML file that loads nothing) and its key (which method made which group).

The page holds titles and a fingerprint of them, no ids, codes, names of methods or seeds; the key stays with whoever
made it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmark.files import digest
from benchmark.reports.annotation.sample import Question
from benchmark.reports.html.embedding import script_json
from benchmark.reports.templates import fill

FORMAT = 1
ANSWERS = ("yes", "no", "unsure")


def fingerprint(texts: Sequence[Sequence[str]]) -> str:
    """Return what ties answers to the page they were given on: a hash of all that it shows."""
    return digest(texts)


def html(title: str, texts: Sequence[Sequence[str]]) -> str:
    """Return the page for groups of item titles [n_questions][n_items]."""
    data = script_json({"page": fingerprint(texts), "groups": texts})
    return fill(Path(__file__).with_name("page.html"), title=title, data=data)


def key(
    questions: Sequence[Question], texts: Sequence[Sequence[str]], drawn: Mapping[str, Any], results: Mapping[str, str]
) -> dict[str, Any]:
    """Return the key of a page: `drawn` says how it was drawn, `results` which result of each label it shows."""
    return {
        "format": FORMAT,
        "page": fingerprint(texts),
        **drawn,
        "results": dict(results),
        "questions": [{"items": list(question.items), "labels": list(question.labels)} for question in questions],
    }
