"""Writes the judges' page (one HTML file that loads nothing) and its key (which method made which group).

The page holds titles and a fingerprint of them, no ids, codes, names of methods or seeds; the key stays with whoever
made it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from benchmark.files import digest
from benchmark.reports.annotation.sample import Question

FORMAT = 1
ANSWERS = ("yes", "no", "unsure")


def fingerprint(texts: Sequence[Sequence[str]]) -> str:
    """Return what ties answers to the page they were given on: a hash of all that it shows."""
    return digest(texts)


def html(title: str, texts: Sequence[Sequence[str]]) -> str:
    """Return the page for groups of item titles [n_questions][n_items]."""
    template = Path(__file__).with_name("page.html").read_text("utf-8")
    data = json.dumps({"page": fingerprint(texts), "groups": texts}, ensure_ascii=False)
    for mark, text in (("<", "\\u003c"), ("\u2028", "\\u2028"), ("\u2029", "\\u2029")):
        data = data.replace(mark, text)
    parts = {"title": escape(title), "data": data}
    return re.sub(r"\{\{(title|data)\}\}", lambda mark: parts[mark[1]], template)


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
