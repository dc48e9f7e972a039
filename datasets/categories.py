"""Category paths written as one text, `Home > Kitchen > Mugs`: which sign separates the names, and the names.

A separator that is given counts as it is. Otherwise it is the first of the usual signs that stands in at least half of
the texts that hold any of them; what the others hold is counted in a note, because a path that is split at the wrong
sign is a wrong label. HTML entities are read before that: the semicolon of `Toys &amp; Games` separates nothing. Text
that is a Python list of names, with or without its brackets, is read as that: RecBole's Amazon files have such text.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from html import unescape

from benchmark.data.importing import Argument

SIGNS = (">", "|", ";")  # hardly ever part of a name; commas and slashes often are
DOUBTFUL = (",", "/")


@dataclass(frozen=True)
class CategorySeparator:
    """How the category texts of one file are split, and what to say of it."""

    sign: str  # '': a text is one name
    notes: tuple[str, ...] = ()

    def path(self, text: str) -> list[str]:
        """Return the names of a path, general to special."""
        text = unescape(text)
        if (listed := _listed(text)) is not None:
            return listed
        parts = text.split(self.sign) if self.sign else [text]
        return [part.strip() for part in parts if part.strip()]


def separator_argument(otherwise: str) -> Argument:
    """Return --category-separator; `otherwise` says what separates where none of the usual signs does."""
    signs = " ".join(SIGNS)
    text = f"between the categories of a path (default: whichever of {signs} the file uses{otherwise})"
    return Argument("--category-separator", text, default="", metavar="SIGN")


def find_separator(
    texts: Iterable[str], given: str, *, signs: tuple[str, ...] = SIGNS, otherwise: str = ""
) -> CategorySeparator:
    """Return the separator of these texts: the one `given`, one of the `signs`, or `otherwise`."""
    count: Counter[str] = Counter()
    with_any = 0
    marks = dict.fromkeys((*signs, *DOUBTFUL, *filter(None, (given, otherwise))))
    lists = 0
    for text in map(unescape, texts):
        if _listed(text) is not None:
            lists += 1
            continue
        found = [mark for mark in marks if mark in text.strip()]
        count.update(found)
        with_any += any(mark in (*signs, otherwise) for mark in found)
    usual = next((sign for sign in signs if count[sign] * 2 >= with_any > 0), otherwise)
    sign = given or usual
    notes = [f"categories are separated by '{sign}'"] if sign and not given and count[sign] else []
    if lists:
        notes.append(
            f"{lists:,} categories are lists in Python's quotes, taken in their order; where they were written from "
            "sets, as in RecBole's Amazon files, it is no path, and levels mean nothing"
        )
    if given and not count[given]:
        notes.append(f"no category holds the separator '{given}': each is one name")
    others = [mark for mark in marks if mark not in (sign, " ") and count[mark]]
    notes += [f"{count[mark]:,} categories hold '{mark}', which is taken as part of a name" for mark in others]
    if others:
        notes[-1] += " (--category-separator splits at it)"
    return CategorySeparator(sign, tuple(notes))


def _listed(text: str) -> list[str] | None:
    """Return the names of unescaped text such as `'Clothing', "Men's Shirts"`; None for other text."""
    text = text.strip()
    if text[:1] not in ("'", '"', "["):
        return None
    try:
        names = ast.literal_eval(text if text.startswith("[") else f"[{text}]")
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    named = isinstance(names, list) and all(isinstance(name, str) for name in names)
    return [name.strip() for name in names if name.strip()] if named else None
