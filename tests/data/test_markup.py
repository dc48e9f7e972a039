"""HTML in texts is read as plain text, and what only looks like HTML stays."""

import json
import time
from html.parser import HTMLParser

import pytest
from foreign import imported, notes, rows, write
from hypothesis import given
from hypothesis import strategies as st

from benchmark.cli.main import main
from benchmark.data.markup import has_markup, plain_text


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("<p>steel &amp; steel.<br/>soft&nbsp;</p>", "steel & steel. soft"),
        ("<a href=\"x.html\" class=big>Mug</a><!-- a\nnote -->\n<IMG SRC='a.png' />red", "Mug red"),
        ("<style>p { color: red }</style><script>a < b</script>tea", "tea"),
        ("&lt;p&gt;steel &amp;amp; wood&lt;/p&gt;", "steel & wood"),
        ("<b>5 &lt; 6</b> caf&#233; &#x2603;", "5 < 6 café ☃"),
        ("<style>never closed", "never closed"),
    ],
)
def test_html_is_read_as_a_reader_of_the_page_sees_it(text: str, plain: str) -> None:
    assert has_markup(text) and plain_text(text) == plain


@pytest.mark.parametrize(
    "text",
    [
        "a < b",
        "<3 tea  and\nmilk",
        "x<y and y>z",
        "AT&T; R&D",
        "a<b and c>d",
        "<size> M",
        "?a=1&copy=2",
        "a & b;",
        "<>",
    ],
)
def test_what_is_not_certainly_html_stays_as_it_is(text: str) -> None:
    assert plain_text(text) == text and not has_markup(text)


class Shown(HTMLParser):
    """The words of a page by Python's own parser."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.texts: list[str] = []
        self.feed(page)
        self.close()

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


TAGS = st.sampled_from(["<p>", "</p>", "<br />", "<li class='x'>", '<a href="y?z">', "</a>", "<!-- no -->"])
WORDS = st.sampled_from(["tea", "5", "&amp;", "&nbsp;", "&eacute;", "&#8364;", "-"])


@given(st.lists(st.one_of(TAGS, WORDS), min_size=1))
def test_the_words_are_those_that_an_html_parser_finds(parts: list[str]) -> None:
    page = " ".join(["<div>", *parts])
    assert plain_text(page).split() == " ".join(Shown(page).texts).split()


def test_hostile_html_takes_no_quadratic_time() -> None:
    start = time.perf_counter()
    for part in ("<style>", "<!--", "<a ", "<a =", "&#1", "<a x=1 ", "<script", "<br "):
        plain_text(part * 100_000)
    assert time.perf_counter() - start < 20


def test_an_import_leaves_tags_out_and_counts_the_items(tmp_path, capsys) -> None:
    table = (
        "id\ttitle\tdescription\n1\tSalt &amp; Pepper\t<p>steel &amp; steel.<br/>soft&nbsp;</p>\n"
        "2\tMug <3\ta < b\n3\tLamp\t<p></p>\n"
    )
    dataset = imported(tmp_path, "table", write(tmp_path / "items.tsv", table))
    assert rows(dataset, "title", "description") == [
        ("Salt & Pepper", "steel & steel. soft"), ("Mug <3", "a < b"), ("Lamp", None)
    ]  # fmt: skip
    said = "items had HTML in their {}; its tags were left out, its entities read"
    assert f"1 {said.format('title')}" in notes(dataset) and f"2 {said.format('description')}" in notes(dataset)
    texts = dataset.queries("simulated", "test").texts
    assert texts and not {"amp", "nbsp", "br"} & set(" ".join(texts).split())
    capsys.readouterr()
    assert main(["data", "check", str(dataset.folder), "--runs", str(tmp_path / "runs")]) == 0
    assert "HTML tags" not in capsys.readouterr().out


def test_a_check_names_the_fields_of_a_folder_that_hold_html(tmp_path, capsys) -> None:
    items = [{"id": row, "title": f"mug {row}", "description": "<b>x</b>" if row < 2 else "a < b"} for row in range(5)]
    write(tmp_path / "shop" / "items.jsonl", "".join(json.dumps(item) + "\n" for item in items))
    assert main(["data", "check", str(tmp_path / "shop"), "--runs", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "items.jsonl: 2 items have HTML tags or entities (such as &amp;) in their description" in out
    assert "in their title" not in out
