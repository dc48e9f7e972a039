"""What stands in an HTML page, for tests of reports."""

import json
from collections import Counter
from html.parser import HTMLParser

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


class Page(HTMLParser):
    """What stands in a page, read by the standard library's parser; a tag closed out of order is an error."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.plain: Counter[str] = Counter()  # tags of HTML
        self.texts: dict[str, str] = {}  # of elements with an id: their own text
        self._inside: list[str] = []
        self.feed(source)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attributes):
        names = [name for name, _ in attributes]
        assert len(names) == len(set(names)), f"<{tag}> has an attribute twice"
        self.tags.append((tag, dict(attributes)))
        self.plain[tag] += tag != "wbr" and "svg" not in self.open  # figures differ with their labels' letters
        if tag not in VOID:
            self.open.append(tag)
            self._inside.append(dict(attributes).get("id") or "")

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag
        self._inside.pop()

    def handle_data(self, data):
        if self._inside and self._inside[-1]:
            self.texts[self._inside[-1]] = self.texts.get(self._inside[-1], "") + data

    def json(self, name):
        return json.loads(self.texts[name])
