"""What a prefix holds, and whom an item is near: the ID explorer of the HTML report, for a terminal.

Titles and categories are shown where they are known. All views are JSON values; `lines_of` prints them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from benchmark.errors import UsageError, did_you_mean, quoted
from benchmark.ids.id_set import About, IdSet
from benchmark.ids.words import Words
from benchmark.terminal import table_lines

MOST = 10  # prefixes, items, words and categories that are shown
NOBODY = About("")
CODE = re.compile(r"[0-9]{1,9}")


def inspect(ids: IdSet, what: str = "", most: int = MOST) -> dict[str, Any]:
    """Return the view of an item (by id), of a prefix ('12-7'), or of all IDs ('').

    Raises UsageError for what is neither.
    """
    if what in ids.row_of:
        return item_view(ids, ids.row_of[what], most)
    prefix = _prefix(what) if what else ()
    if prefix is None or not len(ids.below(prefix)):
        near = did_you_mean(what, ids.items) if prefix is None else ""
        kind = "an item" if prefix is None else "a prefix of an ID, such as 12-7"
        raise UsageError(f"{quoted(what)} is not {kind} in {ids.name}.{near if 'Did' in near else ''}")
    return prefix_view(ids, prefix, most)


def prefix_view(ids: IdSet, prefix: Sequence[int], most: int = MOST) -> dict[str, Any]:
    """Return size, words, categories, following codes and items of a prefix; of the empty one for all items."""
    rows, depth = ids.below(prefix), len(prefix)
    words = Words([ids.about.get(item, NOBODY).title for item in ids.items])
    following: Counter[int] = Counter()
    if depth < ids.codes.length:
        following = Counter(code for code in ids.codes.values[rows, depth].tolist() if code >= 0)
    ranked = sorted(following.items(), key=lambda pair: (-pair[1], pair[0]))
    return {
        "ids": ids.name,
        "prefix": list(prefix),
        "items": len(rows),
        "share": len(rows) / len(ids.items),
        "unique": _unique(ids, rows),
        "words": _words(words, rows, most) if prefix else [],
        "categories": _categories(ids, rows, most),
        "codes in use": len(following),
        "next": [
            {"code": code, "items": n, "words": _words(words, ids.below((*prefix, code)), 4)}
            for code, n in ranked[:most]
        ],
        "examples": [_item(ids, row) for row in rows[:most].tolist()] if prefix else [],
    }


def item_view(ids: IdSet, row: int, most: int = MOST) -> dict[str, Any]:
    """Return an item's ID and its neighbours by the length of the prefix that they share with it, closest first."""
    own = ids.id_of(row)
    closer, groups = {row}, []
    for depth in range(len(own), 0, -1):
        inside = [other for other in ids.below(own[:depth]).tolist() if other not in closer]
        closer |= set(inside)
        same = [other for other in inside if depth == len(own) and ids.id_of(other) == own]
        longer = [other for other in inside if depth < len(own) or ids.id_of(other) != own]  # of whom it is a prefix
        for whole, there in ((True, same), (False, longer)):
            if there:
                shown = [_item(ids, other) for other in there[:most]]
                groups.append({"prefix": list(own[:depth]), "whole": whole, "items": len(there), "nearest": shown})
    return {"ids": ids.name, **_item(ids, row), "neighbours": groups}


def lines_of(view: Mapping[str, Any]) -> list[str]:
    """Return a view as lines of text."""
    return _item_lines(view) if "neighbours" in view else _prefix_lines(view)


def _prefix_lines(view: Mapping[str, Any]) -> list[str]:
    prefix = _text(view["prefix"])
    which = f"{view['ids']}, prefix {prefix}" if prefix else view["ids"]
    size = f"{_items_text(view['items'])} ({view['share']:.1%})" if prefix else _items_text(view["items"])
    lines = [f"{which}: {size}, {view['unique']:,} with an ID of their own"]
    if view["words"]:
        lines.append(f"words more frequent here: {_word_text(view['words'])}")
    if view["categories"]:
        lines += ["", "most frequent categories"]
        lines += table_lines([[f"  {each['items']:,}", " > ".join(each["path"])] for each in view["categories"]])
    if view["next"]:
        lines += ["", f"next code: {view['codes in use']:,} in use, the largest first"]
        lines += table_lines(
            [[f"  {_text([*view['prefix'], each['code']])}", _items_text(each["items"]), _word_text(each["words"])]
             for each in view["next"]]
        )  # fmt: skip
    if view["examples"]:
        lines += ["", "items"]
        lines += _items_lines(view["examples"], view["items"])
    return lines


def _item_lines(view: Mapping[str, Any]) -> list[str]:
    lines = [f"{view['id']}  {_text(view['codes'])}  {view['title']}".rstrip()]
    lines += [" > ".join(view["categories"])] if view["categories"] else []
    for group in view["neighbours"]:
        if group["items"]:
            kind = "the same ID" if group["whole"] else "shares the prefix"
            lines += ["", f"{kind} {_text(group['prefix'])}: {group['items']:,} other items"]
            lines += _items_lines(group["nearest"], group["items"])
    return (
        lines if any(group["items"] for group in view["neighbours"]) else [*lines, "no other item has its first code"]
    )


def _items_lines(shown: Sequence[Mapping[str, Any]], total: int) -> list[str]:
    lines = table_lines([[f"  {one['id']}", _text(one["codes"]), one["title"]] for one in shown])
    return [*lines, f"  and {total - len(shown):,} more"] if total > len(shown) else lines


def _item(ids: IdSet, row: int) -> dict[str, Any]:
    about = ids.about.get(ids.items[row], NOBODY)
    codes = list(ids.id_of(row))
    return {"id": ids.items[row], "codes": codes, "title": about.title, "categories": list(about.path)}


def _unique(ids: IdSet, rows: Any) -> int:
    """Return how many of these items have an ID that no other item has."""
    counts = np.unique(ids.codes.values[rows], axis=0, return_counts=True)[1]
    return int((counts == 1).sum())


def _words(words: Words, rows: Any, most: int) -> list[dict[str, Any]]:
    return [{"word": one.word, "items": one.count} for one in words.distinctive(rows.tolist(), most)]


def _categories(ids: IdSet, rows: Any, most: int) -> list[dict[str, Any]]:
    paths = (ids.about.get(ids.items[row], NOBODY).path for row in rows.tolist())
    counts = Counter(path for path in paths if path)
    return [{"path": list(path), "items": n} for path, n in sorted(counts.items(), key=lambda p: (-p[1], p[0]))[:most]]


def _prefix(text: str) -> tuple[int, ...] | None:
    """Return the codes of '12-7', None for another text."""
    parts = text.split("-")
    return tuple(map(int, parts)) if all(CODE.fullmatch(part) for part in parts) else None


def _text(codes: Iterable[int]) -> str:
    return "-".join(map(str, codes))


def _word_text(words: Sequence[Mapping[str, Any]]) -> str:
    return ", ".join(f"{one['word']} ({one['items']:,})" for one in words)


def _items_text(n: int, kind: str = "") -> str:
    return f"{n:,} {kind}item" + ("s" if n != 1 else "")
