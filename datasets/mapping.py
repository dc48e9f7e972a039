"""Column mappings on the command line: `--column title=name` for items, `--column events.user=who` for other tables.

An item's column gets one of the names that the suite knows, or keeps its own (`--column material=material`): a name
that is nearly a known one would be a field that nothing reads.
"""

from __future__ import annotations

from collections.abc import Sequence

from benchmark.data.importing import Argument
from benchmark.errors import UsageError, did_you_mean
from benchmark.types.item_text import DEFAULT_TEXT_FIELDS

ITEM_FIELDS = ("id", *DEFAULT_TEXT_FIELDS, "categories", "category", "features", "attributes", "keywords")
KINDS = {  # the words that other tables than items have
    "events": ("user", "item", "time"),
    "queries": ("id", "text"),
    "judgments": ("query", "item", "grade"),
}


def column_argument(words: str) -> Argument:
    """Return --column; `words` says which ones this format takes."""
    return Argument("--column", f"which column is which. {words}", metavar="OURS=THEIRS", repeatable=True)


def parse_mapping(columns: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return {'items': {'title': 'name'}, 'events': {'user': 'customer'}} of ['title=name', 'events.user=customer']."""
    mapping: dict[str, dict[str, str]] = {}
    for text in columns:
        ours, equals, theirs = text.partition("=")
        kind, dot, word = ours.partition(".")
        if not equals or not ours or not theirs:
            raise UsageError(f"--column {text}: write OURS=THEIRS, e.g. --column title=name")
        if not dot:
            kind, word = "items", "categories" if ours == "category" else ours
            if word not in ITEM_FIELDS and word != theirs:
                raise UsageError(
                    f"--column {text}: items have no '{word}'.{did_you_mean(word, ITEM_FIELDS)} "
                    f"A column of another kind keeps its own name: --column {theirs}={theirs}"
                )
        elif kind not in KINDS:
            raise UsageError(f"--column {text}: no table '{kind}'.{did_you_mean(kind, KINDS)}")
        elif word not in KINDS[kind]:
            raise UsageError(f"--column {text}: {kind} have no '{word}'.{did_you_mean(word, KINDS[kind])}")
        if word in mapping.setdefault(kind, {}):
            raise UsageError(f"--column {text}: '{ours}' was already given")
        mapping[kind][word] = theirs
    return mapping
