"""ID files of other programs that cannot be what they should be."""

import json
from collections.abc import Sequence

from faults.case import CHEAP, Case, Content, added, shop

GOOD = {f"i{row:02}": [row % 8, row // 8] for row in range(40)}


def ids(
    title: str, content: Content, says: str, *, code: int = 2, name: str = "shop/ids.json", more: Sequence[str] = ()
) -> Case:
    """An ID file, refused (the dry run does so already), or read."""
    words = ("run", "--ids", name, "--dataset", "shop", *CHEAP, *(more or ["--dry-run"]))
    return Case(title, words, code, says, shop({name.removeprefix("shop/"): content} if content is not None else {}))


def changed(**entries: object) -> str:
    """Return the good file with other entries for some items."""
    return json.dumps({**GOOD, **entries})


CASES = [
    ids("no such file", None, r"ids\.json"),
    ids("an empty file", "", r"ids\.json"),
    ids("not JSON", "{'a': 1}", r"ids\.json"),
    ids("a list", "[[1, 2], [3, 4]]", r"ids\.json"),
    ids("a number", "12", r"ids\.json"),
    ids("no items", "{}", r"ids\.json"),
    ids("nested 100,000 deep", '{"i00": ' + "[" * 100_000, r"ids\.json"),
    ids("an item twice", json.dumps(GOOD)[:-1] + ', "i00": [1, 2]}', r"ids\.json.*i00"),
    ids("an item too few", json.dumps(dict(list(GOOD.items())[1:])), r"i00"),
    ids("items of another catalogue", json.dumps({f"B{row}": [row, 1] for row in range(40)}), r"ids\.json"),
    ids("a negative code", changed(i00=[-3, 1]), "i00"),
    ids("a fraction", changed(i00=[1.5, 1]), "i00"),
    ids("a truth value", changed(i00=[True, 1]), "i00"),
    ids("an object", changed(i00={"a": 1}), "i00"),
    ids("no codes", changed(i00=[]), "i00"),
    ids("words", changed(i00="nothing"), "i00"),
    ids("a code of 400 digits", changed(i00=[10**400, 1]), "i00"),
    ids("a code of 10 billion", changed(i00=[10**10, 1]), "i00"),
    ids("a code of 5,000 digits", '{"i00": [' + "9" * 5000 + "]}", r"ids\.json"),
    ids("keyed by row numbers", json.dumps({str(row): [row % 8, row // 8] for row in range(40)}), "ids-order"),
    ids("keyed by rows from 1", json.dumps({str(row): [row % 8, 1] for row in range(1, 41)}), "ids-order"),
    ids("keyed by row numbers, 39 rows", json.dumps({str(row): [row % 8, 1] for row in range(39)}), r"ids\.json"),
    ids("an unknown order", json.dumps({str(row): [1] for row in range(40)}), "order",
        more=["--ids-order", "upwards", "--dry-run"]),
    ids("no tab", "i00 1-2\n", r"ids\.tsv:1", name="shop/ids.tsv"),
    ids("an item twice, in lines", "i00\t1-2\ni00\t1-2\n", r"ids\.tsv:2", name="shop/ids.tsv"),
    ids("letters, in lines", "i00\ta-b\n", r"ids\.tsv:1", name="shop/ids.tsv"),
    ids("a folder", None, "folder|directory", name="shop"),
    ids("a user without a home folder", None, "nouser", name="~nouser/ids.json"),
    ids("a picture", b"\x89PNG\r\n\x1a\n" + bytes(range(256)), r"ids\.json"),
    ids("two files of one label", json.dumps(GOOD), "label", more=["--ids", "shop/ids.json", "--dry-run"]),
    ids("a good file", json.dumps(GOOD), "1 cells|to compute", code=0),
    ids("damaged when it runs", added(b"\0"), r"shop/items\.jsonl", name="shop/items.jsonl", more=["--json"]),
]  # fmt: skip
