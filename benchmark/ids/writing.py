"""The forms in which `ids assign` and `ids repair` write IDs; the name of the file says which.

X.jsonl         {"id", "codes", "counter"}, one line an item
X.tsv           item TAB codes, the counter as last code
X.index.json    {"item": ["<a_12>", "<b_7>", ..]}, likewise
"""

from __future__ import annotations

from pathlib import Path

from benchmark.errors import UsageError

ENDINGS = (".jsonl", ".tsv", ".index.json")


def ending_of(path: Path) -> str:
    """Return the ending of a file of IDs. Raises UsageError for one that no form has."""
    found = next((ending for ending in ENDINGS if path.name.endswith(ending)), None)
    if found is None:
        raise UsageError(f"--out {path}: expected a name that ends in {', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}")
    return found
