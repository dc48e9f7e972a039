"""Wrong data folders: every line that a person or a program could get wrong."""

import json
from collections.abc import Sequence

from faults.case import CHEAP, Case, Content, added, replaced, shop

CHECK = ("data", "check", "shop")
RUN = ("run", "--methods", "random", "--set", "random.codebook_size=8", "--dataset", "shop", *CHEAP)


def data(title: str, changes: dict[str, Content], says: str, *, code: int = 2, words: Sequence[str] = CHECK) -> Case:
    """A shop with changed files, checked."""
    return Case(title, words, code, says, shop(changes))


def item(**fields: object) -> Content:
    """The change that adds a 41st item."""
    return added(json.dumps({"id": "i40", "title": "one more", **fields}))


def about(line: str) -> dict[str, Content]:
    """A dataset.toml that begins with this line."""
    return {"dataset.toml": lambda before: line.encode() + b"\n" + before}


def named(value: str) -> dict[str, Content]:
    """A dataset.toml with this TOML value as its name."""
    return {"dataset.toml": replaced('"shop"', value)}


CASES = [
    data("items: not JSON", {"items.jsonl": added("{'id': 'x'}")}, r"items\.jsonl:41"),
    data("items: a list in a line", {"items.jsonl": added('["i40"]')}, r"items\.jsonl:41"),
    data("items: a number in a line", {"items.jsonl": added("40")}, r"items\.jsonl:41"),
    data("items: half a line", {"items.jsonl": added('{"id": "i40", "ti')}, r"items\.jsonl:41"),
    data("items: no id", {"items.jsonl": added('{"title": "x"}')}, r"items\.jsonl:41.*id"),
    data("items: an empty id", {"items.jsonl": item(id="")}, r"items\.jsonl:41.*id"),
    data("items: an id twice", {"items.jsonl": item(id="i03")}, r"items\.jsonl:41.*i03"),
    data("items: an id with a space", {"items.jsonl": item(id="i 40")}, r"items\.jsonl:41.*id"),
    data("items: an id with a tab", {"items.jsonl": item(id="i\t40")}, r"items\.jsonl:41.*id"),
    data("items: a list as id", {"items.jsonl": item(id=["i40"])}, r"items\.jsonl:41.*id"),
    data(
        "items: an object as title is text", {"items.jsonl": replaced('"desk lamp number 0"', '{"a": 1}')}, "40", code=0
    ),
    data(
        "items: objects as categories",
        {"items.jsonl": replaced('["home", "lamp", "desk"]', '[{"a": 1}]')},
        "jsonl:1:.*categ",
    ),
    data("items: a lone surrogate", {"items.jsonl": added('{"id": "i\\ud800", "title": "x"}')}, r"items\.jsonl:41"),
    data("items: nested 100,000 deep", {"items.jsonl": added('{"id": "x", "a": ' + "[" * 100_000)}, r"items\.jsonl:41"),
    data("items: a number of 9,999 digits", {"items.jsonl": added('{"id": ' + "9" * 9999 + "}")}, r"items\.jsonl:41"),
    data("items: Latin-1", {"items.jsonl": added('{"id": "ä", "title": "x"}'.encode("latin-1"))}, r"items\.jsonl"),
    data("items: UTF-16", {"items.jsonl": lambda text: text.decode().encode("utf-16")}, r"items\.jsonl"),
    data("items: zero bytes", {"items.jsonl": added(b"\0" * 100)}, r"items\.jsonl:41"),
    data("items: an empty file", {"items.jsonl": ""}, r"items\.jsonl"),
    data("items: no file", {"items.jsonl": None}, r"items\.jsonl"),
    data("items: fewer than expected", {"items.jsonl": item()}, "items.*41.*40|40.*41"),
    data("sequences: an unknown item", {"sequences.txt": added("u99 i01 nowhere")}, r"sequences\.txt:21.*nowhere"),
    data("sequences: a user twice", {"sequences.txt": added("u1 i01 i02 i03")}, r"sequences\.txt:21.*u1"),
    data("sequences: no word is an item", {"sequences.txt": "u1 a b c\nu2 d e f\n"}, r"sequences\.txt"),
    data("sequences: JSON", {"sequences.txt": '{"u1": ["i01", "i02"]}\n'}, r"sequences\.txt:1"),
    data("queries: no tab", {"queries.tsv": added("q6 lamp")}, r"queries\.tsv:7"),
    data("queries: an id twice", {"queries.tsv": added("q1\tanother")}, r"queries\.tsv:7.*q1"),
    data("judgments: three columns", {"qrels.txt": added("q1 i01 1")}, r"qrels\.txt:7"),
    data("judgments: a word as grade", {"qrels.txt": added("q1 0 i01 good")}, r"qrels\.txt:7"),
    data("judgments: a grade of 400 digits", {"qrels.txt": added("q1 0 i01 1" + "0" * 400)}, r"qrels\.txt:7"),
    data("judgments: an unknown query is noted", {"qrels.txt": added("q77 0 i01 1")}, "1 unknown quer", code=0),
    data(
        "judgments: an unknown item is noted",
        {"qrels.txt": added("q1 0 nowhere 1")},
        "1 judgments of items not in the data set",
        code=0,
    ),
    data("judgments: negative grades are counted", {"qrels.txt": added("q1 0 i01 -2")}, "grade", code=0),
    data("about: not TOML", about("name = = 1"), r"dataset\.toml"),
    data("about: Latin-1", {"dataset.toml": added('source = "ä"'.encode("latin-1"))}, r"dataset\.toml"),
    data("about: a number as name", named("5"), r"dataset\.toml.*name"),
    data("about: a list as name", named('["a"]'), r"dataset\.toml.*name"),
    data("about: an empty name is the folder's", named('""'), "shop", code=0),
    data(
        "about: a name with slashes stays inside",
        named('"../../etc"'),
        "runs/etc",
        code=0,
        words=(*RUN, "--dry-run", "--json"),
    ),
    data("about: a name of 300 characters", named('"' + "x" * 300 + '"'), r"dataset\.toml.*name", words=RUN),
    data("about: an escape sequence as name", named('"\\u001b[31mred"'), "31mred", code=0),
    data("about: a number as title", {"dataset.toml": replaced('"A small shop"', "7")}, r"dataset\.toml.*title"),
    data("about: a number as notes", about("notes = 3"), r"dataset\.toml.*notes"),
    data("about: numbers as notes", about("notes = [3]"), r"dataset\.toml.*notes"),
    data("about: a word as tasks", about('tasks = "search"'), r"dataset\.toml.*tasks"),
    data("about: an unknown task", about('tasks = ["serach"]'), r"dataset\.toml.*serach"),
    data(
        "about: a word as expected count", {"dataset.toml": replaced("items = 40", 'items = "many"')}, r"dataset\.toml"
    ),
    data("about: a list of expectations", {"dataset.toml": 'name = "shop"\nexpect = [40]\n'}, r"dataset\.toml.*expect"),
    data("about: raw as a list", {"dataset.toml": replaced("[expect]", "raw = [1]\n[expect]")}, r"dataset\.toml.*raw"),
    data(
        "titles with escape sequences",
        {"items.jsonl": replaced("desk", "\\u001b[31m\\u0007desk")},
        "whole|OK|items",
        code=0,
    ),
    data("a data set that does not exist", {}, "no such folder|unknown", words=("data", "check", "nowhere/shop")),
    data("a file as data set", {}, "folder", words=("data", "check", "shop/items.jsonl")),
    data("a user without a home folder", {}, "no such folder|unknown", words=("data", "check", "~nouser/shop")),
    data("a name of 300 characters", {}, "longer", words=("data", "check", "x" * 300)),
    data("writing over a folder", {}, "already", words=("data", "write", "shop", "shop")),
    data("writing without a folder", {}, "folder", words=("data", "write", "demo")),
    data("stats of a wrong file", {"items.jsonl": added("x")}, r"items\.jsonl:41", words=("data", "stats", "shop")),
    data("running on a wrong file", {"items.jsonl": added("x")}, r"items\.jsonl:41", words=RUN),
]
