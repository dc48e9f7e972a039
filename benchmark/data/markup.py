"""HTML in texts, as shops export them: `<p>steel &amp; steel.<br/>soft&nbsp;</p>` is read as 'steel & steel. soft'.

Only what is certainly HTML counts: known tags, closed and with attributes that have a value, comments, and entities
with a semicolon. `a < b`, `<3` and `AT&T` stay as they are.
"""

from __future__ import annotations

import re
from html import unescape
from html.entities import html5
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

NAMES = (
    "a|abbr|article|aside|b|big|blockquote|body|br|caption|center|cite|code|col|colgroup|dd|del|div|dl|dt|em|figcaption|"
    "figure|font|footer|form|h[1-6]|head|header|hr|html|i|iframe|img|ins|li|link|meta|nav|noscript|ol|p|picture|pre|"
    "script|section|small|span|strike|strong|style|sub|sup|svg|table|tbody|td|tfoot|th|thead|title|tr|tt|u|ul|video"
)
_TAG = re.compile(rf"</?(?:{NAMES})(?:\s[^<>=]*=[^<>]*)?\s*/?>", re.IGNORECASE)
_UNSEEN = re.compile(  # no second start inside: the time stays linear where none ends
    r"<!--(?:(?!<!--).)*?-->|<(script|style)\b[^<>]*>(?:(?!<\1\b).)*?</\1\s*>", re.IGNORECASE | re.DOTALL
)
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|([a-zA-Z][a-zA-Z0-9]{1,31}));")


def has_markup(text: str) -> bool:
    """Whether a text holds HTML tags, comments or entities."""
    return _has_tags(text) or _has_entities(text)


def plain_text(text: str) -> str:
    """Return what a reader of the HTML sees, in one line; a text without HTML comes back as it is.

    HTML that was escaped as a whole (`&lt;p&gt;steel&lt;/p&gt;`) is read as HTML too.
    """
    if not has_markup(text):
        return text
    if not _has_tags(text):
        text = unescape(text)
    return " ".join(unescape(_TAG.sub(" ", _UNSEEN.sub(" ", text))).split())


def markup_notes(items: pa.Table) -> list[str]:
    """Return a note for each text field that holds HTML, with its number of items."""
    import pyarrow.compute as pc

    notes = []
    for name in items.column_names:
        if name in ("id", "categories"):
            continue
        column = items.column(name)
        found = sum(
            sum(map(has_markup, chunk.filter(pc.match_substring_regex(chunk, "[<&]")).to_pylist()))
            for chunk in column.chunks
        )
        if found:
            notes.append(f"{found:,} items have HTML tags or entities (such as &amp;) in their {name}")
    return notes


def _has_tags(text: str) -> bool:
    return "<" in text and bool(_TAG.search(text) or _UNSEEN.search(text))


def _has_entities(text: str) -> bool:
    return "&" in text and any(not match[1] or f"{match[1]};" in html5 for match in _ENTITY.finditer(text))
